import { z } from 'zod'
import type { Directory } from '../directory.ts'
import type { Application, User } from '../directory-objects.ts'
import * as refusals from './refusals.ts'

/** The authentication context that a token carries once its user gave a second factor. */
export const STEP_UP = 'c1'

/** Throws AADSTS500341, 50057 or 50105: may this person use this client and this resource at all? */
export function admit(
  directory: Directory,
  userId: string,
  client: Application,
  resource: Application,
): User {
  const user = directory.users.find(({ id }) => id === userId)
  if (!user) throw refusals.principal.gone()
  if (!user.accountEnabled) throw refusals.principal.disabled()
  for (const app of [client, resource]) {
    const principal = directory.servicePrincipal(app.appId)
    if (!principal?.appRoleAssignmentRequired) continue
    if (directory.assignments(userId, principal.id).length === 0)
      throw refusals.principal.unassigned(app, user)
  }
  return user
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
    })
    .optional(),
})

/** Reads the `claims` parameter: is a step-up demanded? Throws AADSTS90100 for what is no claims request. */
export function demandsStepUp(claims: string | undefined): boolean {
  if (claims === undefined) return false
  const parsed = ClaimsRequest.safeParse(parseJson(claims))
  if (!parsed.success) throw refusals.request.badParameter('claims')
  const acrs = parsed.data.access_token?.acrs
  return acrs?.value === STEP_UP || (acrs?.values?.includes(STEP_UP) ?? false)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
