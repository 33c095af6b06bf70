import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Application } from '../directory-objects.ts'
import { nullable, said } from './body.ts'

const text = z.string().max(1024)
const redirectUris = z.array(z.string().min(1).max(256))

const PermissionScope = z.strictObject({
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

const AppRole = z.strictObject({
  id: z.guid(),
  value: z.string().nullable().default(null),
  displayName: z.string().min(1),
  description: z.string().min(1),
  isEnabled: z.boolean().default(true),
  allowedMemberTypes: z.array(z.enum(['User', 'Application'])).min(1),
  origin: z.string().optional(),
})

const KeyCredential = z.strictObject({
  keyId: z.guid().default(randomUUID),
  displayName: z.string().nullable().default(null),
  type: z.literal('AsymmetricX509Cert'),
  usage: z.literal('Verify'),
  key: z.base64(),
  startDateTime: z.iso.datetime().default(() => new Date().toISOString()),
  endDateTime: z.iso.datetime(),
})

const Api = z.strictObject({
  acceptMappedClaims: nullable(z.boolean()),
  knownClientApplications: z.array(z.guid()).optional(),
  requestedAccessTokenVersion: z
    .union([z.literal(1), z.literal(2)])
    .nullable()
    .optional(),
  oauth2PermissionScopes: z.array(PermissionScope).optional(),
  preAuthorizedApplications: z
    .array(z.strictObject({ appId: z.guid(), delegatedPermissionIds: z.array(z.guid()) }))
    .optional(),
})

const Web = z.strictObject({
  redirectUris: redirectUris.optional(),
  homePageUrl: nullable(text),
  logoutUrl: nullable(text),
  implicitGrantSettings: z
    .strictObject({ enableAccessTokenIssuance: z.boolean(), enableIdTokenIssuance: z.boolean() })
    .optional(),
})

const Lock = z.strictObject({
  isEnabled: z.boolean(),
  allProperties: nullable(z.boolean()),
  credentialsWithUsageSign: nullable(z.boolean()),
  credentialsWithUsageVerify: nullable(z.boolean()),
  tokenEncryptionKeyId: nullable(z.boolean()),
})

/** What may be written to an application; a property that is not said stays as it is. */
export const ApplicationPatch = z.strictObject({
  displayName: z.string().min(1).max(256).optional(),
  description: nullable(text),
  notes: nullable(text),
  uniqueName: z.string().min(1).max(120).optional(),
  tags: z.array(z.string().min(1).max(256)).optional(),
  signInAudience: z.enum(['AzureADMyOrg', 'AzureADMultipleOrgs']).optional(),
  identifierUris: z.array(z.string().min(1).max(255)).optional(),
  api: Api.optional(),
  appRoles: z.array(AppRole).optional(),
  requiredResourceAccess: z
    .array(
      z.strictObject({
        resourceAppId: z.guid(),
        resourceAccess: z.array(z.strictObject({ id: z.guid(), type: z.enum(['Scope', 'Role']) })),
      }),
    )
    .optional(),
  publicClient: z.strictObject({ redirectUris: redirectUris.optional() }).optional(),
  spa: z.strictObject({ redirectUris: redirectUris.optional() }).optional(),
  web: Web.optional(),
  isFallbackPublicClient: nullable(z.boolean()),
  groupMembershipClaims: nullable(z.string()),
  serviceManagementReference: nullable(z.string().min(1)),
  servicePrincipalLockConfiguration: Lock.nullable().optional(),
  keyCredentials: z.array(KeyCredential).optional(),
  // Only the empty list: secrets come from addPassword, because Graph makes them up itself.
  passwordCredentials: z.array(z.unknown()).optional(),
})
export type ApplicationPatch = z.infer<typeof ApplicationPatch>

export const NewApplication = ApplicationPatch.required({ displayName: true })
export type NewApplication = z.infer<typeof NewApplication>

/** An object-valued property is merged, a list is replaced, everything else is set. */
export function patched(app: Application, patch: ApplicationPatch): Application {
  const { api, web, spa, publicClient, passwordCredentials, ...plain } = patch
  return {
    ...structuredClone(app),
    ...said(plain),
    isFallbackPublicClient: patch.isFallbackPublicClient ?? app.isFallbackPublicClient,
    api: { ...structuredClone(app.api), ...said(api) },
    web: { ...structuredClone(app.web), ...said(web) },
    spa: { redirectUris: spa?.redirectUris ?? app.spa?.redirectUris ?? [] },
    publicClient: { redirectUris: publicClient?.redirectUris ?? app.publicClient.redirectUris },
    passwordCredentials: passwordCredentials ? [] : app.passwordCredentials,
  }
}

/** As Graph shows it: navigation properties are elsewhere, key material nowhere. */
export function applicationView(app: Application) {
  const { federatedIdentityCredentials: _, owners: __, ...shown } = app
  return {
    ...shown,
    description: app.description ?? null,
    notes: app.notes ?? null,
    tags: app.tags ?? [],
    spa: app.spa ?? { redirectUris: [] },
    groupMembershipClaims: app.groupMembershipClaims ?? null,
    optionalClaims: app.optionalClaims ?? null,
    serviceManagementReference: app.serviceManagementReference ?? null,
    servicePrincipalLockConfiguration: app.servicePrincipalLockConfiguration ?? null,
    createdDateTime: app.createdDateTime ?? null,
    deletedDateTime: null as string | null,
    keyCredentials: app.keyCredentials.map((credential) => ({ ...credential, key: null })),
    passwordCredentials: app.passwordCredentials.map((credential) => ({ ...credential, secretText: null })),
  }
}
