/** Consent for everybody. Source: documentation, "Admin consent on the Microsoft identity platform". */
import { randomUUID } from 'node:crypto'
import { mayConsent } from './admission.ts'
import type { Entra } from './entra.ts'
import * as refusals from './refusals.ts'
import { resolveScopes } from './scopes.ts'
import type { PendingSignIn, ReturnAddress } from './session.ts'

/** Scopes of one API, each by its name: `.default` and those of OpenID Connect are refused. */
export function pendingConsent(entra: Entra, address: ReturnAddress, scope: string): PendingSignIn {
  const request = resolveScopes(entra, address.client, scope, undefined)
  if (request.isDefault || request.oidc.length > 0) throw refusals.request.badParameter({ name: 'scope' })
  const none = { codeChallenge: undefined, nonce: undefined, steppedUp: false }
  return { address, scope, request, ...none, consents: true }
}

/** Adds to what was consented before; answers what the client is told. Throws AADSTS90094 for whoever may not. */
export function consentForAll(
  { directory, tenantId }: Entra,
  { address: { client }, request: { resource, scopes }, scope }: PendingSignIn,
  userId: string,
): Record<string, string> {
  const clientId = directory.servicePrincipal(client.appId)?.id
  const resourceId = directory.servicePrincipal(resource.appId)?.id
  if (!mayConsent(directory, userId) || !clientId || !resourceId) throw refusals.scope.adminOnly(client)
  const grants = directory.oauth2PermissionGrants
  const known = grants.find(
    (one) =>
      one.clientId === clientId && one.resourceId === resourceId && one.consentType === 'AllPrincipals',
  )
  if (known) known.scope = [...new Set([...known.scope.split(' '), ...scopes])].join(' ')
  else {
    const grant = { clientId, consentType: 'AllPrincipals' as const, principalId: null, resourceId }
    grants.push({ id: randomUUID(), ...grant, scope: scopes.join(' ') })
  }
  return { admin_consent: 'True', tenant: tenantId, scope }
}
