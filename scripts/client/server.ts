/** The MCP server as it describes itself: which tenant signs its callers in. */
import ky from 'ky'
import { z } from 'zod'
import { isLoopback, safeUrl } from '../../app/loopback.ts'
import { metadataUrl } from '../../app/metadata.ts'
import { Problem } from '../cli/problem.ts'

/** Where `npm start` listens. */
export const LOCAL = 'http://localhost:8080/mcp'

export type McpServer = Readonly<{
  url: string
  /** Like `https://login.microsoftonline.com`, without a slash at the end. */
  authorityHost: string
  tenantId: string
  /** Full names of all scopes that there are. */
  scopes: string[]
}>

const Metadata = z.object({
  resource: z.string(),
  authorization_servers: z.tuple([z.string()], z.string()),
  scopes_supported: z.array(z.string()).default([]),
})
const AUTHORITY = /^(https:\/\/login\.microsoftonline\.com|http:\/\/[^/]+)\/([\da-f-]{36})\/v2\.0$/

const wrong = (what: string, fix = 'azd env get-value SERVER_URL    (the exact URL of the server)') =>
  new Problem({ what, why: 'A token is for exactly one server and one tenant.', fix })

/** Throws a Problem for what can be no server's. */
export function addressOf(url: string): URL {
  const address = safeUrl(url)
  if (address) return address
  throw wrong(`${url} is no URL of an MCP server: https, or http on this machine, without a query.`)
}

/**
 * Reads the protected resource metadata (RFC 9728 section 3). Throws a Problem when nothing answers, and for a
 * server that names another one or sends its callers to sign in elsewhere than at Entra ID.
 */
export async function describeServer(url: string): Promise<McpServer> {
  const address = addressOf(url)
  const { resource, authorization_servers, scopes_supported } = await metadataOf(url)
  // RFC 9728 section 3.3: or a server could pass the token of another one on.
  if (resource !== url) throw wrong(`The server at ${url} calls itself ${resource}.`, `--url ${resource}`)
  const [, authorityHost = '', tenantId = ''] = AUTHORITY.exec(authorization_servers[0]) ?? []
  const isEmulator = authorityHost.startsWith('http:')
  const isTrusted = !isEmulator || (isLoopback(address) && isLoopback(new URL(authorityHost)))
  if (!authorityHost || !isTrusted)
    throw wrong(`${url} sends its callers to ${authorization_servers[0]}, which is not Entra ID.`)
  return { url, authorityHost, tenantId, scopes: ownScopes(url, scopes_supported.join(' ')) }
}

/** Throws a Problem for a scope of anything else: the server would get a token that is good elsewhere. */
export function ownScopes(url: string, scopes: string): string[] {
  const all = scopes.split(' ').filter(Boolean)
  const foreign = all.find(
    (scope) => !/^[\w.:-]+$/.test(scope.slice(url.length + 1)) || !scope.startsWith(`${url}/`),
  )
  if (foreign) throw wrong(`${url} asks for ${foreign}, which is not a scope of this server.`)
  return all
}

async function metadataOf(url: string) {
  const options = { timeout: 10_000, retry: 0, redirect: 'error', throwHttpErrors: false } as const
  const response = await ky(metadataUrl(url), options).catch((error: unknown) => {
    throw notAnswering(url, error)
  })
  const parsed = Metadata.safeParse(await response.json().catch(() => undefined))
  if (response.ok && parsed.success) return parsed.data
  throw wrong(`${url} is no MCP server behind Entra ID: its metadata answers HTTP ${response.status}.`)
}

export const notAnswering = (url: string, error: unknown) =>
  new Problem({
    what: `The server at ${url} does not answer: ${reasonOf(error)}`,
    why: 'It is not running, or the URL is another one.',
    fix: isLoopback(new URL(url))
      ? 'npm start    (in another terminal; for a deployment: --url <SERVER_URL>, or azd env select <name>)'
      : 'azd env get-value SERVER_URL    (the URL of the deployment; then: --url <SERVER_URL>)',
  })

/** ECONNREFUSED, say: the code is deep below what fetch throws. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause === undefined ? error.name : reasonOf(error.cause)
}
