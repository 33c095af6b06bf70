/** How dangerous one difference is, and why: high, unless a rule says that it is less. */
import type { GraphType } from '../bicep/declared.ts'
import type { Value } from '../bicep/value.ts'
import type { Difference, PendingValue } from './difference.ts'
import { isEmpty, readProperty } from './properties.ts'
import { type Fact, type Grade, isAdded, isAt, NO_ROLE, type Risk, writeText } from './risk.ts'
import { ADDRESSES, judgeForeignAddress, judgeKnownAddress, judgeNewAddress } from './risk-addresses.ts'

interface Rule {
  grade: Grade
  name: string
  /** The reason when the rule applies. */
  judge: (fact: Fact) => string | false | undefined
}

const high = (name: string, judge: Rule['judge']): Rule => ({ grade: 'high', name, judge })
const medium = (name: string, judge: Rule['judge']): Rule => ({ grade: 'medium', name, judge })
const low = (name: string, judge: Rule['judge']): Rule => ({ grade: 'low', name, judge })

const CREDENTIALS = 'applications/federatedIdentityCredentials'
const PREAUTHORIZED = 'api.preAuthorizedApplications'

/** One requested permission, or an API with several of them. */
function hasRole(requested: Value | undefined): boolean {
  const inner = readProperty(requested, 'resourceAccess')
  const all = Array.isArray(inner) ? inner : [requested]
  return all.some((one) => one === 'Role' || readProperty(one, 'type') === 'Role')
}

const AUDIENCES = [
  'AzureADMyOrg',
  'AzureADMultipleOrgs',
  'PersonalMicrosoftAccount',
  'AzureADandPersonalMicrosoftAccount',
]

/** Claims that only Entra fills, and that make a server more careful. */
const CAREFUL_CLAIMS: ReadonlyMap<unknown, string> = new Map([
  ['xms_cc', 'The token says which challenges its client can answer; nobody gets more by it.'],
  ['idtyp', 'The token says whether it is of an app without a user; nobody gets more by it.'],
])

export const TEXTS =
  /(^|\.)(displayName|description|notes|tags|info\.\w+|homePageUrl|logoutUrl|logo|\w+ConsentDisplayName|\w+ConsentDescription|serviceManagementReference|mailNickname)$/

const LOCK = 'servicePrincipalLockConfiguration'

/** What a new object may say without anybody getting access by it; the rest of the rules come before. */
const PLAIN_PARTS: Partial<Record<GraphType, readonly string[]>> = {
  applications: [
    ...['uniqueName', 'signInAudience', 'api.requestedAccessTokenVersion', 'groupMembershipClaims'],
    ...[`${LOCK}.isEnabled`, `${LOCK}.allProperties`, `${LOCK}.tokenEncryptionKeyId`],
    ...[`${LOCK}.credentialsWithUsageSign`, `${LOCK}.credentialsWithUsageVerify`],
  ],
  servicePrincipals: ['appId', 'accountEnabled', 'appRoleAssignmentRequired'],
  groups: ['uniqueName', 'mailEnabled', 'securityEnabled', 'visibility', 'groupTypes'],
  [CREDENTIALS]: ['name', 'issuer', 'audiences', 'subject', 'claimsMatchingExpression.languageVersion'],
}

/** Lists from which something can go without anybody getting more. */
const SHRINKING = [
  ...[...ADDRESSES, PREAUTHORIZED, `${PREAUTHORIZED}.delegatedPermissionIds`],
  ...['api.oauth2PermissionScopes', 'api.knownClientApplications', 'appRoles', 'appRoles.allowedMemberTypes'],
  ...['requiredResourceAccess', 'requiredResourceAccess.resourceAccess', 'optionalClaims', 'members'],
  ...['owners', 'scope', 'appRoleId'],
]
/** Switches by the value that gives less. */
const SAFER: Readonly<Record<string, Value>> = {
  'api.oauth2PermissionScopes.isEnabled': false,
  'api.oauth2PermissionScopes.type': 'Admin',
  'appRoles.isEnabled': false,
  'api.requestedAccessTokenVersion': 2,
  'api.acceptMappedClaims': false,
  isFallbackPublicClient: false,
  'web.implicitGrantSettings.enableAccessTokenIssuance': false,
  'web.implicitGrantSettings.enableIdTokenIssuance': false,
  signInAudience: 'AzureADMyOrg',
  [`${LOCK}.isEnabled`]: true,
  [`${LOCK}.allProperties`]: true,
  [`${LOCK}.credentialsWithUsageSign`]: true,
  [`${LOCK}.credentialsWithUsageVerify`]: true,
  [`${LOCK}.tokenEncryptionKeyId`]: true,
  groupMembershipClaims: 'None',
}

