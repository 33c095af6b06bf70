import type { Application } from '../directory-objects.ts'
import { GRAPH_APP_ID } from '../microsoft-apps.ts'
import { admit, asksForStepUp, capabilitiesIn, consentedScopes, stepUpClaims } from './admission.ts'
import type { Entra, Parameters } from './entra.ts'
import * as refusals from './refusals.ts'
import { resolveScopes } from './scopes.ts'
import type { ScopeRequest, Session } from './session.ts'
import { ACCESS_TOKEN_SECONDS, accessToken, type ClientProof, idToken } from './tokens.ts'

export type TokenAnswer = ReturnType<typeof answerWith> & {
  scope?: string
  refresh_token?: string
  id_token?: string
  client_info?: string
}

/** What every answer with a token says. */
export const answerWith = (access_token: string) => ({
  token_type: 'Bearer' as const,
  expires_in: ACCESS_TOKEN_SECONDS,
  ext_expires_in: ACCESS_TOKEN_SECONDS,
  access_token,
})

/** How tokens are asked for; `crossOrigin`: by a page, which browsers say. */
export type Grant = (entra: Entra, parameters: Parameters, crossOrigin: boolean) => Promise<TokenAnswer>

/**
 * Tokens for a user who has signed in: everything that may have changed since is looked at again.
 * Without a scope in this call that of the sign-in counts. Throws the refusals of scopes, target, admission,
 * consent and Conditional Access.
 */
export async function delegatedAnswer(
  entra: Entra,
  client: Application,
  proof: ClientProof,
  session: Session,
  { scope = session.scope, resource: target, client_info, claims }: Parameters,
): Promise<TokenAnswer> {
  const request = resolveScopes(entra, client, scope, target)
  const user = admit(entra.directory, session.userId, client, request.resource)
  const scopes = withOidc(request, consentedScopes(entra.directory, client, request, user.id))
  const { resource, resourceName, oidc } = request
  const { steppedUp } = session
  if (!steppedUp && asksForStepUp(entra.directory, user.id, resource)) {
    throw refusals.principal.stepUp(resource, stepUpClaims)
  }
  const capabilities = capabilitiesIn(claims)
  const delegation = { client, proof, resource, resourceName, scopes, user, steppedUp, capabilities }
  return {
    ...answerWith(await accessToken(entra, delegation)),
    scope: scopes.map((name) => fullName(name, request)).join(' '),
    ...(oidc.includes('offline_access') ? { refresh_token: refreshToken(entra, session, scope) } : {}),
    ...(oidc.includes('openid') ? { id_token: await idToken(entra, client, user, oidc, session.nonce) } : {}),
    // MSAL asks for it and names its cache entries by it.
    ...(client_info === '1' ? { client_info: encode({ uid: user.id, utid: entra.tenantId }) } : {}),
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** openid, profile and email are Graph's own scopes and appear in no other resource's token. */
function withOidc({ resource, oidc }: ScopeRequest, scopes: string[]): string[] {
  if (resource.appId !== GRAPH_APP_ID) return scopes
  return [...new Set([...scopes, ...oidc.filter((name) => name !== 'offline_access')])]
}

const fullName = (name: string, { oidc, resourceName }: ScopeRequest) =>
  oidc.includes(name) ? name : `${resourceName}/${name}`

/** A new one at each use; as at Entra the old one stays good, so an answer lost on the way harms nobody. */
function refreshToken({ refreshTokens }: Entra, session: Session, scope: string): string {
  const { nonce: _, codeChallenge: __, ...lasting } = session
  return refreshTokens.issue({ ...lasting, scope })
}
