import { z } from 'zod'
import { DIRECTORY_ROLES, type Directory } from '../directory.ts'
import type { Application, User } from '../directory-objects.ts'
import * as refusals from './refusals.ts'
import type { ScopeRequest } from './session.ts'

/** The authentication context that a token carries once its user gave a second factor. */
export const STEP_UP = 'c1'

/** Throws AADSTS500341 or 50057: may this person sign in at all? */
export function enabledUser(directory: Directory, userId: string): User {
  const user = directory.users.find(({ id }) => id === userId)
  if (!user) throw refusals.principal.gone()
  if (!user.accountEnabled) throw refusals.principal.disabled()
  return user
}

/** Throws AADSTS500341, 50057 or 50105: may this person use this client and this resource at all? */
export function admit(
  directory: Directory,
  userId: string,
  client: Application,
  resource: Application,
): User {
  const user = enabledUser(directory, userId)
  for (const app of [client, resource])
    if (!isAssigned(directory, userId, app))
      throw refusals.principal.unassigned({ ...app, userPrincipalName: user.userPrincipalName })
  return user
}

/** To an app that asks for no assignment everybody is. */
export function isAssigned(directory: Directory, principalId: string, { appId }: Application): boolean {
  const app = directory.servicePrincipal(appId)
  return !app?.appRoleAssignmentRequired || directory.assignments(principalId, app.id).length > 0
}

/** Does Conditional Access ask this user for a second factor before they reach this resource? */
export const asksForStepUp = (directory: Directory, userId: string, { appId }: Application) =>
  directory.conditionalAccessPolicies.some(
    ({ state, conditions }) =>
      state === 'enabled' &&
      conditions.users.includeUsers.includes(userId) &&
      conditions.applications.includeApplications.includes(appId),
  )

/** What AADSTS50076 carries and a client hands to the authorize endpoint as `claims`. */
export const stepUpClaims = JSON.stringify({ access_token: { acrs: { essential: true, value: STEP_UP } } })

const ClaimsRequest = z.object({
  access_token: z
    .object({
      acrs: z.object({ value: z.string().optional(), values: z.array(z.string()).optional() }).optional(),
      xms_cc: z.object({ values: z.array(z.string()) }).optional(),
    })
    .optional(),
})

/** Reads the `claims` parameter: is a step-up demanded? Throws AADSTS90100 for what is no claims request. */
export function demandsStepUp(claims: string | undefined): boolean {
  const acrs = requestedClaims(claims).access_token?.acrs
  return acrs?.value === STEP_UP || (acrs?.values?.includes(STEP_UP) ?? false)
}

/** What the client says that it can do, `cp1`: it answers claims challenges. Source: "Claims challenges, client capabilities". */
export const capabilitiesIn = (claims: string | undefined): string[] =>
  requestedClaims(claims).access_token?.xms_cc?.values ?? []

function requestedClaims(claims = '{}'): z.infer<typeof ClaimsRequest> {
  try {
    return ClaimsRequest.parse(JSON.parse(claims))
  } catch {
    throw refusals.request.badParameter({ name: 'claims' })
  }
}

/** Scopes that the client has on the resource: `granted` by an administrator or this user, and all that are `allowed`. */
function scopesOf(directory: Directory, client: Application, resource: Application, userId: string) {
  const clientId = directory.servicePrincipal(client.appId)?.id
  const resourceId = directory.servicePrincipal(resource.appId)?.id
  const grants = directory.oauth2PermissionGrants.filter(
    (grant) =>
      grant.clientId === clientId &&
      grant.resourceId === resourceId &&
      (grant.consentType === 'AllPrincipals' || grant.principalId === userId),
  )
  const granted = grants.flatMap(({ scope }) => scope.split(' ')).filter((scope) => scope !== '')
  return { granted, allowed: new Set([...granted, ...preAuthorized(client, resource)]) }
}

/** Scopes that the resource's owner lets this client have without asking anybody. */
function preAuthorized(client: Application, { api }: Application): string[] {
  const ids = api.preAuthorizedApplications
    .filter(({ appId }) => appId === client.appId)
    .flatMap(({ delegatedPermissionIds }) => delegatedPermissionIds)
  return api.oauth2PermissionScopes
    .filter(({ id, isEnabled }) => isEnabled && ids.includes(id))
    .map(({ value }) => value)
}

/** All that is registered as needed, on every resource: what `.default` drags in when nothing was granted yet. */
function lacksRegistered(directory: Directory, client: Application, userId: string): boolean {
  return client.requiredResourceAccess.some(({ resourceAppId, resourceAccess }) => {
    const resource = directory.resource(resourceAppId)
    if (!resource) return true
    const { allowed } = scopesOf(directory, client, resource, userId)
    const wanted = resourceAccess.filter(({ type }) => type === 'Scope').map(({ id }) => id)
    return resource.api.oauth2PermissionScopes.some(
      ({ id, value }) => wanted.includes(id) && !allowed.has(value),
    )
  })
}

/**
 * The scopes of the token: those asked for and, as at Entra, whatever else was granted on the resource.
 * openid, profile, email and offline_access are never refused, a simplification. Throws AADSTS65001 (65002 between two
 * of Microsoft's own apps): there is no consent page here. With `page`, where a person could consent, AADSTS90094 for a
 * scope of type Admin that somebody asks for who is none (documentation, "AADSTS error codes").
 */
export function consentedScopes(
  directory: Directory,
  client: Application,
  { resource, scopes, isDefault }: ScopeRequest,
  userId: string,
  { page = false } = {},
): string[] {
  const { granted, allowed } = scopesOf(directory, client, resource, userId)
  const refused = isDefault
    ? allowed.size === 0 || (granted.length === 0 && lacksRegistered(directory, client, userId))
    : scopes.some((scope) => !allowed.has(scope))
  if (!refused) return [...(isDefault ? allowed : new Set([...scopes, ...granted]))]
  const firstParty = directory.isFirstParty(client.appId) && directory.isFirstParty(resource.appId)
  if (firstParty) throw refusals.scope.notPreauthorized({ appId: client.appId, resourceId: resource.appId })
  const isAdminOnly = ({ value, type }: { value: string; type: string }) =>
    type === 'Admin' && scopes.includes(value) && !allowed.has(value)
  throw page && !mayConsent(directory, userId) && resource.api.oauth2PermissionScopes.some(isAdminOnly)
    ? refusals.scope.adminOnly(client)
    : refusals.scope.noConsent(client)
}

/** Documentation, "Grant tenant-wide admin consent": the roles that may. */
export const mayConsent = (directory: Directory, userId: string) => {
  const held = directory.rolesOf(userId)
  return CONSENTING.some((role) => held.has(DIRECTORY_ROLES[role]))
}
const CONSENTING = [
  ...(['Global Administrator', 'Privileged Role Administrator'] as const),
  ...(['Application Administrator', 'Cloud Application Administrator'] as const),
]
