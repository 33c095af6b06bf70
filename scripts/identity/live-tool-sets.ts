/** Which further tool sets the directory shows to be on, where nobody has said so: TOOL_SETS is not set. */
import { z } from 'zod'
import { type Declaration, loadDeclaration } from '../../app/declaration.ts'
import { type Permissions, selectPermissions, USUAL_TOOL_SETS } from '../../app/permissions.ts'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import type { Directory } from '../graph/directory.ts'
import { ifAllowed } from '../graph/directory-error.ts'
import {
  Application,
  type Grant,
  quoted,
  Resource,
  select,
  servicePrincipalPath,
} from '../graph/graph-objects.ts'
import { splitWords } from '../whatif/properties.ts'
import { findNamed } from './belongings.ts'
import { tenantGrants } from './consent.ts'
import type { Names } from './names.ts'
import { switchedOff } from './switched-off.ts'

const App = Application.pick({ appId: true, tags: true, api: true, appRoles: true }).extend({
  requiredResourceAccess: z
    .array(z.object({ resourceAppId: z.string(), resourceAccess: z.array(z.object({ id: z.string() })) }))
    .default([]),
})
type App = z.infer<typeof App>

/** An id of a permission means something together with its API only. */
const keyOf = (appId: string, id: string) => `${appId} ${id}`.toLowerCase()

const declaredBy = ({ api, appRoles, requiredResourceAccess }: App): string[] => [
  ...[...api.oauth2PermissionScopes, ...appRoles].filter(({ isEnabled }) => isEnabled).map(({ id }) => id),
  ...requiredResourceAccess.flatMap(({ resourceAppId, resourceAccess }) =>
    resourceAccess.map(({ id }) => keyOf(resourceAppId, id)),
  ),
]

/** Whoever may not read grants deploys all the same: what the apps declare says nearly as much. */
async function grantedTo(directory: Directory, { appId }: App): Promise<Grant[]> {
  const principal = await ifAllowed(directory.get(servicePrincipalPath(appId), Resource))
  if (!principal) return []
  return (await ifAllowed(tenantGrants(directory, principal.id))) ?? []
}

/** Keys of the permissions that have consent for the whole tenant, among those that only sets that are off ask for. */
async function consentedTo(directory: Directory, apps: readonly App[], declaration: Declaration) {
  const grants = (await Promise.all(apps.map((app) => grantedTo(directory, app)))).flat()
  const perApi = switchedOff(undefined, declaration).consents.map(async ({ appId, permissions }) => {
    const resource = await directory.get(servicePrincipalPath(appId), Resource)
    const given = grants
      .filter(({ resourceId }) => resourceId === resource?.id)
      .flatMap(({ scope }) => splitWords(scope))
    return permissions.filter(({ value }) => given.includes(value)).map(({ id }) => keyOf(appId, id))
  })
  return (await Promise.all(perApi)).flat()
}

/** The API app and the dev app; before the subscription is known, those of every environment of this name. */
async function appsOf(directory: Directory, environmentName: string, names?: Names): Promise<App[]> {
  if (names) return findNamed(directory, 'applications', [names.api, names.dev], App)
  const tag = quoted(`azd-env-name:${environmentName}`)
  const found = await directory.list(`/applications?$filter=tags/any(t:t eq ${tag})&${select(App)}`, App)
  // Other templates tag with the name alone.
  return found.filter(({ tags }) => tags.some((one) => one.startsWith('azd-env-token:')))
}

const keysOf = ({ scopes, appRoles, downstreamApis }: Permissions): string[] => [
  ...[...scopes, ...appRoles].map(({ id }) => id),
  ...downstreamApis.flatMap(({ appId, permissions }) => permissions.map(({ id }) => keyOf(appId, id))),
]

/** Names of the sets of which one of the apps has something that the usual ones do not declare. */
async function furtherSets(directory: Directory, apps: readonly App[]): Promise<string[]> {
  const declaration = loadDeclaration()
  const live = new Set([...apps.flatMap(declaredBy), ...(await consentedTo(directory, apps, declaration))])
  for (const key of keysOf(selectPermissions(declaration))) live.delete(key)
  return declaration.toolSets
    .map(({ name }) => name)
    .filter((name) => keysOf(selectPermissions(declaration, name)).some((key) => live.has(key)))
}

/**
 * On another machine nothing may be switched off because that machine does not know what is on. Without `names` the
 * subscription is not known yet.
 */
export async function checkToolSets({ directory, environment }: Context, names?: Names): Promise<undefined> {
  const { AZURE_ENV_NAME, TOOL_SETS } = environment
  if (TOOL_SETS) return
  const on = await furtherSets(directory, await appsOf(directory, AZURE_ENV_NAME, names))
  if (on.length === 0) return
  throw new Problem({
    what: `TOOL_SETS is not set in this azd environment, and the directory has more than ${USUAL_TOOL_SETS} for an environment of this name: ${on.join(', ')}.`,
    why: 'The deployment would switch these tool sets off: their scopes, roles and consent would go.',
    fix: `azd env set TOOL_SETS ${[USUAL_TOOL_SETS, ...on].join(',')}    (keeps them), or: azd env set TOOL_SETS ${USUAL_TOOL_SETS}    (switches them off)`,
  })
}
