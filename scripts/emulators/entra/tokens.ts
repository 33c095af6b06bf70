import { createHmac, randomBytes } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { DEFAULT_ACCESS } from '../directory.ts'
import type { Application, User } from '../directory-objects.ts'
import { STEP_UP } from './admission.ts'
import { type Entra, issuerV1, issuerV2 } from './entra.ts'

/** "0" nothing, "1" a secret, "2" a certificate or federated assertion: how the client proved itself. */
export type ClientProof = '0' | '1' | '2'

interface Access {
  client: { appId: string }
  proof: ClientProof
  resource: Application
  resourceName: string
}

interface Delegation extends Access {
  scopes: string[]
  user: User
  steppedUp: boolean
  /** Of the client; in the token where the resource has asked for the claim. */
  capabilities: string[]
}

/** Entra draws 60 to 90 minutes; this is its mean. */
export const ACCESS_TOKEN_SECONDS = 75 * 60
/** Entra dates its tokens back, for clocks that are late. */
const BACKDATED_SECONDS = 5 * 60

/** A user has another `sub` at every app: it is no key to join data by; `oid` is. */
const pairwise = ({ tenantId }: Entra, userId: string, appId: string) =>
  createHmac('sha256', tenantId).update(`${userId} ${appId}`).digest('base64url')

const noise = (bytes: number) => randomBytes(bytes).toString('base64url')

/** What every token has. */
function always({ now, tenantId }: Entra) {
  const seconds = Math.floor(now() / 1000)
  const iat = seconds - BACKDATED_SECONDS
  const exp = seconds + ACCESS_TOKEN_SECONDS
  return { iat, nbf: iat, exp, rh: `1.${noise(24)}`, tid: tenantId, uti: noise(16) }
}

/** Values of the app roles that were assigned to the user, directly or through a direct group. */
function rolesOf({ directory }: Entra, principalId: string, resource: Application): { roles?: string[] } {
  const resourceId = directory.servicePrincipal(resource.appId)?.id ?? ''
  const ids = directory.assignments(principalId, resourceId).map(({ appRoleId }) => appRoleId)
  const held = resource.appRoles.filter(
    ({ id, isEnabled }) => isEnabled && id !== DEFAULT_ACCESS && ids.includes(id),
  )
  const roles = held.flatMap(({ value }) => (value === null ? [] : [value]))
  return roles.length === 0 ? {} : { roles }
}

const isV2 = ({ api }: Application) => api.requestedAccessTokenVersion === 2

/** What the token of a person and that of an app have in common. */
function accessClaims(
  entra: Entra,
  { client, proof, resource, resourceName }: Access,
  oid: string,
): JWTPayload {
  return {
    // v2: the audience is the resource's GUID. v1: the identifier URI that was asked for.
    aud: isV2(resource) || !resource.identifierUris.includes(resourceName) ? resource.appId : resourceName,
    // The version of an access token is the resource's choice, not the endpoint's.
    ...(isV2(resource)
      ? { iss: issuerV2(entra), azp: client.appId, azpacr: proof, ver: '2.0' }
      : { iss: issuerV1(entra), appid: client.appId, appidacr: proof, ver: '1.0' }),
    ...always(entra),
    aio: noise(32),
    oid,
    ...rolesOf(entra, oid, resource),
  }
}

export function accessToken(entra: Entra, delegation: Delegation): Promise<string> {
  const { resource, scopes, user, steppedUp, capabilities } = delegation
  const isAsked = asksFor(resource, 'xms_cc')
  return entra.keys.sign({
    ...accessClaims(entra, delegation, user.id),
    ...(steppedUp ? { acrs: [STEP_UP] } : {}),
    ...(isAsked && capabilities.length > 0 ? { xms_cc: capabilities } : {}),
    ...(isV2(resource)
      ? { preferred_username: user.userPrincipalName }
      : { acr: '1', amr: steppedUp ? ['pwd', 'mfa'] : ['pwd'], upn: user.userPrincipalName }),
    name: user.displayName,
    scp: scopes.join(' '),
    sub: pairwise(entra, user.id, resource.appId),
  })
}

/** Source: "Optional claims reference". A resource gets these in its tokens only when it has asked for them. */
const asksFor = ({ optionalClaims }: Application, claim: 'idtyp' | 'xms_cc') =>
  optionalClaims?.accessToken.some(({ name }) => name === claim) ?? false

/** No `scp`, and `idtyp` "app" for who has asked for it: this is how a resource tells an app from a person. `id`: its service principal. */
export const appToken = (entra: Entra, access: Access & { client: { id: string } }): Promise<string> =>
  entra.keys.sign({
    ...accessClaims(entra, access, access.client.id),
    ...(asksFor(access.resource, 'idtyp') ? { idtyp: 'app' } : {}),
    sub: access.client.id,
  })

export function idToken(
  entra: Entra,
  client: Application,
  user: User,
  oidc: string[],
  nonce: string | undefined,
): Promise<string> {
  return entra.keys.sign({
    aud: client.appId,
    iss: issuerV2(entra),
    ...always(entra),
    ...(oidc.includes('email') && user.mail !== null ? { email: user.mail } : {}),
    name: user.displayName,
    ...(nonce === undefined ? {} : { nonce }),
    oid: user.id,
    preferred_username: user.userPrincipalName,
    sub: pairwise(entra, user.id, client.appId),
    ver: '2.0',
  })
}
