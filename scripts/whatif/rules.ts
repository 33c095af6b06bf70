/** One function for each rule: the reason why it applies, or nothing. */

import type { GraphType } from '../bicep/declared.ts'
import { Unknown } from '../bicep/value.ts'
import type { Fact } from './risk.ts'
import { hostOf, isOnLoopback, isUnsafeRedirect } from './uris.ts'

const isOf = ({ type, difference }: Fact, wanted: GraphType, ...places: string[]) =>
  type === wanted && places.includes(difference.place)
const isAdded = ({ difference: { action } }: Fact) => action !== 'remove'
const texts = (value: unknown) =>
  typeof value === 'string'
    ? value
    : value instanceof Unknown
      ? value.text
      : value === undefined
        ? ''
        : String(value)
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
const CREDENTIALS = 'applications/federatedIdentityCredentials'

/** One requested permission, or an API with several of them. */
function hasRole(requested: unknown): boolean {
  const inner = field(requested, 'resourceAccess')
  const all: unknown[] = Array.isArray(inner) ? inner : [requested]
  return all.some((one) => one === 'Role' || field(one, 'type') === 'Role')
}

export const consent = (fact: Fact) =>
  isOf(fact, 'oauth2PermissionGrants', 'scope') &&
  isAdded(fact) &&
  fact.wanted.consentType === 'AllPrincipals'
    ? `${texts(fact.difference.after)} is granted for every user of the tenant, without a prompt.`
    : undefined

export const consentOfOne = (fact: Fact) =>
  isOf(fact, 'oauth2PermissionGrants', 'scope') && isAdded(fact)
    ? `${texts(fact.difference.after)} is granted for one user, without a prompt.`
    : undefined

export function applicationPermission(fact: Fact): string | undefined {
  const { difference, wanted, assignee, isUserRole } = fact
  if (!isAdded(fact)) return undefined
  if (difference.place.startsWith('requiredResourceAccess') && hasRole(difference.after))
    return 'Asks for an application permission, which only an administrator can grant.'
  if (!isOf(fact, 'appRoleAssignedTo', 'appRoleId') || assignee === 'people' || isUserRole) return undefined
  if (wanted.appRoleId !== NO_ROLE) return 'An application permission: it works without any user.'
  return assignee === 'service'
    ? `${fact.nameOf(wanted.principalId)} is a service: it needs no user.`
    : undefined
}

export function federation(fact: Fact): string | undefined {
  if (fact.type !== CREDENTIALS || !isAdded(fact)) return undefined
  const { place, after } = fact.difference
  const [isIdentity, isClaim] = [place === 'subject', place === 'claimsMatchingExpression.value']
  // Once is enough for a new one; an expression takes the place of the subject.
  if (fact.isNew)
    return isIdentity || isClaim
      ? `A new identity may sign in as this app: ${place} ${texts(after)}.`
      : undefined
  return place === 'description'
    ? undefined
    : `Another identity may sign in as this app: ${place} ${texts(after)}.`
}

export function credential(fact: Fact): string | undefined {
  const [list] = /^(passwordCredentials|keyCredentials)/.exec(fact.difference.place) ?? []
  if (list === undefined || (fact.isNew && isEmpty(fact.difference.after))) return undefined
  const what = list === 'passwordCredentials' ? 'knows this secret' : 'holds the private key'
  return isAdded(fact)
    ? `Whoever ${what} signs in as the app until it is removed.`
    : `Is taken away; until then whoever ${what} signs in as the app.`
}

export function lock(fact: Fact): string | undefined {
  const { place, after } = fact.difference
  return place.startsWith('servicePrincipalLockConfiguration') && after !== true
    ? 'Without the lock the service principal can be given credentials of its own.'
    : undefined
}

export function audience(fact: Fact): string | undefined {
  if (!isOf(fact, 'applications', 'signInAudience')) return undefined
  const rank = (value: unknown) => AUDIENCES.indexOf(texts(value))
  const { before, after } = fact.difference
  return rank(after) < 0 || rank(after) > Math.max(rank(before ?? 'AzureADMyOrg'), 0)
    ? `Accounts from outside the tenant may sign in (${texts(after)}).`
    : undefined
}

export function signIn(fact: Fact): string | undefined {
  const { before, after } = fact.difference
  if (fact.isNew && after === true) return undefined
  if (isOf(fact, 'servicePrincipals', 'appRoleAssignmentRequired'))
    return after === true
      ? 'Whoever is not assigned gets no tokens any more.'
      : fact.isNew || before !== true
        ? undefined
        : 'Every user of the tenant gets tokens, not only assigned ones.'
  if (!isOf(fact, 'servicePrincipals', 'accountEnabled')) return undefined
  return after === true ? 'Sign-in is switched on again.' : 'Nobody gets tokens any more.'
}

