import { randomUUID } from 'node:crypto'
import { z } from 'zod'

// Microsoft Graph's own resources and property names; only the properties that a sign-in or the template uses. What can
// be written as a whole is a schema, which a write is read with (tests/scripts/emulators/graph/).

export interface User {
  id: string
  displayName: string
  givenName: string | null
  surname: string | null
  userPrincipalName: string
  mail: string | null
  accountEnabled: boolean
}

/** What may be written to a group as a whole. */
export const GroupProperties = z.strictObject({
  displayName: z.string().min(1).max(256),
  description: z.string().max(1024).nullish(),
  mailNickname: z.string().regex(/^[^\s@()\\[\]";:<>,]{1,64}$/),
  mailEnabled: z.boolean(),
  securityEnabled: z.boolean(),
  groupTypes: z.array(z.string()).optional(),
  isAssignableToRole: z.boolean().nullish(),
  visibility: z.string().nullish(),
})

export type Group = z.infer<typeof GroupProperties> & {
  id: string
  description: string | null
  uniqueName: string | null
  /** Ids of users, groups and service principals: the `members` relationship. */
  members: string[]
  owners: string[]
  membershipRule?: string | null
  createdDateTime?: string
}

export const PermissionScope = z.strictObject({
  id: z.guid(),
  value: z.string().regex(/^[\w.:!#$%&'()*+,\-/;<=>?@[\]^`{|}~]{1,120}$/),
  type: z.enum(['User', 'Admin']).default('User'),
  isEnabled: z.boolean().default(true),
  adminConsentDisplayName: z.string().min(1).max(100),
  adminConsentDescription: z.string().min(1),
  userConsentDisplayName: z.string().nullable().default(null),
  userConsentDescription: z.string().nullable().default(null),
  origin: z.string().optional(),
})
export type PermissionScope = z.infer<typeof PermissionScope>

export const AppRole = z.strictObject({
  id: z.guid(),
  value: z.string().nullable().default(null),
  displayName: z.string().min(1),
  description: z.string().min(1),
  isEnabled: z.boolean().default(true),
  allowedMemberTypes: z.array(z.enum(['User', 'Application'])).min(1),
  origin: z.string().optional(),
})
export type AppRole = z.infer<typeof AppRole>

export const KeyCredential = z.strictObject({
  keyId: z.guid().default(randomUUID),
  displayName: z.string().nullable().default(null),
  type: z.literal('AsymmetricX509Cert'),
  usage: z.literal('Verify'),
  /** The certificate, DER in base64. */
  key: z.base64(),
  startDateTime: z.iso.datetime().default(() => new Date().toISOString()),
  endDateTime: z.iso.datetime(),
})
export type KeyCredential = z.infer<typeof KeyCredential>

/** Without the secret: Graph shows `secretText` once, in the answer of `addPassword`. */
export interface PasswordCredential {
  keyId: string
  displayName: string | null
  hint: string
  startDateTime: string
  endDateTime: string
}

/** What may be written to a federated credential. */
export const FederatedIdentityProperties = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(120)
    .regex(/^[\w-]+$/),
  issuer: z.url().max(600),
  subject: z.string().min(1).max(600),
  audiences: z.array(z.string().min(1).max(600)).length(1),
  description: z.string().max(600).nullish(),
})

export type FederatedIdentityCredential = z.infer<typeof FederatedIdentityProperties> & {
  id: string
  description: string | null
}

const OptionalClaim = z.strictObject({
  name: z.string().min(1),
  source: z.string().nullish(),
  essential: z.boolean().default(false),
  additionalProperties: z.array(z.string()).default([]),
})
/** Source: "optionalClaims resource type" in the Graph reference. */
export const OptionalClaims = z.strictObject({
  idToken: z.array(OptionalClaim),
  accessToken: z.array(OptionalClaim),
  saml2Token: z.array(OptionalClaim),
})
export type OptionalClaims = z.input<typeof OptionalClaims>

/** Which credentials of a service principal are locked, so that they come from its app registration only. */
export const ServicePrincipalLock = z.strictObject({
  isEnabled: z.boolean(),
  allProperties: z.boolean().nullish(),
  credentialsWithUsageSign: z.boolean().nullish(),
  credentialsWithUsageVerify: z.boolean().nullish(),
  tokenEncryptionKeyId: z.boolean().nullish(),
})
export type ServicePrincipalLock = z.infer<typeof ServicePrincipalLock>

const text = z.string().max(1024).nullish()
export const Redirects = z.strictObject({ redirectUris: z.array(z.string().min(1).max(256)) })

/** What may be written to an application as a whole. */
export const ApplicationProperties = z.strictObject({
  displayName: z.string().min(1).max(256),
  description: text,
  notes: text,
  tags: z.array(z.string().min(1).max(256)).optional(),
  signInAudience: z.enum(['AzureADMyOrg', 'AzureADMultipleOrgs']),
  identifierUris: z.array(z.string().min(1).max(255)),
  api: z.strictObject({
    acceptMappedClaims: z.boolean().nullish(),
    knownClientApplications: z.array(z.guid()).optional(),
    requestedAccessTokenVersion: z.literal([1, 2]).nullable(),
    oauth2PermissionScopes: z.array(PermissionScope),
    preAuthorizedApplications: z.array(
      z.strictObject({ appId: z.guid(), delegatedPermissionIds: z.array(z.guid()) }),
    ),
  }),
  appRoles: z.array(AppRole),
  requiredResourceAccess: z.array(
    z.strictObject({
      resourceAppId: z.guid(),
      resourceAccess: z.array(z.strictObject({ id: z.guid(), type: z.enum(['Scope', 'Role']) })),
    }),
  ),
  publicClient: Redirects,
  spa: Redirects.optional(),
  web: Redirects.extend({
    homePageUrl: text,
    logoutUrl: text,
    implicitGrantSettings: z
      .strictObject({ enableAccessTokenIssuance: z.boolean(), enableIdTokenIssuance: z.boolean() })
      .optional(),
  }),
  isFallbackPublicClient: z.boolean(),
  groupMembershipClaims: z.string().nullish(),
  serviceManagementReference: z.string().min(1).nullish(),
  servicePrincipalLockConfiguration: ServicePrincipalLock.nullish(),
  keyCredentials: z.array(KeyCredential),
})

export type Application = z.infer<typeof ApplicationProperties> & {
  id: string
  appId: string
  uniqueName: string | null
  createdDateTime?: string
  optionalClaims?: OptionalClaims | null
  passwordCredentials: PasswordCredential[]
  federatedIdentityCredentials: FederatedIdentityCredential[]
  owners: string[]
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

export const PermissionGrantProperties = z.strictObject({
  /** Object id of the client's service principal, not its appId. */
  clientId: z.guid(),
  consentType: z.enum(['AllPrincipals', 'Principal']),
  principalId: z.guid().nullable().default(null),
  /** Object id of the resource's service principal. */
  resourceId: z.guid(),
  /** Scope values, space separated. */
  scope: z.string(),
})
export type OAuth2PermissionGrant = z.infer<typeof PermissionGrantProperties> & { id: string }

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

/** A part of Graph's conditionalAccessPolicy: whom it asks for a second factor, and for which apps. */
export interface ConditionalAccessPolicy {
  id: string
  displayName: string
  state: 'enabled' | 'disabled'
  conditions: { users: { includeUsers: string[] }; applications: { includeApplications: string[] } }
  grantControls: { operator: 'OR'; builtInControls: 'mfa'[] }
}
