import type { IncomingHttpHeaders } from 'node:http'
import { isObject, type Message } from './message.ts'

/** The two ways that MCP is spoken on the one route: with an `initialize` first, or each request for itself. */
export type Era = '2025-11-25' | '2026-07-28'

export const LEGACY = '2025-11-25'
export const MODERN = '2026-07-28'

const META = 'io.modelcontextprotocol'
/** A request of the modern era says here which version it speaks. */
const VERSION = `${META}/protocolVersion`
const CLIENT = `${META}/clientInfo`
const CAPABILITIES = `${META}/clientCapabilities`
export const SERVER = `${META}/serverInfo`

/**
 * The only place that decides the era of a message, as specification 2026-07-28 ("Backward Compatibility") and its
 * SDK's `isLegacyRequest` do: modern is what says so in its `_meta` or its `MCP-Protocol-Version`.
 */
export function eraOf(headers: IncomingHttpHeaders, { method, params }: Message): Era {
  const version = headers['mcp-protocol-version']
  if (version !== undefined && String(version) >= MODERN) return MODERN
  // The handshake belongs to the legacy era by its name.
  if (method === 'initialize') return LEGACY
  return isObject(params._meta) && VERSION in params._meta ? MODERN : LEGACY
}

/**
 * Whether a modern request is spoken exactly as the official clients do it: version, method and tool name equal in
 * headers and body, a plain envelope. It needs no SDK; whatever differs is the SDK's to judge.
 */
export function isPlainlyModern(headers: IncomingHttpHeaders, { method, params, call }: Message): boolean {
  const meta = params._meta
  return (
    isObject(meta) &&
    headers['mcp-protocol-version'] === MODERN &&
    meta[VERSION] === MODERN &&
    headers['mcp-method'] === method &&
    headers['mcp-name'] === call?.name &&
    Object.entries(meta).every(([key, value]) => PLAIN.get(key)?.(value)) &&
    CAPABILITIES in meta
  )
}

const isNamed = (info: unknown) =>
  isObject(info) &&
  typeof info.name === 'string' &&
  typeof info.version === 'string' &&
  Object.values(info).every((value) => typeof value === 'string')

/** Capabilities are objects of objects and switches; none that is known is nested deeper than this. */
const areCapabilities = (value: unknown, depth = 4): boolean =>
  isObject(value) &&
  depth > 0 &&
  Object.values(value).every((part) => typeof part === 'boolean' || areCapabilities(part, depth - 1))

const PLAIN = new Map<string, (value: unknown) => boolean>([
  ['progressToken', () => true],
  [VERSION, () => true],
  [CLIENT, isNamed],
  [CAPABILITIES, (value) => areCapabilities(value)],
])