export function token(fact: Fact): string | undefined {
  const { place, after } = fact.difference
  if (place === 'api.requestedAccessTokenVersion' && after !== 2)
    return 'Tokens of version 1: another issuer, another audience, and unverified identifier URIs are refused.'
  if (place === 'api.acceptMappedClaims' && after === true)
    return 'Claims of the token may be replaced by what somebody maps to them.'
  return place.startsWith('optionalClaims') && !isEmpty(after)
    ? 'Other claims get into the tokens that the server trusts.'
    : undefined
}

export function flow(fact: Fact): string | undefined {
  const { place, after } = fact.difference
  if (after !== true) return undefined
  if (place.startsWith('web.implicitGrantSettings')) return 'Tokens are handed out in the address of a page.'
  if (place === 'isFallbackPublicClient')
    return 'Anybody may use the app as a public client, without a secret.'
  return place === 'isDeviceOnlyAuthSupported' ? 'Devices sign in without a user.' : undefined
}

export const owner = (fact: Fact) =>
  fact.difference.place === 'owners' && fact.difference.action === 'add'
    ? `${fact.nameOf(fact.difference.after)} may change the object and add credentials to it.`
    : undefined

export const adoption = ({ difference: { place, action }, isAdopted }: Fact) =>
  place === 'tags' && action === 'add' && isAdopted
    ? "The object is there already and does not carry this environment's tags: it is somebody else's, or somebody took them off."
    : undefined

const ADDRESSES = [
  ...['identifierUris', 'web.redirectUris', 'spa.redirectUris', 'publicClient.redirectUris'],
  ...['publicClient.redirectUriSettings', 'web.redirectUriSettings', 'defaultRedirectUri'],
]
const addressOf = (fact: Fact): string | undefined =>
  isOf(fact, 'applications', ...ADDRESSES) && isAdded(fact) && !isEmpty(fact.difference.after)
    ? texts(fact.difference.after)
    : undefined

/** Neither made by this deployment nor this machine nor known of the object. */
function isStrange(uri: string, { difference: { after }, hosts, domains, tenantId }: Fact): boolean {
  if (isOnLoopback(uri)) return false
  if (after instanceof Unknown && after.isMade) return false
  const host = hostOf(uri)
  if (domains.some((domain) => host.endsWith(`.${domain}`))) return false
  return host.includes('{') || !(hosts.has(host) || host === tenantId)
}

const receives = ({ difference: { place } }: Fact) =>
  place === 'identifierUris' ? 'Tokens for' : 'Authorization codes go to'

export function foreignAddress(fact: Fact): string | undefined {
  const uri = addressOf(fact)
  if (uri === undefined) return undefined
  if (fact.difference.place !== 'identifierUris' && isUnsafeRedirect(uri))
    return 'Authorization codes go to an address that is neither https nor this machine.'
  // api://name has no host: what is after it is a name in this tenant.
  if (/^(api|urn):/i.test(uri) || !isStrange(uri, fact) || (fact.isNew && !fact.isTrusted)) return undefined
  return `${receives(fact)} ${hostOf(uri)}, a host that the object did not use before.`
}

export function newAddress(fact: Fact): string | undefined {
  const uri = addressOf(fact)
  if (uri === undefined) return undefined
  if (/^api:/i.test(uri) && !fact.isNew) return `${uri} becomes a name of this API.`
  return !/^(api|urn):/i.test(uri) && isStrange(uri, fact) ? `${receives(fact)} ${hostOf(uri)}.` : undefined
}

export const knownAddress = (fact: Fact) =>
  addressOf(fact) === undefined
    ? undefined
    : 'On a host that this deployment makes, that is used already, or on this machine.'

const PREAUTHORIZED = 'api.preAuthorizedApplications'
export const preAuthorized = (fact: Fact) =>
  isOf(fact, 'applications', PREAUTHORIZED, `${PREAUTHORIZED}.delegatedPermissionIds`) &&
  fact.difference.action === 'add'
    ? 'This client gets tokens for signed-in users without a consent prompt.'
    : undefined

export const requested = (fact: Fact) =>
  fact.difference.place.startsWith('requiredResourceAccess') && fact.difference.action === 'add'
    ? 'Is asked for at a consent; nothing is granted by it.'
    : undefined

