/**
 * The whole client of a page: bundled for Chromium by browser-client.test.ts and run there, knowing only the MCP URL
 * and the client id in its own URL. Tells what came of it as JSON in the page's title.
 */
import * as v2 from '@modelcontextprotocol/client'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { asProvider, SignIn } from './sign-in.ts'

/** What this file uses of the browser; the project's types are those of Node. */
declare const document: { title: string }
declare const location: { href: string; origin: string; assign: (url: string) => void }
declare const sessionStorage: {
  getItem: (key: string) => string | null
  setItem: (key: string, value: string) => void
}

/** Kept over the way to the sign-in page and back. */
class PageSignIn extends SignIn {
  override codeVerifier() {
    return sessionStorage.getItem('verifier') ?? ''
  }
  override saveCodeVerifier(verifier: string) {
    sessionStorage.setItem('verifier', verifier)
  }
  override async redirectToAuthorization(url: URL) {
    location.assign(url.href)
  }
}

/** Both SDKs, as far as this journey goes; `v2` in the page's URL chooses the second. */
function peerOf(sdk: string, url: URL, signIn: SignIn) {
  if (sdk === 'v2') {
    const client = new v2.Client({ name: 'page', version: '2' }, { versionNegotiation: { mode: 'auto' } })
    // Its type of a provider names more than these clients need.
    const authProvider = signIn as unknown as v2.OAuthClientProvider
    const transport = new v2.StreamableHTTPClientTransport(url, { authProvider })
    return { client, transport, connect: () => client.connect(transport) }
  }
  const client = new Client({ name: 'page', version: '1' })
  const transport = new StreamableHTTPClientTransport(url, { authProvider: asProvider(signIn) })
  // The SDK's own type of its transport is not exact about optional properties.
  return { client, transport, connect: () => client.connect(transport as Parameters<Client['connect']>[0]) }
}

async function run(): Promise<unknown> {
  const { searchParams } = new URL(location.href)
  const given = (name: string) => {
    const value = searchParams.get(name)
    if (value) sessionStorage.setItem(name, value)
    return sessionStorage.getItem(name) ?? ''
  }
  const [mcp, clientId, sdk] = [given('mcp'), given('client'), given('sdk')]
  const never = () => Promise.reject(new Error('There is no browser in the browser.'))
  const signIn = new PageSignIn(clientId, never, `${location.origin}/signed-in`)
  const open = () => peerOf(sdk, new URL(mcp), signIn)
  const code = searchParams.get('code')
  // Without a code this goes to the sign-in page and comes back with one.
  if (!code) return open().connect()
  await open().transport.finishAuth(code)
  const { client, connect } = open()
  await connect()
  const { tools } = await client.listTools()
  const result = await client.callTool({ name: 'get_user_expenses', arguments: {} })
  return { tools: tools.map(({ name }) => name), result: result.structuredContent }
}

run().then(
  (result) => {
    document.title = JSON.stringify(result)
  },
  (error: unknown) => {
    // On the way to the sign-in page the first connection fails, as it should.
    const expected = error instanceof UnauthorizedError || error instanceof v2.UnauthorizedError
    if (!expected) document.title = JSON.stringify(String(error))
  },
)
