/** Consent for everybody. Source: documentation, "Admin consent on the Microsoft identity platform". */
import { randomUUID } from 'node:crypto'
import type { Application } from '../directory-objects.ts'
import { enabledUser, mayConsent } from './admission.ts'
import type { Entra } from './entra.ts'
import * as refusals from './refusals.ts'
import { resolveScopes } from './scopes.ts'
import type { PendingSignIn, ReturnAddress } from './session.ts'

/** Scopes of one API, each by its name. Entra takes `.default` and those of OpenID Connect too; no caller of ours asks. */
export function pendingConsent(entra: Entra, address: ReturnAddress, scope: string): PendingSignIn {
  const request = resolveScopes(entra, address.client, scope, undefined)
  if (request.isDefault || request.oidc.length > 0) throw refusals.request.badParameter({ name: 'scope' })
  return { address, scope, request, steppedUp: false, consents: true }
}

/**
 * Adds to what was consented before; answers what the client is told. Throws AADSTS500341, 50057 or 90094 for whoever
 * is not there, disabled, or no administrator. Assignment to the app is not asked for: nobody uses it here.
 */
export function consentForAll(
  { directory, tenantId }: Entra,
  { address: { client }, request: { resource, scopes }, scope }: PendingSignIn,
  userId: string,
): Record<string, string> {
  if (!mayConsent(directory, enabledUser(directory, userId).id)) throw refusals.scope.adminOnly(client)
  const principalOf = ({ appId, displayName }: Application) => {
    const principal = directory.servicePrincipal(appId)
    if (!principal) throw refusals.scope.unknownResource({ name: displayName, tenant: tenantId })
    return principal.id
  }
  const [clientId, resourceId] = [principalOf(client), principalOf(resource)]
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
  return { ...signsOf(tenantId), scope }
}

/** What answers of this endpoint carry, refusals too. */
export const signsOf = (tenant: string) => ({ admin_consent: 'True', tenant })
