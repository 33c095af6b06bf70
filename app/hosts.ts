import { isLoopback } from './loopback.ts'
import { Refusal } from './refusal.ts'

/**
 * Protection against DNS rebinding: a browser page of a foreign site that resolves its own name to this
 * server sends its own Host and Origin. Compared exactly with the server's URLs.
 */
export class Hosts {
  readonly #byHost: ReadonlyMap<string, string>
  readonly #origins: ReadonlySet<string>
  readonly #local: boolean

  constructor(serverUrls: readonly string[]) {
    this.#byHost = new Map(serverUrls.map((url) => [new URL(url).host, url]))
    this.#origins = new Set(serverUrls.map((url) => new URL(url).origin))
    this.#local = serverUrls.every((url) => isLoopback(new URL(url)))
  }

  /** The MCP URL that the client knows this server by. Throws Refusal (403) for a foreign Host or Origin. */
  mcpUrlOf(headers: { host?: string | undefined; origin?: string | undefined }): string {
    const url = this.#byHost.get(headers.host?.toLowerCase() ?? '')
    if (!url) throw foreign('host', 'Host', [...this.#byHost.keys()])
    if (headers.origin !== undefined && !this.#isKnownOrigin(headers.origin))
      throw foreign('origin', 'Origin', [...this.#origins])
    return url
  }

  /** Programs of this machine that send an Origin (the Inspector's proxy, say) may call a server on it. */
  #isKnownOrigin(origin: string): boolean {
    return this.#origins.has(origin) || (this.#local && URL.canParse(origin) && isLoopback(new URL(origin)))
  }
}

const foreign = (reason: string, header: string, known: readonly string[]) =>
  new Refusal({
    status: 403,
    decision: 'deny:host',
    reason,
    body: {
      error: 'forbidden',
      error_description: `The ${header} header is not one of this server's: ${known.join(', ')}.`,
    },
  })
