/** Properties of an actual object that the template says nothing about and that are set all the same. */
import type { GraphType } from '../bicep/declared.ts'
import type { Json } from '../bicep/template.ts'
import type { About } from './desired.ts'
import { type ActualProperties, isEmpty, isObject, type Properties, readProperty } from './properties.ts'
import type { Grade } from './risk.ts'
import { TEXTS } from './risk-rules.ts'

export interface Found {
  /** The property or list that it is in: `api.knownClientApplications`. */
  kind: string
  /** What it is, as a line of the exceptions names it. */
  value: string
  grade: Grade
  /** Who could use it for what. */
  reason: string
}

type Names = Partial<Record<GraphType, readonly string[]>>

/** What people can set, in the words of the Microsoft Graph v1.0 reference. */
const SETTABLE: Names = {
  applications: [
    ...['displayName', 'description', 'notes', 'tags', 'info', 'serviceManagementReference'],
    ...['signInAudience', 'identifierUris', 'api', 'appRoles', 'requiredResourceAccess', 'publicClient'],
    ...['spa', 'web', 'addIns', 'isFallbackPublicClient', 'isDeviceOnlyAuthSupported'],
    ...['groupMembershipClaims', 'optionalClaims', 'keyCredentials', 'passwordCredentials'],
    ...['tokenEncryptionKeyId', 'samlMetadataUrl', 'defaultRedirectUri', 'requestSignatureVerification'],
    ...['nativeAuthenticationApisEnabled', 'authenticationBehaviors'],
  ],
  servicePrincipals: [
    ...['description', 'notes', 'tags', 'accountEnabled', 'appRoleAssignmentRequired', 'addIns', 'loginUrl'],
    ...['keyCredentials', 'passwordCredentials', 'tokenEncryptionKeyId', 'notificationEmailAddresses'],
    ...['preferredSingleSignOnMode', 'samlSingleSignOnSettings', 'customSecurityAttributes'],
  ],
  groups: [
    ...['description', 'groupTypes', 'membershipRule', 'membershipRuleProcessingState', 'isAssignableToRole'],
    ...['mailEnabled'],
  ],
}

/** Entra's own, or copies of what is compared elsewhere. */
const NOT_SET_BY_PEOPLE: Names = {
  applications: [
    ...['id', 'appId', 'uniqueName', 'createdDateTime', 'deletedDateTime', 'publisherDomain'],
    ...['verifiedPublisher', 'certification', 'disabledByMicrosoftStatus', 'applicationTemplateId'],
    ...['createdByAppId', 'info.logoUrl'],
    // In another form: the list of redirect URIs with their places.
    'web.redirectUriSettings',
    ...['owners', 'parentalControlSettings', 'servicePrincipalLockConfiguration'],
  ],
  servicePrincipals: [
    ...['id', 'appId', 'createdDateTime', 'deletedDateTime', 'servicePrincipalType'],
    ...['disabledByMicrosoftStatus', 'applicationTemplateId', 'verifiedPublisher'],
    ...['preferredTokenSigningKeyThumbprint', 'createdByAppId'],
    // Copies of the app registration.
    ...['appDisplayName', 'appDescription', 'appOwnerOrganizationId', 'appRoles', 'oauth2PermissionScopes'],
    ...['servicePrincipalNames', 'replyUrls', 'homepage', 'info', 'logoutUrl', 'signInAudience'],
    ...['displayName', 'resourceSpecificApplicationPermissions', 'alternativeNames', 'owners'],
  ],
  groups: [
    ...['id', 'uniqueName', 'createdDateTime', 'deletedDateTime', 'renewedDateTime', 'securityIdentifier'],
    ...['mail', 'mailNickname', 'visibility', 'securityEnabled', 'displayName', 'owners', 'members'],
  ],
}

/** What Entra sets where nobody says anything, and the safest value. */
const USUAL: Readonly<Record<string, readonly Json[]>> = {
  signInAudience: ['AzureADMyOrg'],
  accountEnabled: [true],
  groupMembershipClaims: ['None'],
  'api.requestedAccessTokenVersion': [2],
  // Set by the portal; without a meaning for access.
  'servicePrincipals.tags': ['WindowsAzureActiveDirectoryIntegratedApp'],
}

/** How a line of the exceptions names an element. */
function nameOf(value: Json): string {
  if (!isObject(value)) return String(value)
  const named = [value.keyId, value.id, value.appId, value.resourceAppId, value.name]
  return String(named.find((one) => typeof one === 'string') ?? JSON.stringify(value))
}

function reasonOf(kind: string, value: Json, title: string): string {
  const end = readProperty(value, 'endDateTime') ?? 'nobody knows when'
  const displayName = readProperty(value, 'displayName')
  const name = typeof displayName === 'string' ? ` "${displayName}"` : ''
  if (kind === 'passwordCredentials')
    return `Whoever knows the secret${name} signs in as ${title} until ${end}.`
  if (kind === 'keyCredentials')
    return `Whoever holds the private key of the certificate${name} signs in as ${title} until ${end}.`
  return `${kind} is set and not declared: a deployment leaves it.`
}

/** Set, and not known here: Entra's own, or new in Microsoft Graph. Nobody can grade it. */
export function findUnfamiliar(type: GraphType, actual: ActualProperties): string[] {
  const familiar = [...(SETTABLE[type] ?? []), ...(NOT_SET_BY_PEOPLE[type] ?? [])]
  return Object.entries(actual)
    .filter(([name, value]) => !isEmpty(value) && !name.startsWith('@') && !familiar.includes(name))
    .map(([name]) => name)
}

/** Of what is below a property that people can set everything counts, also what is new tomorrow. */
function isSetByPeople(type: GraphType, kind: string): boolean {
  const [first = ''] = kind.split('.')
  const isOwn = NOT_SET_BY_PEOPLE[type]?.includes(kind) || /(^|\.)@/.test(kind)
  return !isOwn && SETTABLE[type]?.includes(first) === true
}

/** At every depth, element by element; `path` is where both stand in their object. */
export function findUndeclared(of: About, desired: Properties, actual: ActualProperties, path = ''): Found[] {
  return Object.entries(actual).flatMap(([name, value]): Found[] => {
    const kind = path === '' ? name : `${path}.${name}`
    if (isEmpty(value) || !isSetByPeople(of.type, kind)) return []
    const isDeclared = name in desired
    const said = isDeclared ? desired[name] : {}
    if (isObject(value) && isObject(said)) return findUndeclared(of, said, value, kind)
    return isDeclared ? [] : describe(of, kind, value)
  })
}

function describe({ type, title }: About, kind: string, value: Json): Found[] {
  const usual = USUAL[`${type}.${kind}`] ?? USUAL[kind] ?? []
  const grade = TEXTS.test(kind) ? 'low' : 'high'
  return (Array.isArray(value) ? value : [value])
    .filter((one) => !usual.includes(one))
    .map((one) => ({ kind, value: nameOf(one), grade, reason: reasonOf(kind, one, title) }))
}
