import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  type Application,
  ApplicationProperties,
  OptionalClaims,
  Redirects,
} from '../../../../scripts/emulators/directory-objects.ts'
import { said } from './body.ts'

const { api, publicClient, web } = ApplicationProperties.shape

/** What may be written to an application; a property that is not said stays as it is. */
export const ApplicationPatch = ApplicationProperties.partial().extend({
  uniqueName: z.string().min(1).max(120).optional(),
  api: api.partial().optional(),
  publicClient: publicClient.partial().optional(),
  spa: Redirects.partial().optional(),
  web: web.partial().optional(),
  isFallbackPublicClient: z.boolean().nullish(),
  optionalClaims: OptionalClaims.nullish(),
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
