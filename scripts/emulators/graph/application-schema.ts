import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  type Application,
  AppRole,
  KeyCredential,
  OptionalClaims,
  PermissionScope,
  ServicePrincipalLock,
} from '../directory-objects.ts'
import { said } from './body.ts'

const text = z.string().max(1024)
const redirectUris = z.array(z.string().min(1).max(256))

const Api = z.strictObject({
  acceptMappedClaims: z.boolean().nullish(),
  knownClientApplications: z.array(z.guid()).optional(),
  requestedAccessTokenVersion: z.literal([1, 2]).nullish(),
  oauth2PermissionScopes: z.array(PermissionScope).optional(),
  preAuthorizedApplications: z
    .array(z.strictObject({ appId: z.guid(), delegatedPermissionIds: z.array(z.guid()) }))
    .optional(),
})

const Web = z.strictObject({
  redirectUris: redirectUris.optional(),
  homePageUrl: text.nullish(),
  logoutUrl: text.nullish(),
  implicitGrantSettings: z
    .strictObject({ enableAccessTokenIssuance: z.boolean(), enableIdTokenIssuance: z.boolean() })
    .optional(),
})

/** What may be written to an application; a property that is not said stays as it is. */
export const ApplicationPatch = z.strictObject({
  displayName: z.string().min(1).max(256).optional(),
  description: text.nullish(),
  notes: text.nullish(),
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
  isFallbackPublicClient: z.boolean().nullish(),
  groupMembershipClaims: z.string().nullish(),
  optionalClaims: OptionalClaims.nullish(),
  serviceManagementReference: z.string().min(1).nullish(),
  servicePrincipalLockConfiguration: ServicePrincipalLock.nullish(),
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
    keyCredentials: app.keyCredentials.map((credential) => ({
      ...credential,
      customKeyIdentifier: createHash('sha1')
        .update(Buffer.from(credential.key, 'base64'))
        .digest('hex')
        .toUpperCase(),
      key: null,
    })),
    passwordCredentials: app.passwordCredentials.map((credential) => ({ ...credential, secretText: null })),
  }
}
