import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Tenant } from '../../../scripts/emulators/tenant.ts'

export interface SignInRequest {
  /** Principal name, object id, or the first name of exactly one user. */
  user: string
  clientId: string
  /** Fully qualified, space separated. */
  scope: string
  resource?: string
  /** What a challenge demanded, as JSON: the step-up. */
  claims?: string
}

const Answer = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  id_token: z.string().optional(),
  scope: z.string(),
  expires_in: z.number(),
})

/** The emulator refused: `error` is the OAuth code, the message Entra's text with its AADSTS number. */
export class SignInError extends Error {
  override name = 'SignInError'
  readonly error: string

  constructor(error: string, description: string) {
    super(description)
    this.error = error
  }
}

const Refusal = z.object({ error: z.string(), error_description: z.string() })

function refusalOf(raw: unknown): SignInError {
  const { error, error_description } = Refusal.parse(raw)
  return new SignInError(error, error_description)
}

type Place = Pick<Tenant, 'url' | 'tenantId' | 'directory'>

/** What a browser and a client do together, without the browser: real requests, real PKCE. */
export async function signIn(tenant: Place, { user, clientId, scope, resource, claims }: SignInRequest) {
  const oauth = `${tenant.url}/${tenant.tenantId}/oauth2/v2.0`
  const verifier = randomBytes(32).toString('base64url')
  const redirectUri = redirectOf(tenant, clientId)
  // As MSAL does it, claims go along both times.
  const target = { ...(resource !== undefined && { resource }), ...(claims !== undefined && { claims }) }
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    login_hint: principalNameOf(tenant, user),
    ...target,
  })
  const redirect = await fetch(`${oauth}/authorize?${query}`, { redirect: 'manual' })
  const location = redirect.headers.get('location')
  if (location === null) throw pageInstead(redirect.status, await redirect.text())
  const returned = new URL(location).searchParams
  const code = returned.get('code')
  if (code === null) throw refusalOf(Object.fromEntries(returned))
  const body = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: redirectUri, code }
  const answer = await fetch(`${oauth}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...body, code_verifier: verifier, ...target }),
  })
  const json: unknown = await answer.json()
  if (!answer.ok) throw refusalOf(json)
  return Answer.parse(json)
}

/** No redirect: a refusal that stays on its page, or the page that asks who it is. */
function pageInstead(status: number, page: string): SignInError {
  const [, refusal] = /<pre>([^<]*)<\/pre>/.exec(page) ?? []
  return status === 200
    ? new SignInError('interaction_required', 'The account picker was shown: no such user.')
    : new SignInError('invalid_request', refusal ?? page)
}

function redirectOf({ directory }: Place, clientId: string): string {
  const [redirectUri] = directory.application(clientId)?.publicClient.redirectUris ?? []
  return redirectUri ?? 'http://localhost'
}

function principalNameOf({ directory }: Place, name: string): string {
  const matches = directory.users.filter(({ givenName }) => givenName === name)
  return matches.length === 1 ? (matches[0]?.userPrincipalName ?? name) : name
}
