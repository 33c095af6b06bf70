import { errors } from 'jose'
import { z } from 'zod'
import { ApiRefusal } from '../api.ts'
import type { Directory } from '../directory.ts'
import { type Entra, issuerV1, verifiedClaims } from '../entra/entra.ts'
import { unauthorized } from './errors.ts'
import type { RoleAssignment } from './subscription.ts'

/** Documentation: Azure Resource Manager takes tokens for either of its names, and for its application id. */
const AUDIENCES = [
  ...['https://management.azure.com', 'https://management.azure.com/'],
  ...['https://management.core.windows.net', 'https://management.core.windows.net/'],
  '797f4846-ba00-4fd7-ba43-dac1f8f63013',
]

const Claims = z.object({ oid: z.guid(), scp: z.string().optional(), idtyp: z.literal('app').optional() })

/** Object id of whoever calls: a user through `user_impersonation`, or an app as itself. Throws an ApiRefusal (401). */
export async function callerOf(entra: Entra, authorization: string | undefined): Promise<string> {
  if (authorization === undefined)
    throw unauthorized(
      'AuthenticationFailed',
      "Authentication failed. The 'Authorization' header is missing.",
    )
  const [, token] = /^Bearer (\S+)$/i.exec(authorization) ?? []
  if (token === undefined)
    throw unauthorized('AuthenticationFailedInvalidHeader', "The 'Authorization' header is invalid.")
  const claims = Claims.safeParse(await verified(entra, token))
  if (!claims.success)
    throw unauthorized('InvalidAuthenticationToken', 'The access token lacks a required claim.')
  const { oid, scp, idtyp } = claims.data
  const delegated = scp?.split(' ').includes('user_impersonation') && entra.directory.user(oid)
  if (!delegated && idtyp !== 'app')
    throw unauthorized('InvalidAuthenticationToken', 'The access token has no user_impersonation.')
  return oid
}

async function verified(entra: Entra, token: string): Promise<unknown> {
  try {
    return await verifiedClaims(entra, token, { issuer: issuerV1(entra), audience: AUDIENCES })
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw unauthorized('ExpiredAuthenticationToken', 'The access token expiry is in the past.')
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud')
      throw unauthorized('InvalidAuthenticationTokenAudience', 'The access token has the wrong audience.')
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'iss')
      throw unauthorized('InvalidAuthenticationTokenTenant', 'The access token is from the wrong issuer.')
    throw unauthorized('InvalidAuthenticationToken', 'The access token is invalid.')
  }
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