/** The first that applies counts. Those of high risk are here for their reasons: without them it would be high too. */
export const RULES: readonly Rule[] = [
  high('consent', (fact) =>
    isAt(fact, 'oauth2PermissionGrants', 'scope') &&
    isAdded(fact) &&
    fact.desired.consentType === 'AllPrincipals'
      ? `${writeText(fact.difference.after)} is granted for every user of the tenant, without a prompt.`
      : undefined,
  ),
  high('application-permission', (fact) => {
    const { difference, desired, assignee, isUserRole } = fact
    if (!isAdded(fact)) return undefined
    if (difference.place.startsWith('requiredResourceAccess') && hasRole(difference.after))
      return 'Asks for an application permission, which only an administrator can grant.'
    if (!isAt(fact, 'appRoleAssignedTo', 'appRoleId') || assignee === 'people' || isUserRole) return undefined
    if (desired.appRoleId !== NO_ROLE) return 'An application permission: it works without any user.'
    return assignee === 'service' && `${fact.nameOf(desired.principalId)} is a service: it needs no user.`
  }),
  high('federated-credential', (fact) => {
    if (fact.type !== CREDENTIALS || !isAdded(fact)) return undefined
    const { place, after } = fact.difference
    const isIdentity = place === 'subject' || place === 'claimsMatchingExpression.value'
    // Once is enough for a new one; an expression takes the place of the subject.
    if (fact.isNew ? !isIdentity : place === 'description') return undefined
    return `${fact.isNew ? 'A new' : 'Another'} identity may sign in as this app: ${place} ${writeText(after)}.`
  }),
  high('credential', (fact) => {
    const [list] = /^(passwordCredentials|keyCredentials)/.exec(fact.difference.place) ?? []
    if (list === undefined || (fact.isNew && isEmpty(fact.difference.after))) return undefined
    const what = list === 'passwordCredentials' ? 'knows this secret' : 'holds the private key'
    return isAdded(fact)
      ? `Whoever ${what} signs in as the app until it is removed.`
      : `Is taken away; until then whoever ${what} signs in as the app.`
  }),
  high('lock', ({ difference: { place, after } }) =>
    place.startsWith('servicePrincipalLockConfiguration') && after !== true
      ? 'Without the lock the service principal can be given credentials of its own.'
      : undefined,
  ),
  high('audience', (fact) => {
    if (!isAt(fact, 'applications', 'signInAudience')) return undefined
    const rank = (value: Value | undefined) => AUDIENCES.indexOf(writeText(value))
    const { before, after } = fact.difference
    const isWider = rank(after) < 0 || rank(after) > Math.max(rank(before ?? 'AzureADMyOrg'), 0)
    return isWider && `Accounts from outside the tenant may sign in (${writeText(after)}).`
  }),
  high('sign-in', (fact) => {
    const { before, after } = fact.difference
    if (fact.isNew && after === true) return undefined
    if (isAt(fact, 'servicePrincipals', 'appRoleAssignmentRequired'))
      return after === true
        ? 'Whoever is not assigned gets no tokens any more.'
        : !fact.isNew && before === true && 'Every user of the tenant gets tokens, not only assigned ones.'
    if (!isAt(fact, 'servicePrincipals', 'accountEnabled')) return undefined
    return after === true ? 'Sign-in is switched on again.' : 'Nobody gets tokens any more.'
  }),
  low('capability', ({ difference: { place, after } }) =>
    place === 'optionalClaims.accessToken' ? CAREFUL_CLAIMS.get(readProperty(after, 'name')) : undefined,
  ),
  high('token', ({ difference: { place, after } }) => {
    if (place === 'api.requestedAccessTokenVersion' && after !== 2)
      return 'Tokens of version 1: another issuer, another audience, and unverified identifier URIs are refused.'
    if (place === 'api.acceptMappedClaims' && after === true)
      return 'Claims of the token may be replaced by what somebody maps to them.'
    return place.startsWith('optionalClaims') && !isEmpty(after)
      ? 'Other claims get into the tokens that the server trusts.'
      : undefined
  }),
  high('flow', ({ difference: { place, after } }) => {
    if (after !== true) return undefined
    if (place.startsWith('web.implicitGrantSettings'))
      return 'Tokens are handed out in the address of a page.'
    if (place === 'isFallbackPublicClient')
      return 'Anybody may use the app as a public client, without a secret.'
    return place === 'isDeviceOnlyAuthSupported' && 'Devices sign in without a user.'
  }),
  high('owner', ({ difference: { place, action, after }, nameOf }) =>
    place === 'owners' && action === 'add'
      ? `${nameOf(after)} may change the object and add credentials to it.`
      : undefined,
  ),
  high('adoption', ({ difference: { place, action }, isAdopted }) =>
    (place === 'tags' || place === 'description') && action !== 'remove' && isAdopted
      ? "The object is there already and does not carry this environment's marks: it is somebody else's, or somebody took them off."
      : undefined,
  ),
  high('foreign-address', judgeForeignAddress),
  medium('new-address', judgeNewAddress),
  low('known-address', judgeKnownAddress),
  medium('pre-authorized-client', (fact) =>
    isAt(fact, 'applications', PREAUTHORIZED, `${PREAUTHORIZED}.delegatedPermissionIds`) &&
    fact.difference.action === 'add'
      ? 'This client gets tokens for signed-in users without a consent prompt.'
      : undefined,
  ),
  medium('requested-permission', ({ difference: { place, action } }) =>
    place.startsWith('requiredResourceAccess') && action === 'add'
      ? 'Is asked for at a consent; nothing is granted by it.'
      : undefined,
  ),
  medium('scope-or-role', (fact) => {
    const { place, action, after } = fact.difference
    if (isAt(fact, 'applications', 'api.oauth2PermissionScopes', 'appRoles') && action === 'add')
      return `A new ${place === 'appRoles' ? 'role' : 'scope'} that callers can be given.`
    return isAt(fact, 'applications', 'api.oauth2PermissionScopes.isEnabled', 'appRoles.isEnabled') &&
      after === true
      ? 'Callers can be given it again.'
      : undefined
  }),
  medium('group-member', (fact) =>
    isAt(fact, 'groups', 'members') && fact.difference.action === 'add'
      ? `${fact.nameOf(fact.difference.after)} gets what the group has.`
      : undefined,
  ),
  medium('assignment', (fact) =>
    isAt(fact, 'appRoleAssignedTo', 'appRoleId') && isAdded(fact)
      ? `${fact.nameOf(fact.desired.principalId)} may use the app.`
      : undefined,
  ),
  medium('consent-of-one', (fact) =>
    isAt(fact, 'oauth2PermissionGrants', 'scope') && isAdded(fact)
      ? `${writeText(fact.difference.after)} is granted for one user, without a prompt.`
      : undefined,
  ),
  low(
    'text',
    ({ difference }) => TEXTS.test(difference.place) && 'A text, a tag or a page: nobody gets access by it.',
  ),
  low('new-object', ({ type, isNew, difference: { place, action, after } }) => {
    const isPlain = isEmpty(after) || PLAIN_PARTS[type]?.includes(place)
    return isNew && action !== 'remove' && isPlain && 'Part of a new object.'
  }),
  low('narrower', ({ difference: { place, action, after, before } }) => {
    const shrinks = SHRINKING.some((list) => place === list || place.startsWith(`${list}.`))
    if (shrinks && (action === 'remove' || (isEmpty(after) && isEmpty(before))))
      return 'Takes something away.'
    const isSafer = after === SAFER[place] || (SAFER[place] === false && isEmpty(after))
    return place in SAFER && isSafer && 'Switches to the safer value.'
  }),
]

/** By the first rule that applies; high when there is none. */
export function gradeRisk(fact: Fact): Risk {
  for (const { name, grade, judge } of RULES) {
    const reason = judge(fact)
    if (reason) return { grade, rule: name, reason }
  }
  return { grade: 'high', rule: 'other', reason: 'No rule says that this is harmless.' }
}

/** Of an object that is there: what nobody knows may be anything, so only a place where nothing gives access is low. */
export function gradeOpen({ path, place, instead }: PendingValue): Risk {
  const grade = TEXTS.test(place) ? 'low' : 'high'
  const what =
    path === ''
      ? 'Which object is written is known only after the deployment.'
      : 'What it will be cannot be told before the deployment.'
  const there = instead?.length ? ` It may take the place of ${instead.join(', ')}.` : ''
  return { grade, rule: 'known-after-deployment', reason: what + there }
}

/** The same difference as what somebody did who changed the actual object. */
export const reverse = ({ action, before, after, ...rest }: Difference): Difference => ({
  ...rest,
  action: action === 'add' ? 'remove' : action === 'remove' ? 'add' : 'change',
  before: after,
  after: before,
})
