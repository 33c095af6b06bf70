import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'

type Tokens = {
  access_token: string
  token_type: string
  refresh_token?: string | undefined
  expires_in?: number | undefined
}

/** Goes from the authorize URL to the redirect back to the client. */
type Browse = (authorizeUrl: URL) => Promise<URL>

/** Instead of a browser: one request to the authorize page, with `login_hint` instead of a click. */
export const withLoginHint =
  (upn: string): Browse =>
  async (page) => {
    page.searchParams.set('login_hint', upn)
    const response = await fetch(page, { redirect: 'manual' })
    return new URL(response.headers.get('location') ?? `about:blank#${await response.text()}`)
  }

/** A client of one's own with a pre-registered client id, as v1 and v2 clients know it. */
export class SignIn {
  readonly redirectUrl: string
  readonly #clientId: string
  readonly #browse: Browse
  #tokens: Tokens | undefined
  #verifier = ''
  /** The code of the last sign-in, for the transport's `finishAuth`. */
  code = ''
  /** The authorize URL that the client built. */
  authorizeUrl: URL | undefined

  constructor(clientId: string, browse: Browse, redirectUrl = 'http://localhost:53682/callback') {
    this.#clientId = clientId
    this.#browse = browse
    this.redirectUrl = redirectUrl
  }

  get clientMetadata() {
    return { redirect_uris: [this.redirectUrl], client_name: 'test' }
  }

  clientInformation() {
    return { client_id: this.#clientId }
  }
  tokens() {
    return this.#tokens
  }
  saveTokens(tokens: Tokens) {
    this.#tokens = tokens
  }
  codeVerifier() {
    return this.#verifier
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }
  async redirectToAuthorization(url: URL) {
    this.authorizeUrl = new URL(url)
    const answer = await this.#browse(new URL(url))
    this.code = answer.searchParams.get('code') ?? ''
    if (!this.code)
      throw new Error(answer.searchParams.get('error_description') ?? 'The sign-in gave no code.')
  }
}

/** The v1 SDK spells optional properties differently under exactOptionalPropertyTypes. */
export const asProvider = (signIn: SignIn) => signIn as unknown as OAuthClientProvider

/** An access token by the SDK's own discovery and sign-in, knowing nothing but the MCP URL and the client id. */
export async function accessToken(serverUrl: string, signIn: SignIn): Promise<string> {
  await auth(asProvider(signIn), { serverUrl })
  await auth(asProvider(signIn), { serverUrl, authorizationCode: signIn.code })
  return signIn.tokens()?.access_token ?? ''
}
