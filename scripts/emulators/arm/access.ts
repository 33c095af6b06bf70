import { ApiRefusal, bearerClaims, type TokenFault } from '../api.ts'
import type { Directory } from '../directory.ts'
import type { Entra } from '../entra/entra.ts'
import { unauthorized } from './errors.ts'

/** Documentation: Azure Resource Manager takes tokens for either of its names, and for its application id. */
const AUDIENCES = [
  ...['https://management.azure.com', 'https://management.azure.com/'],
  ...['https://management.core.windows.net', 'https://management.core.windows.net/'],
  '797f4846-ba00-4fd7-ba43-dac1f8f63013',
]

const FAULTS: Readonly<Record<TokenFault, [code: string, message: string]>> = {
  missing: ['AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing."],
  malformed: ['AuthenticationFailedInvalidHeader', "The 'Authorization' header is invalid."],
  expired: ['ExpiredAuthenticationToken', 'The access token expiry is in the past.'],
  audience: ['InvalidAuthenticationTokenAudience', 'The access token has the wrong audience.'],
  issuer: ['InvalidAuthenticationTokenTenant', 'The access token is from the wrong issuer.'],
  signature: ['InvalidAuthenticationToken', 'The access token is invalid.'],
  claims: ['InvalidAuthenticationToken', 'The access token lacks a required claim.'],
}
const refuse = (fault: TokenFault) => unauthorized(...FAULTS[fault])

/** Object id of whoever calls: a user through `user_impersonation`, or an app as itself. Throws an ApiRefusal (401). */
export async function callerOf(entra: Entra, authorization: string | undefined): Promise<string> {
  const { oid, scopes, idtyp } = await bearerClaims(entra, authorization, AUDIENCES, refuse)
  const delegated = scopes.includes('user_impersonation') && entra.directory.user(oid)
  if (!delegated && idtyp !== 'app')
    throw unauthorized('InvalidAuthenticationToken', 'The access token has no user_impersonation.')
  return oid
}

/** A role of Azure on a subscription; `principalId` is a user, a group or a service principal. */
export interface RoleAssignment {
  principalId: string
  role: string
  subscription: string
}

/** Built-in roles that read costs: they hold `Microsoft.CostManagement/{any}/read` or more. */
const READS_COSTS = [
  ...['Owner', 'Contributor', 'Reader', 'Billing Reader'],
  ...['Cost Management Reader', 'Cost Management Contributor'],
]

/**
 * Role assignments of the caller and of the groups that they are in, nested ones too. Throws an ApiRefusal: 403 by Azure
 * Resource Manager for who has no role at all, 401 `RBACAccessDenied` by the provider for who has another one. Both
 * are reported (Azure/azqr#68, #277); which comes when is inferred.
 */
export function requireCostReader(
  directory: Directory,
  oid: string,
  subscription: string,
  assignments: readonly RoleAssignment[],
): void {
  const principals = [oid, ...directory.transitiveGroups(oid).map(({ id }) => id)]
  const roles = assignments
    .filter((one) => one.subscription === subscription && principals.includes(one.principalId))
    .map(({ role }) => role)
  const scope = `/subscriptions/${subscription}`
  if (roles.length === 0)
    throw new ApiRefusal(
      403,
      'AuthorizationFailed',
      `The client '${oid}' with object id '${oid}' does not have authorization to perform action 'Microsoft.CostManagement/query/read' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    )
  if (!roles.some((role) => READS_COSTS.includes(role)))
    throw new ApiRefusal(401, 'RBACAccessDenied', 'The client does not have authorization to perform action.')
}
