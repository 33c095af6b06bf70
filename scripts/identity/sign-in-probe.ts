/** Asks Entra, without signing in, whether it would let a client ask for a token for our server. */
import { createHash, randomBytes } from 'node:crypto'
import ky from 'ky'

export interface Probe {
  authorityHost: string
  tenantId: string
  clientId: string
  /** Registered for that client. */
  redirectUri: string
  /** Fully qualified. */
  scope: string
  /** The MCP URL, as clients send it (RFC 8707). */
  resource: string
}

/** undefined: Entra shows its sign-in page, so everything before the sign-in is right. */
type Refusal = { code: string; text: string } | undefined

function authorizeUrl({ authorityHost, tenantId, clientId, redirectUri, scope, resource }: Probe): URL {
  const url = new URL(`${authorityHost}/${tenantId}/oauth2/v2.0/authorize`)
  const challenge = createHash('sha256').update(randomBytes(32).toString('base64url')).digest('base64url')
  const query = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: `${scope} offline_access`,
    resource,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'probe',
  }
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url
}

/** A refusal is a redirect with an error, or a page that quotes its AADSTS number. */
export async function probe(request: Probe): Promise<Refusal> {
  const response = await ky(authorizeUrl(request), {
    redirect: 'manual',
    throwHttpErrors: false,
    timeout: 30_000,
    retry: { limit: 3, retryOnTimeout: true },
  })
  const location = response.headers.get('location')
  const answered = location ? new URL(location, request.authorityHost).searchParams : undefined
  const text = answered ? (answered.get('error_description') ?? answered.get('error')) : await response.text()
  const [, code] = /(AADSTS\d{4,})/.exec(text ?? '') ?? []
  // A page that merely forwards to another page of Entra carries no error.
  if (!code && !answered?.get('error') && response.status < 400) return undefined
  const detail = code ? (text?.slice(text.indexOf(code)) ?? '') : `HTTP ${response.status}`
  return { code: code ?? 'unknown', text: detail.split(/[\r\n<"\\]/)[0] ?? detail }
}
