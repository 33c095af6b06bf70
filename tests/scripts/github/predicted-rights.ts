/** Who may do what by infra/pipeline.bicep, read from its predicted deployment. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { compiler } from '../../infra/deployments.ts'
import { Prediction, predict } from '../../infra/prediction.ts'
import { pipelineSets, snapshotFile, target } from '../../infra/snapshots.ts'
import { readable } from '../bicep/deployed-values.ts'

export const infra = fileURLToPath(new URL('../../../infra/', import.meta.url))
export const setOf = (name: string) => {
  const set = pipelineSets[name]
  if (!set) throw new Error(`tests/infra/pipeline-sets.json has no set ${name}`)
  return set
}
export const committed = async (name: string) =>
  Prediction.parse(JSON.parse(await readFile(snapshotFile(name), 'utf8')))
const taken = new Map<string, Promise<Prediction>>()
export const deploymentOf = (name: string) => {
  const prediction =
    taken.get(name) ?? (compiler ? predict(setOf(name), target, 'pipeline') : committed(name))
  taken.set(name, prediction)
  return prediction
}

/** Names of Microsoft's ids, written down here a second time on purpose. */
const ROLES: Record<string, string> = {
  'acdd72a7-3385-48ef-bd42-f606fba81ae7': 'Reader',
  'b24988ac-6180-42a0-ab88-20f7382dd24c': 'Contributor',
  'f58310d9-a9f6-439a-9e8d-f62e7b41a168': 'Role Based Access Control Administrator',
  '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30': 'Application.Read.All',
  '81b4724a-58aa-41c1-8a55-84ef97466587': 'DelegatedPermissionGrant.Read.All',
  '5b567255-7703-4780-807c-7be8301ae99b': 'Group.Read.All',
  '1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9': 'Application.ReadWrite.All',
  '8e8e4742-1d95-4f68-9d56-6ee75648c72a': 'DelegatedPermissionGrant.ReadWrite.All',
  '62a82d76-70ea-41e2-9197-370581804d09': 'Group.ReadWrite.All',
  '06b708a9-e830-4db3-a914-8e69da51d44f': 'AppRoleAssignment.ReadWrite.All',
}
const Custom = z.object({
  roleName: z.string(),
  permissions: z.tuple([
    z.strictObject({
      actions: z.array(z.string()),
      notActions: z.array(z.string()),
      dataActions: z.tuple([]),
      notDataActions: z.tuple([]),
    }),
  ]),
})
export const customRoles = ({ predictedResources }: Prediction) =>
  predictedResources
    .filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions')
    .map(({ name = '', properties }) => ({ id: name, ...Custom.parse(properties) }))

/** The name of an assignment is known only during the deployment, so its id is an expression. */
const placeOf = (id: string) => {
  const [, group] = /^\[resourceId\('[^']+', '([^']+)', /.exec(id) ?? []
  if (!group) assert.match(id, /^\[subscriptionResourceId\('[^']+', 'Microsoft\.Authorization/)
  return group ?? 'subscription'
}

/** Every right in Azure and in Entra: who, what, where. Everything that is not listed below is a finding. */
export const rightsIn = (prediction: Prediction): string[] => {
  const own = Object.fromEntries(customRoles(prediction).map(({ id, roleName }) => [id, roleName]))
  const named = (id: string) => ROLES[id] ?? own[id]?.replace(/, [a-z0-9]{13}/, '') ?? id
  return prediction.predictedResources
    .flatMap(({ type, id = '', properties = {} }) => {
      if (/roleAssignments$/.test(type)) {
        const where = placeOf(id)
        const role = readable(properties.roleDefinitionId).split('/').at(-1) ?? ''
        return [`${readable(properties.principalId).slice(4, 10)}: ${named(role)} on ${where}`]
      }
      if (!/^Microsoft\.Graph\//.test(type)) return []
      assert.equal(type, 'Microsoft.Graph/appRoleAssignedTo@v1.0')
      assert.equal(properties.resourceId, "[reference('graph').id]")
      const who = readable(properties.principalId).slice(4, 10)
      return [`${who}: ${named(String(properties.appRoleId))} on Microsoft Graph`]
    })
    .toSorted()
}
export const subjectsIn = ({ predictedResources }: Prediction): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  const Credential = z.strictObject({
    issuer: z.literal('https://token.actions.githubusercontent.com'),
    subject: z.string(),
    audiences: z.tuple([z.literal('api://AzureADTokenExchange')]),
  })
  for (const { type, id = '', properties } of predictedResources) {
    if (!type.endsWith('/federatedIdentityCredentials')) continue
    const who = /userAssignedIdentities\/id-([a-z]+)-/.exec(id)?.[1] ?? id
    found[who] = [...(found[who] ?? []), Credential.parse(properties).subject].toSorted()
  }
  return found
}
