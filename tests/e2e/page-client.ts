/**
 * The whole client of a page: bundled for Chromium by browser-client.test.ts and run there, knowing only the MCP URL
 * and the client id in its own URL. Tells what came of it as JSON in the page's title.
 */
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

async function connect(transport: StreamableHTTPClientTransport): Promise<Client> {
  const client = new Client({ name: 'page', version: '1' })
  // The SDK's own type of its transport is not exact about optional properties.
  await client.connect(transport as Parameters<Client['connect']>[0])
  return client
}

async function run(): Promise<unknown> {
  const { searchParams } = new URL(location.href)
  for (const name of ['mcp', 'client']) {
    const value = searchParams.get(name)
    if (value) sessionStorage.setItem(name, value)
  }
  const never = () => Promise.reject(new Error('There is no browser in the browser.'))
  const signIn = new PageSignIn(sessionStorage.getItem('client') ?? '', never, `${location.origin}/signed-in`)
  const open = () =>
    new StreamableHTTPClientTransport(new URL(sessionStorage.getItem('mcp') ?? ''), {
      authProvider: asProvider(signIn),
    })
  const code = searchParams.get('code')
  // Without a code this goes to the sign-in page and comes back with one.
  if (!code) return connect(open()).then(() => 'connected without a sign-in')
  await open().finishAuth(code)
  const client = await connect(open())
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
    if (!(error instanceof Error && error.name === 'UnauthorizedError'))
      document.title = JSON.stringify(String(error))
  },
)
