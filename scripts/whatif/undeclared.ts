/** Properties of a live object that the template says nothing about and that are set all the same. */

import type { GraphType } from '../bicep/declared.ts'
import type { Json } from '../bicep/template.ts'
import type { Value } from '../bicep/value.ts'
import type { LiveProperties } from './keys.ts'
import { isObject, isProperties } from './open.ts'
import type { Grade } from './risk.ts'
import { TEXTS } from './rules.ts'

export interface Undeclared {
  /** `api.knownClientApplications` */
  kind: string
  /** What it is, as a line of the exceptions names it. */
  value: string
  live: Json
  grade: Grade
}

/** What people can set, in the words of the Microsoft Graph v1.0 reference. */
const SETTABLE: Partial<Record<GraphType, readonly string[]>> = {
  applications: [
    ...[
      'displayName',
      'description',
      'notes',
      'tags',
      'info',
      'serviceManagementReference',
      'signInAudience',
    ],
    ...[
      'identifierUris',
      'api',
      'appRoles',
      'requiredResourceAccess',
      'publicClient',
      'spa',
      'web',
      'addIns',
    ],
    ...['isFallbackPublicClient', 'isDeviceOnlyAuthSupported', 'groupMembershipClaims', 'optionalClaims'],
    ...[
      'keyCredentials',
      'passwordCredentials',
      'tokenEncryptionKeyId',
      'samlMetadataUrl',
      'defaultRedirectUri',
    ],
    ...['requestSignatureVerification', 'nativeAuthenticationApisEnabled', 'authenticationBehaviors'],
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
const NOT_SET_BY_PEOPLE: Partial<Record<GraphType, readonly string[]>> = {
  applications: [
    ...[
      'id',
      'appId',
      'uniqueName',
      'createdDateTime',
      'deletedDateTime',
      'publisherDomain',
      'verifiedPublisher',
    ],
    ...[
      'certification',
      'disabledByMicrosoftStatus',
      'applicationTemplateId',
      'createdByAppId',
      'info.logoUrl',
    ],
    // In another form: the list of redirect URIs with their places.
    'web.redirectUriSettings',
    ...['owners', 'parentalControlSettings', 'servicePrincipalLockConfiguration'],
  ],
  servicePrincipals: [
    ...[
      'id',
      'appId',
      'createdDateTime',
      'deletedDateTime',
      'servicePrincipalType',
      'disabledByMicrosoftStatus',
    ],
    ...['applicationTemplateId', 'verifiedPublisher', 'preferredTokenSigningKeyThumbprint', 'createdByAppId'],
    // Copies of the app registration.
    ...['appDisplayName', 'appDescription', 'appOwnerOrganizationId', 'appRoles', 'oauth2PermissionScopes'],
    ...[
      'servicePrincipalNames',
      'replyUrls',
      'homepage',
      'info',
      'logoutUrl',
      'signInAudience',
      'displayName',
    ],
    ...['resourceSpecificApplicationPermissions', 'alternativeNames', 'owners'],
  ],
  groups: [
    ...[
      'id',
      'uniqueName',
      'createdDateTime',
      'deletedDateTime',
      'renewedDateTime',
      'securityIdentifier',
      'mail',
    ],
    ...['mailNickname', 'visibility', 'securityEnabled', 'displayName', 'owners', 'members'],
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

const isBlank = (value: Json): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.values(value).every(isBlank))

/** How a line of the exceptions names an element. */
function nameOf(value: Json): string {
  if (!isObject(value)) return String(value)
  const named = [value.keyId, value.id, value.appId, value.resourceAppId, value.name]
  return String(named.find((one) => typeof one === 'string') ?? JSON.stringify(value))
}

const isLive = (value: Json): value is { [key: string]: Json } => isObject(value)

/** Set on a live object, and not known here: Entra's own, or new in Microsoft Graph. Nobody can grade it. */
export const strangeIn = (type: GraphType, live: LiveProperties): string[] =>
  Object.entries(live).flatMap(([name, value]) =>
    isBlank(value) ||
    name.startsWith('@') ||
    [...(SETTABLE[type] ?? []), ...(NOT_SET_BY_PEOPLE[type] ?? [])].includes(name)
      ? []
      : [name],
  )

/** Of what is below a property that people can set everything counts, also what is new tomorrow. */
function isSetByPeople(type: GraphType, kind: string): boolean {
  const [first = ''] = kind.split('.')
  const isOwn = NOT_SET_BY_PEOPLE[type]?.includes(kind) || /(^|\.)@/.test(kind)
  return !isOwn && SETTABLE[type]?.includes(first) === true
}

export function undeclaredIn(
  type: GraphType,
  wanted: Value | undefined,
  live: LiveProperties,
  path = '',
): Undeclared[] {
  const declared = isProperties(wanted) ? wanted : {}
  return Object.entries(live).flatMap(([name, value]): Undeclared[] => {
    const kind = path === '' ? name : `${path}.${name}`
    if (isBlank(value) || !isSetByPeople(type, kind)) return []
    const said = declared[name]
    if (isLive(value) && (said === undefined || isProperties(said)))
      return undeclaredIn(type, said, value, kind)
    if (said !== undefined) return []
    const usual = USUAL[`${type}.${kind}`] ?? USUAL[kind] ?? []
    return (Array.isArray(value) ? value : [value])
      .filter((one) => !usual.includes(one))
      .map((one) => ({ kind, value: nameOf(one), live: one, grade: TEXTS.test(kind) ? 'low' : 'high' }))
  })
}
