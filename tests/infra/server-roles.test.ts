import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { readable } from '../scripts/bicep/deployed-values.ts'
import { deploymentOf, environmentOf, fresh, sets, withoutCompiler } from './deployments.ts'
import type { PredictedResource, Prediction } from './prediction.ts'

/** All that the server's own identity holds in Azure, each on one resource and with its reason. */
const HELD = new Map([
  ['7f951dda-4ed3-4680-a7ca-43fe172d538d registries', 'AcrPull: pulls its image'],
  ['3913510d-42f4-4e42-8a64-420c390055eb components', 'Monitoring Metrics Publisher: sends telemetry'],
  [
    '00000000-0000-0000-0000-000000000002 databaseAccounts',
    'Cosmos DB data of one container: keeps expenses',
  ],
])
/** Only with the tool set documents. */
const WITH_DOCUMENTS = new Map([
  ['1407120a-92aa-4202-b7e9-c0e197c71c8f searchServices', 'Search Index Data Reader: asks the index'],
])
const SERVER = '{id.principalId}'
/** An assignment on one resource; on a group of resources, a subscription or more it would end earlier. */
const ON_A_RESOURCE = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[\w.]+\/(\w+)\/[^/]+\//

/** Role and kind of resource of every right in Azure of the server. */
function rightsOfServer({ predictedResources }: Prediction): string[] {
  const isAssignment = ({ type }: PredictedResource) =>
    /roleAssignments|roleEligibility|sqlRoleAssignments/i.test(type)
  return predictedResources
    .filter((one) => isAssignment(one) && readable(one.properties?.principalId) === SERVER)
    .map(({ id, properties }) => {
      const [, kind] = ON_A_RESOURCE.exec(readable(id)) ?? []
      assert.ok(kind, `${id} is no right on one resource`)
      return `${readable(properties?.roleDefinitionId).split('/').at(-1)} ${kind}`
    })
    .toSorted()
}

describe('The server itself', () => {
  for (const set of sets)
    it(`holds no right in Azure but on resources of its own, with the parameters "${set}"`, async () => {
      const more = set.startsWith('documents') ? WITH_DOCUMENTS.keys() : []
      assert.deepEqual(rightsOfServer(await deploymentOf(set)), [...HELD.keys(), ...more].toSorted())
    })

  it('gets none more when the tools for costs are on: Azure is asked with the caller’s own token', {
    skip: withoutCompiler,
  }, async () => {
    const withCosts = await fresh({ ...environmentOf('defaults'), TOOL_SETS: 'expenses,profile,costs' })
    const text = JSON.stringify(withCosts)
    assert.match(text, /cost\.read/)
    assert.match(text, /41094075-9dad-400e-a0bd-54e686782033/)
    assert.deepEqual(rightsOfServer(withCosts), [...HELD.keys()].toSorted())
  })

  it('gives nobody the Admin scope beforehand: it is declared, and pre-authorized for no client', {
    skip: withoutCompiler,
  }, async () => {
    const { predictedResources } = await fresh({ ...environmentOf('defaults'), TOOL_SETS: 'costs' })
    const apps = predictedResources.filter(({ type }) => type.startsWith('Microsoft.Graph/applications'))
    const [read, exported] = ['cost.read', 'cost.export'].map((value) => scopeId(apps, value))
    const preAuthorized = JSON.stringify(apps.map(({ properties }) => clientsOf(properties)))
    assert.ok(read && exported)
    assert.ok(preAuthorized.includes(read))
    assert.ok(!preAuthorized.includes(exported))
  })
})

const PreAuthorized = z.looseObject({
  api: z.looseObject({ preAuthorizedApplications: z.array(z.unknown()).default([]) }).optional(),
})
const clientsOf = (properties: PredictedResource['properties']) =>
  PreAuthorized.parse(properties).api?.preAuthorizedApplications
const scopeId = (apps: readonly PredictedResource[], value: string): string | undefined =>
  new RegExp(`"id":"([\\w-]{36})"[^{}]*"value":"${value}"`).exec(JSON.stringify(apps))?.[1]
