import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../loopback.ts'
import { badRequest, Refusal } from './refusal.ts'

type Named = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion'>

/**
 * Protection against DNS rebinding: a browser page of a foreign site that resolves its own name to this
 * server sends its own Host and Origin. Compared exactly with the server's URLs and the allowed origins.
 */
export class Hosts {
  readonly #byHost: ReadonlyMap<string, string>
  readonly #origins: ReadonlySet<string>
  readonly #local: boolean

  constructor(serverUrls: readonly string[], allowedOrigins: readonly string[]) {
    this.#byHost = new Map(serverUrls.flatMap((url) => namesOf(new URL(url)).map((name) => [name, url])))
    this.#origins = new Set([...serverUrls.map((url) => new URL(url).origin), ...allowedOrigins])
    this.#local = serverUrls.every((url) => isLoopback(new URL(url)))
  }

  /**
   * The MCP URL that the client knows this server by. Throws Refusal: 403 for a foreign Host, 400 for none or
   * several (RFC 9112 section 3.2).
   */
  mcpUrlOf(request: Named): string {
    requireOneHost(request)
    const url = this.#byHost.get(request.headers.host?.toLowerCase() ?? '')
    if (url) return url
    throw foreign('host', 'Host', [...this.#byHost.keys()])
  }

  /** Throws Refusal (403) for a page of a foreign origin; who sends no Origin is no page. */
  requireKnownOrigin({ origin }: { origin?: string | undefined }): void {
    if (origin !== undefined && !this.allows(origin)) throw foreign('origin', 'Origin', [...this.#origins])
  }

  /** Programs and pages of this machine may call a server on it. */
  allows(origin: string): boolean {
    return this.#origins.has(origin) || (this.#local && isLoopbackOrigin(origin))
  }
}

/** Throws Refusal (400). Node keeps the first of several and drops the others; a proxy may have read another one. */
export function requireOneHost({ rawHeaders, httpVersion }: Omit<Named, 'headers'>): void {
  const hosts = rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host').length
  if (hosts === 1 || (hosts === 0 && httpVersion === '1.0')) return
  throw badRequest(400, 'host', 'Send exactly one Host header.')
}

/** With and without the scheme's own port, which is the same host (RFC 9110 section 4.2.3). */
function namesOf({ host, port, protocol }: URL): string[] {
  return port ? [host] : [host, `${host}:${protocol === 'https:' ? 443 : 80}`]
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.origin === origin && isLoopback(url)
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
