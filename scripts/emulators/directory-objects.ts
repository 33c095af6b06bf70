/** Microsoft Graph's own resources and property names; only the properties that a sign-in or the template uses. */

export interface User {
  id: string
  displayName: string
  givenName: string | null
  surname: string | null
  userPrincipalName: string
  mail: string | null
  accountEnabled: boolean
}

export interface Group {
  id: string
  displayName: string
  description: string | null
  uniqueName: string | null
  mailNickname: string
  mailEnabled: boolean
  securityEnabled: boolean
  /** Ids of users, groups and service principals: the `members` relationship. */
  members: string[]
  owners: string[]
  visibility?: string | null
  groupTypes?: string[]
  membershipRule?: string | null
  isAssignableToRole?: boolean | null
  createdDateTime?: string
}

export interface PermissionScope {
  id: string
  value: string
  type: 'User' | 'Admin'
  isEnabled: boolean
  adminConsentDisplayName: string
  adminConsentDescription: string
  userConsentDisplayName: string | null
  userConsentDescription: string | null
}

export interface AppRole {
  id: string
  value: string | null
  displayName: string
  description: string
  isEnabled: boolean
  allowedMemberTypes: ('User' | 'Application')[]
}

export interface KeyCredential {
  keyId: string
  displayName: string | null
  type: 'AsymmetricX509Cert'
  usage: 'Verify'
  /** The certificate, DER in base64. */
  key: string
  startDateTime: string
  endDateTime: string
}

/** Without the secret: Graph shows `secretText` once, in the answer of `addPassword`. */
export interface PasswordCredential {
  keyId: string
  displayName: string | null
  hint: string
  startDateTime: string
  endDateTime: string
}

export interface FederatedIdentityCredential {
  id: string
  name: string
  issuer: string
  subject: string
  audiences: string[]
  description: string | null
}

export interface Application {
  id: string
  appId: string
  displayName: string
  description?: string | null
  notes?: string | null
  uniqueName: string | null
  createdDateTime?: string
  tags?: string[]
  signInAudience: 'AzureADMyOrg' | 'AzureADMultipleOrgs'
  identifierUris: string[]
  api: {
    acceptMappedClaims?: boolean | null
    knownClientApplications?: string[]
    requestedAccessTokenVersion: 1 | 2 | null
    oauth2PermissionScopes: PermissionScope[]
    preAuthorizedApplications: { appId: string; delegatedPermissionIds: string[] }[]
  }
  appRoles: AppRole[]
  requiredResourceAccess: {
    resourceAppId: string
    resourceAccess: { id: string; type: 'Scope' | 'Role' }[]
  }[]
  publicClient: { redirectUris: string[] }
  spa?: { redirectUris: string[] }
  web: {
    redirectUris: string[]
    homePageUrl?: string | null
    logoutUrl?: string | null
    implicitGrantSettings?: { enableAccessTokenIssuance: boolean; enableIdTokenIssuance: boolean }
  }
  isFallbackPublicClient: boolean
  groupMembershipClaims?: string | null
  serviceManagementReference?: string | null
  /** Written by hand only: nothing of ours declares it. */
  optionalClaims?: Record<'accessToken' | 'idToken' | 'saml2Token', { name: string }[]> | null
  servicePrincipalLockConfiguration?: ServicePrincipalLock | null
  keyCredentials: KeyCredential[]
  passwordCredentials: PasswordCredential[]
  federatedIdentityCredentials: FederatedIdentityCredential[]
  owners: string[]
}

/** Which credentials of a service principal are locked, so that they come from its app registration only. */
export interface ServicePrincipalLock {
  isEnabled: boolean
  allProperties?: boolean | null | undefined
  credentialsWithUsageSign?: boolean | null | undefined
  credentialsWithUsageVerify?: boolean | null | undefined
  tokenEncryptionKeyId?: boolean | null | undefined
}

export interface ServicePrincipal {
  id: string
  appId: string
  displayName: string
  description?: string | null
  notes?: string | null
  tags?: string[]
  owners?: string[]
  /** Added by hand: our apps have none, and the lock keeps them away. */
  passwordCredentials?: PasswordCredential[]
  keyCredentials?: KeyCredential[]
  createdDateTime?: string
  servicePrincipalType: 'Application' | 'ManagedIdentity'
  accountEnabled: boolean
  appRoleAssignmentRequired: boolean
}

export interface OAuth2PermissionGrant {
  id: string
  /** Object id of the client's service principal, not its appId. */
  clientId: string
  consentType: 'AllPrincipals' | 'Principal'
  principalId: string | null
  /** Object id of the resource's service principal. */
  resourceId: string
  /** Scope values, space separated. */
  scope: string
}

export interface AppRoleAssignment {
  id: string
  appRoleId: string
  principalId: string
  principalType: 'User' | 'Group' | 'ServicePrincipal'
  createdDateTime?: string
  /** Object id of the resource's service principal. */
  resourceId: string
}

/** A role of the directory itself, with the ids of those who hold it. */
export interface DirectoryRole {
  id: string
  displayName: string
  /** The same in every tenant. */
  roleTemplateId: string
  members: string[]
}

/** What the tenant's app management policies say about secrets of every app. */
export interface AppManagementPolicy {
  /** Restriction `passwordAddition`. */
  passwordAddition: 'allowed' | 'refused'
  /** Restriction `passwordLifetime`, in days; null: none. */
  passwordLifetimeDays: number | null
}

/** What members may do without any role: a part of Graph's authorizationPolicy. */
export interface AuthorizationPolicy {
  allowedToCreateApps: boolean
  allowedToCreateSecurityGroups: boolean
}

/** What hung on an object hangs on it still, and comes back with it. */
export type Deleted<T> = T & Partial<Attachments> & { deletedDateTime: string }

/** `directory/deletedItems`. */
export interface DeletedItems {
  applications: Deleted<Application>[]
  servicePrincipals: Deleted<ServicePrincipal>[]
  groups: Deleted<Group>[]
}

export interface Attachments {
  oauth2PermissionGrants: OAuth2PermissionGrant[]
  appRoleAssignments: AppRoleAssignment[]
}

/** A part of Graph's conditionalAccessPolicy: whom it asks for a second factor, and for which apps. */
export interface ConditionalAccessPolicy {
  id: string
  displayName: string
  state: 'enabled' | 'disabled'
  conditions: { users: { includeUsers: string[] }; applications: { includeApplications: string[] } }
  grantControls: { operator: 'OR'; builtInControls: 'mfa'[] }
}
