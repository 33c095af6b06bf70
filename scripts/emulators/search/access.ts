import { bearerClaims } from '../api.ts'
import type { Entra } from '../entra/entra.ts'
import { badRequest, forbidden, unauthorized } from './refusal.ts'

/** What the data plane tells apart. */
export type Right = 'define' | 'write' | 'query'

/** Source: "Connect to Azure AI Search using roles": no role contains another. */
const ROLES = {
  'Search Service Contributor': ['define'],
  'Search Index Data Contributor': ['write', 'query'],
  'Search Index Data Reader': ['query'],
} as const satisfies Record<string, readonly Right[]>

/** One role assignment on the service. */
export type SearchRole = Readonly<{ principalId: string; role: keyof typeof ROLES }>

/** Source: the scope `https://search.azure.com/.default` of the same page and of the SDK, KnownSearchAudience. */
const AUDIENCE = 'https://search.azure.com'

/**
 * Authorises the call by the bearer token's role assignments. Throws 401 for a token that is none, 403 for a missing
 * role. Keys are refused: local authentication is off (infra/search.bicep).
 */
export async function demand(
  entra: Entra,
  roles: readonly SearchRole[],
  authorization: string | undefined,
  right: Right,
): Promise<void> {
  const { oid } = await bearerClaims(entra, authorization, AUDIENCE, unauthorized)
  const held = roles.filter(({ principalId }) => principalId === oid)
  const rights: Right[] = held.flatMap(({ role }) => ROLES[role])
  if (!rights.includes(right)) throw forbidden()
}

/** Whose documents a query may find. Groups as Microsoft Graph knows them, transitive. */
export type Reader = Readonly<{ userId: string; groupIds: readonly string[] }>

/**
 * The user of `x-ms-query-source-authorization`; undefined: the header is absent. Source: "Query-time ACL and RBAC
 * enforcement": the user is the token's `oid`, the groups are asked of Microsoft Graph. The sample of that page sends
 * the token raw. Which status a bad one gets is not said: 400, as for every header in error ("HTTP status codes").
 */
export async function readerOf(entra: Entra, header: string | undefined): Promise<Reader | undefined> {
  if (header === undefined) return undefined
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(header))
    throw badRequest('x-ms-query-source-authorization is not a raw JWT.')
  // The text is that of the service for a token of another API (Azure/azure-sdk-for-python#42540).
  const refuse = () => badRequest('Audience claim is invalid in the JWT token.')
  const { oid, scopes } = await bearerClaims(entra, `Bearer ${header}`, AUDIENCE, refuse)
  // The page speaks of users; what an app's token would find is not said.
  const user = scopes.includes('user_impersonation') ? entra.directory.user(oid) : undefined
  if (!user) throw badRequest('x-ms-query-source-authorization is not the token of a user.')
  return { userId: user.id, groupIds: entra.directory.transitiveGroups(user.id).map(({ id }) => id) }
}
