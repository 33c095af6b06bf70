/** Every right that permissions.json and a predicted deployment give, with its reason. */
import { z } from 'zod'
import type { Permissions } from '../../app/permissions.ts'
import { readable } from '../scripts/bicep/deployed-values.ts'
import type { PredictedResource, Prediction } from './prediction.ts'

export type Row = [who: string, right: string, on: string, why: string]

/** Every holder and every object must be known here: a new one needs a name before it gets a right. */
const NAMES: Record<string, string> = {
  '{id.principalId}': 'Managed identity of the server',
  'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa': 'Deployer, if a user and `LOCAL_DEVELOPMENT` is on',
  '{admins.id}': 'Admin group',
  '{users.id}': 'Users group',
  '{publicClient.appId}': 'Public client app',
  '{apiPrincipal.id}': 'API app',
  '{devPrincipal.id}': 'Dev API app',
}
const ROLES: Record<string, { name: string; why: string }> = {
  '7f951dda-4ed3-4680-a7ca-43fe172d538d': {
    name: 'AcrPull',
    why: 'Pulls the image; the registry has no password.',
  },
  '3913510d-42f4-4e42-8a64-420c390055eb': {
    name: 'Monitoring Metrics Publisher',
    why: 'Sends telemetry; instrumentation keys are switched off.',
  },
  '1407120a-92aa-4202-b7e9-c0e197c71c8f': {
    name: 'Search Index Data Reader',
    why: 'Asks for documents; what is found is up to the user who comes with the question.',
  },
  '7ca78c08-252a-4471-8644-bb5ff32d4ba0': {
    name: 'Search Service Contributor',
    why: 'Makes the index of the documents and switches its permission filter on.',
  },
  '8ebe5a00-799e-43f5-93ac-243d3dce84a7': {
    name: 'Search Index Data Contributor',
    why: 'Fills the index of the documents.',
  },
  '00000000-0000-0000-0000-000000000002': {
    name: 'Cosmos DB Built-in Data Contributor',
    why: 'Reads and writes expenses; account keys are switched off.',
  },
}

const known = <T>(table: Record<string, T>, key: string, what: string): T => {
  const found = table[key]
  if (found === undefined)
    throw new Error(`${what} ${key} has no name in tests/infra/rights.ts: say there what it is for.`)
  return found
}

const AzureRole = z.object({
  principalId: z.string(),
  roleDefinitionId: z.string(),
  scope: z.string().optional(),
})
const Assignment = z.object({ principalId: z.string(), resourceId: z.string() })
const PreAuthorized = z.object({
  displayName: z.string(),
  api: z.object({
    preAuthorizedApplications: z.array(
      z.object({ appId: z.string(), delegatedPermissionIds: z.array(z.string()) }),
    ),
  }),
})

const placeOf = (id: string) => {
  if (/ContainerRegistry/.test(id)) return 'Container registry'
  return /Microsoft\.Search/.test(id) ? 'Search service' : 'Application Insights'
}

const azureRow = (resource: PredictedResource): Row => {
  const { principalId, roleDefinitionId, scope } = AzureRole.parse(resource.properties)
  const role = known(ROLES, roleDefinitionId.split('/').at(-1) ?? '', 'The role')
  const on = scope
    ? `Container \`${scope.split('/').at(-1)}\` of the Cosmos DB account`
    : placeOf(resource.id ?? '')
  return [known(NAMES, readable(principalId), 'The holder'), role.name, on, role.why]
}

const assignmentRow = (resource: PredictedResource): Row => {
  const { principalId, resourceId } = Assignment.parse(resource.properties)
  const who = known(NAMES, readable(principalId), 'The group')
  const why =
    who === 'Admin group' ? 'Admins use the server; admin tools ask for this group.' : 'Users use the server.'
  return [
    `Members of the ${who.toLowerCase()}`,
    'Assigned: may get a token',
    known(NAMES, readable(resourceId), 'The app'),
    why,
  ]
}

const preAuthorizedRows = (resource: PredictedResource, declaration: Permissions): Row[] => {
  const parsed = PreAuthorized.safeParse(resource.properties)
  if (!parsed.success) return []
  const app = /machines/.test(parsed.data.displayName) ? 'Dev API app' : 'API app'
  const names = {
    ...NAMES,
    ...Object.fromEntries(declaration.clients.map((client) => [client.appId, client.name])),
  }
  return parsed.data.api.preAuthorizedApplications.map(({ appId, delegatedPermissionIds }) => {
    const scopes = declaration.scopes.filter((scope) => delegatedPermissionIds.includes(scope.id))
    const right = scopes.map((scope) => `\`${scope.value}\``).join(', ')
    return [
      known(names, readable(appId), 'The client'),
      `${right} for its signed-in user`,
      app,
      'No consent prompt in this client.',
    ]
  })
}

const downstreamRows = ({ downstreamApis }: Permissions): Row[] =>
  downstreamApis.flatMap((api) =>
    api.permissions.map(
      (permission): Row => [
        'API app, dev API app',
        `\`${permission.value}\`, delegated, for the signed-in user`,
        api.displayName,
        permission.reason,
      ],
    ),
  )

const ofType = (resources: PredictedResource[], name: RegExp) =>
  resources.filter(({ type }) => name.test(type))

export const rightsIn = (declaration: Permissions, { predictedResources }: Prediction): Row[] => [
  ...ofType(predictedResources, /^Microsoft\.Authorization\/roleAssignments|sqlRoleAssignments/).map(
    azureRow,
  ),
  ...ofType(predictedResources, /appRoleAssignedTo/).map(assignmentRow),
  ...ofType(predictedResources, /^Microsoft\.Graph\/applications@/).flatMap((app) =>
    preAuthorizedRows(app, declaration),
  ),
  [
    'Managed identity of the server',
    'Federated credential: signs in as',
    'API app',
    'On-behalf-of tokens without a secret; written by the postprovision hook.',
  ],
  ...downstreamRows(declaration),
]
