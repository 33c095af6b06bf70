import type { Application } from '../directory-objects.ts'
import { GRAPH_APP_ID, OIDC_SCOPES } from '../microsoft-apps.ts'
import type { Entra } from './entra.ts'
import * as refusals from './refusals.ts'
import type { ScopeRequest } from './session.ts'

/** A bare scope is one of Microsoft Graph's: AADSTS650053 then names Graph, to many people's surprise. */
function split(scope: string): { prefix: string; name: string } {
  const slash = scope.lastIndexOf('/')
  return slash < 0
    ? { prefix: 'https://graph.microsoft.com', name: scope }
    : { prefix: scope.slice(0, slash), name: scope.slice(slash + 1) }
}

const isOidc = (scope: string) => Object.hasOwn(OIDC_SCOPES, scope)

/**
 * What is asked for, and of whom. `target` is RFC 8707's `resource`, as Entra takes it since March 2026: an
 * identifier URI of the app that owns the scope, equal character by character, or AADSTS9010010
 * (microsoft/vscode#321249). Throws AADSTS900144, 500011, 28000, 70011 or 650053 as well.
 */
export function resolveScopes(
  { directory, tenantId }: Entra,
  client: Application,
  scope: string,
  target: string | undefined,
): ScopeRequest {
  const asked = scope.split(' ').filter((name) => name !== '')
  if (asked.length === 0) throw refusals.request.missing({ name: 'scope' })
  const oidc = asked.filter(isOidc)
  const others = asked.filter((name) => !isOidc(name)).map(split)
  const resourceName = others[0]?.prefix ?? 'https://graph.microsoft.com'
  const resources = others.map(({ prefix }) => {
    const found = directory.resource(prefix)
    if (!found) throw refusals.scope.unknownResource({ name: prefix, tenant: tenantId })
    return found
  })
  const resource = resources[0] ?? directory.resource(GRAPH_APP_ID)
  if (!resource) throw refusals.scope.unknownResource({ name: resourceName, tenant: tenantId })
  // Entra's authorize endpoint takes scopes of many resources; its token endpoint refuses the same string.
  if (resources.some((other) => other !== resource))
    throw refusals.scope.manyResources({ scopes: asked.join(' ') })
  const names = others.map(({ name }) => name)
  const isDefault = names.includes('.default')
  if (isDefault && names.some((name) => name !== '.default'))
    throw refusals.scope.mixedDefault({ scopes: asked.join(' ') })
  const scopes = isDefault ? [] : names
  for (const name of scopes) mustExist(client, resource, name)
  if (target !== undefined && !resource.identifierUris.includes(target)) throw refusals.scope.wrongTarget()
  return { resource, resourceName, scopes, isDefault, oidc }
}

function mustExist(client: Application, resource: Application, name: string): void {
  const known = resource.api.oauth2PermissionScopes.some(
    ({ value, isEnabled }) => isEnabled && value === name,
  )
  if (!known)
    throw refusals.scope.unknownScope({ displayName: client.displayName, name, resourceId: resource.appId })
}