export const scope = (fact: Fact) =>
  isOf(fact, 'applications', 'api.oauth2PermissionScopes', 'appRoles') && fact.difference.action === 'add'
    ? `A new ${fact.difference.place === 'appRoles' ? 'role' : 'scope'} that callers can be given.`
    : isOf(fact, 'applications', 'api.oauth2PermissionScopes.isEnabled', 'appRoles.isEnabled') &&
        fact.difference.after === true
      ? 'Callers can be given it again.'
      : undefined

export const member = (fact: Fact) =>
  isOf(fact, 'groups', 'members') && fact.difference.action === 'add'
    ? `${fact.nameOf(fact.difference.after)} gets what the group has.`
    : undefined

export const assigned = (fact: Fact) =>
  isOf(fact, 'appRoleAssignedTo', 'appRoleId') && isAdded(fact)
    ? `${fact.nameOf(fact.wanted.principalId)} may use the app.`
    : undefined

export const TEXTS =
  /(^|\.)(displayName|description|notes|tags|info\.\w+|homePageUrl|logoutUrl|logo|\w+ConsentDisplayName|\w+ConsentDescription|serviceManagementReference|mailNickname)$/
export const text = ({ difference }: Fact) =>
  TEXTS.test(difference.place) ? 'A text, a tag or a page: nobody gets access by it.' : undefined

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && !(value instanceof Unknown) && Object.values(value).every(isEmpty))

/** What a new object may say without anybody getting access by it; the rest of the rules come before. */
const PLAIN_PARTS: Partial<Record<GraphType, readonly string[]>> = {
  applications: [
    ...['uniqueName', 'signInAudience', 'api.requestedAccessTokenVersion', 'groupMembershipClaims'],
    ...['servicePrincipalLockConfiguration.isEnabled', 'servicePrincipalLockConfiguration.allProperties'],
    ...['servicePrincipalLockConfiguration.credentialsWithUsageSign'],
    ...['servicePrincipalLockConfiguration.credentialsWithUsageVerify'],
    ...['servicePrincipalLockConfiguration.tokenEncryptionKeyId'],
  ],
  servicePrincipals: ['appId', 'accountEnabled', 'appRoleAssignmentRequired'],
  groups: ['uniqueName', 'mailEnabled', 'securityEnabled', 'visibility', 'groupTypes'],
  [CREDENTIALS]: ['name', 'issuer', 'audiences', 'subject'],
}

export function newObject({ type, isNew, difference }: Fact): string | undefined {
  if (!isNew || difference.action === 'remove') return undefined
  return isEmpty(difference.after) || PLAIN_PARTS[type]?.includes(difference.place)
    ? 'Part of a new object.'
    : undefined
}

/** Lists from which something can go without anybody getting more. */
const SHRINKING = [
  ...ADDRESSES,
  PREAUTHORIZED,
  `${PREAUTHORIZED}.delegatedPermissionIds`,
  ...['api.oauth2PermissionScopes', 'api.knownClientApplications', 'appRoles', 'appRoles.allowedMemberTypes'],
  ...[
    'requiredResourceAccess',
    'requiredResourceAccess.resourceAccess',
    'optionalClaims',
    'members',
    'owners',
  ],
  ...['scope', 'appRoleId'],
]
/** Switches by the value that gives less. */
const SAFER: Readonly<Record<string, unknown>> = {
  'api.oauth2PermissionScopes.isEnabled': false,
  'api.oauth2PermissionScopes.type': 'Admin',
  'appRoles.isEnabled': false,
  'api.requestedAccessTokenVersion': 2,
  'api.acceptMappedClaims': false,
  isFallbackPublicClient: false,
  'web.implicitGrantSettings.enableAccessTokenIssuance': false,
  'web.implicitGrantSettings.enableIdTokenIssuance': false,
  signInAudience: 'AzureADMyOrg',
  'servicePrincipalLockConfiguration.isEnabled': true,
  'servicePrincipalLockConfiguration.allProperties': true,
  'servicePrincipalLockConfiguration.credentialsWithUsageSign': true,
  'servicePrincipalLockConfiguration.credentialsWithUsageVerify': true,
  'servicePrincipalLockConfiguration.tokenEncryptionKeyId': true,
  groupMembershipClaims: 'None',
}

export function narrower({ difference: { place, action, after, before } }: Fact): string | undefined {
  const shrinks = SHRINKING.some((list) => place === list || place.startsWith(`${list}.`))
  if (shrinks && (action === 'remove' || (isEmpty(after) && isEmpty(before)))) return 'Takes something away.'
  return place in SAFER && (after === SAFER[place] || (SAFER[place] === false && isEmpty(after)))
    ? 'Switches to the safer value.'
    : undefined
}
