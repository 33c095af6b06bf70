/** Why a difference is dangerous: one function for each rule, with its reason or nothing. */
import type { GraphType } from '../bicep/declared.ts'
import type { Difference } from './comparison.ts'
import { Open } from './open.ts'
import type { Fact } from './risk.ts'
import { hostOf, isForeign, isUnsafeRedirect } from './uris.ts'

const isOf = ({ type, difference }: Fact, wanted: GraphType, ...places: string[]) =>
  type === wanted && places.includes(difference.place)
const isAdded = ({ difference: { action } }: Fact) => action !== 'remove'
const texts = (value: unknown) =>
  typeof value === 'string' ? value : value instanceof Open ? value.text : ''
const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([one]) => one === name)?.[1]
    : undefined

const AUDIENCES = [
  'AzureADMyOrg',
  'AzureADMultipleOrgs',
  'PersonalMicrosoftAccount',
  'AzureADandPersonalMicrosoftAccount',
]
const NO_ROLE = '00000000-0000-0000-0000-000000000000'

/** One requested permission, or an API with several of them. */
function hasRole(requested: unknown): boolean {
  const inner = field(requested, 'resourceAccess')
  const all: unknown[] = Array.isArray(inner) ? inner : [requested]
  return all.some((one) => one === 'Role' || field(one, 'type') === 'Role')
}

export function consent(fact: Fact): string | undefined {
  const { difference, wanted } = fact
  if (!isAdded(fact)) return undefined
  if (isOf(fact, 'oauth2PermissionGrants', 'scope') && wanted.consentType === 'AllPrincipals')
    return `${texts(difference.after)} is granted for every user of the tenant, without a prompt.`
  if (isOf(fact, 'appRoleAssignedTo', 'appRoleId') && wanted.appRoleId !== NO_ROLE && !fact.isForPeople)
    return 'An application permission: it works without any user.'
  if (difference.place.startsWith('requiredResourceAccess') && hasRole(difference.after))
    return 'Asks for an application permission, which only an administrator can grant.'
  return undefined
}

export function federation(fact: Fact): string | undefined {
  const isSubject = isOf(fact, 'applications/federatedIdentityCredentials', 'subject', 'issuer', 'audiences')
  if (!isSubject || !isAdded(fact)) return undefined
  // Once is enough for a new one.
  if (!fact.live && fact.difference.place !== 'subject') return undefined
  return `${fact.live ? 'Another' : 'A new'} identity may sign in as this app: ${fact.difference.place} ${texts(fact.difference.after)}.`
}

export function audience(fact: Fact): string | undefined {
  if (!isOf(fact, 'applications', 'signInAudience')) return undefined
  const rank = (value: unknown) => AUDIENCES.indexOf(texts(value))
  const { before, after } = fact.difference
  return rank(after) > Math.max(rank(before ?? 'AzureADMyOrg'), 0)
    ? `Accounts from outside the tenant may sign in (${texts(after)}).`
    : undefined
}

export const assignment = (fact: Fact) =>
  isOf(fact, 'servicePrincipals', 'appRoleAssignmentRequired') &&
  fact.difference.before === true &&
  fact.difference.after === false
    ? 'Every user of the tenant gets tokens, not only assigned ones.'
    : undefined

export function identifierUri(fact: Fact): string | undefined {
  if (!isOf(fact, 'applications', 'identifierUris') || fact.difference.action !== 'add') return undefined
  const uri = texts(fact.difference.after)
  return isForeign(uri, fact)
    ? `Tokens for ${hostOf(uri)}, a host that this deployment does not make.`
    : undefined
}

export const owner = (fact: Fact) =>
  fact.difference.place === 'owners' && fact.difference.action === 'add'
    ? `${fact.nameOf(fact.difference.after)} may change the object and add credentials to it.`
    : undefined

export const password = (fact: Fact) =>
  isOf(fact, 'applications', 'passwordCredentials')
    ? 'Whoever knows this secret signs in as the app until it is removed.'
    : undefined

export const redirect = (fact: Fact) =>
  isOf(fact, 'applications', 'web.redirectUris', 'spa.redirectUris', 'publicClient.redirectUris') &&
  fact.difference.action === 'add' &&
  isUnsafeRedirect(texts(fact.difference.after))
    ? 'Authorization codes go to an address that is neither https nor this machine.'
    : undefined

const PREAUTHORIZED = 'api.preAuthorizedApplications'
export const preAuthorized = (fact: Fact) =>
  isOf(fact, 'applications', PREAUTHORIZED, `${PREAUTHORIZED}.delegatedPermissionIds`) &&
  fact.difference.action === 'add'
    ? 'This client gets tokens for signed-in users without a consent prompt.'
    : undefined

export const scope = (fact: Fact) =>
  isOf(fact, 'applications', 'api.oauth2PermissionScopes', 'appRoles') && fact.difference.action === 'add'
    ? `A new ${fact.difference.place === 'appRoles' ? 'role' : 'scope'} that callers can be given.`
    : undefined

export const member = (fact: Fact) =>
  isOf(fact, 'groups', 'members') && fact.difference.action === 'add'
    ? `${fact.nameOf(fact.difference.after)} gets what the group has.`
    : undefined

export const assigned = (fact: Fact) =>
  isOf(fact, 'appRoleAssignedTo', 'appRoleId')
    ? `${fact.nameOf(fact.wanted.principalId)} may use the app.`
    : undefined

export const TEXTS =
  /(^|\.)(displayName|description|notes|tags|\w+ConsentDisplayName|\w+ConsentDescription|serviceManagementReference|mailNickname)$/
export const isTightened = ({ place, after }: Difference) =>
  (place === 'appRoleAssignmentRequired' && after === true) ||
  (/(^|\.)(isEnabled|accountEnabled)$/.test(place) && after === false)
