/** Tokens of a person: kept on disk, refreshed silently, signed in for in a browser or with a device code. */
import { type AccountInfo, type AuthenticationResult, PublicClientApplication } from '@azure/msal-node'
import { Problem } from '../cli/problem.ts'
import type { Challenge, Tokens } from './challenge.ts'
import { entraOf, signInProblem } from './entra.ts'
import { type McpServer, ownScopes } from './server.ts'
import { printable } from './table.ts'
import { tokenCache } from './token-cache.ts'

type Options = Readonly<{
  server: McpServer
  clientId: string
  /** Where the tokens are kept. */
  file: string
  /** undefined: nobody is there to sign in. */
  way: 'browser' | 'device code' | undefined
  openBrowser: (page: string) => Promise<unknown>
  print: (line: string) => void
}>

type Asked = Readonly<{ scopes: string[]; resource: string; claims?: string }>

export class Person implements Tokens {
  readonly #options
  readonly #http
  readonly #app

  constructor(options: Options) {
    const { server, clientId, file, print } = options
    const { authority, http } = entraOf(server)
    this.#options = options
    this.#http = http
    this.#app = new PublicClientApplication({
      auth: {
        clientId,
        authority,
        // Sends `resource` (RFC 8707), as MCP clients must.
        isMcp: true,
        // We answer claims challenges.
        clientCapabilities: ['cp1'],
      },
      cache: { cachePlugin: tokenCache(file, print) },
      system: { networkClient: http },
    })
  }

  async held(): Promise<string | undefined> {
    const { scopes } = this.#options.server
    const account = await this.#account()
    return account && scopes.length > 0 ? this.#silently(account, scopes, false) : undefined
  }

  async answer({ kind, scope, claims }: Challenge): Promise<string> {
    const { server } = this.#options
    const account = await this.#account()
    const scopes = scope ? ownScopes(server.url, scope) : server.scopes
    // Only a person can give a further authentication.
    const token = account && !claims && (await this.#silently(account, scopes, kind !== 'missing'))
    return token || this.#signIn({ scopes, resource: server.url, ...(claims && { claims }) }, account)
  }

  async #account(): Promise<AccountInfo | undefined> {
    // Entries that MSAL cannot read are as good as none.
    const [account] = await this.#app.getAllAccounts().catch(() => [])
    return account
  }

  /** undefined: the sign-in has ended, whatever ended it. */
  async #silently(account: AccountInfo, scopes: string[], forceRefresh: boolean) {
    const request = { account, scopes, forceRefresh, resource: this.#options.server.url }
    const result = await this.#app.acquireTokenSilent(request).catch((error: unknown) => {
      if (this.#http.outage) throw signInProblem(error, this.#http)
    })
    return result?.accessToken
  }

  async #signIn(asked: Asked, account: AccountInfo | undefined): Promise<string> {
    const { server, way, print } = this.#options
    if (!way) throw account ? furtherAsked(asked) : noTerminal(server.url)
    // Why the last sign-in ended is no answer to why this one fails.
    this.#http.refusal = undefined
    const signIn = way === 'browser' ? this.#inBrowser(asked, account) : this.#byDeviceCode(asked)
    const result = await signIn.catch((error: unknown) => {
      throw signInProblem(error, this.#http)
    })
    await this.#keepOne(result, account)
    print('Signed in.    (npm run client -- --sign-out forgets it)')
    return result?.accessToken ?? ''
  }

  #inBrowser(asked: Asked, account: AccountInfo | undefined) {
    const { server, openBrowser, print } = this.#options
    return this.#app.acquireTokenInteractive({
      ...asked,
      ...(account ? { loginHint: account.username } : { prompt: 'select_account' }),
      openBrowser: async (url) => {
        // MSAL knows https authorities only; see EntraHttp.
        const page = server.authorityHost.startsWith('http:')
          ? url.replace(new URL(url).origin, server.authorityHost)
          : url
        print(`Sign in with the browser that opens. If none does, open this, or use --device-code:\n${page}`)
        await openBrowser(page).catch(() => undefined)
      },
    })
  }

  #byDeviceCode(asked: Asked) {
    return this.#app.acquireTokenByDeviceCode({
      ...asked,
      deviceCodeCallback: ({ message }) => {
        // MSAL takes a refusal for a code.
        if (this.#http.refusal) throw new Error('There is no code.')
        this.#options.print(printable(message))
      },
    })
  }

  /** One person for each server; a call that one began is not ended by another. */
  async #keepOne(result: AuthenticationResult | null, before: AccountInfo | undefined): Promise<void> {
    const now = result?.account?.homeAccountId
    const wanted = before?.homeAccountId ?? now
    const cache = this.#app.getTokenCache()
    for (const account of await cache.getAllAccounts())
      if (account.homeAccountId !== wanted) await cache.removeAccount(account)
    if (now && now === wanted) return
    throw new Problem({
      what: 'Somebody else signed in than before.',
      why: 'The call was begun as one person and would be ended as another.',
      fix: 'npm run client -- --sign-out    (then again)',
    })
  }
}

const NO_TERMINAL = 'A sign-in needs a person, and this is no terminal.'

const noTerminal = (url: string) =>
  new Problem({
    what: `Nobody is signed in to ${url}.`,
    why: NO_TERMINAL,
    fix: 'npm run client -- --list    (once in a terminal; or --device-code, or --service for a program)',
  })

/** Somebody is signed in, but not for this call: another command would find nothing to ask for. */
const furtherAsked = ({ claims }: Asked) =>
  new Problem({
    what: claims
      ? 'A further authentication is wanted.'
      : 'A further sign-in is wanted: for another scope, or because the last one has ended.',
    why: NO_TERMINAL,
    fix: 'Run the same command in a terminal, or with --device-code.',
  })
