import type { IncomingHttpHeaders } from 'node:http'
import { badRequest, HTTP_REFUSED } from '../http/refusal.ts'
import { type Era, eraOf, LEGACY } from './eras.ts'
import { type Message, readMessage } from './message.ts'

/** The versions of the legacy era; which of them is spoken changes nothing in a server without sessions. */
export const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07']

export type Posted = Message & Readonly<{ era: Era }>

/**
 * The HTTP rules of MCP's Streamable HTTP transport (specification 2025-11-25, "Sending Messages to the
 * Server") for one posted message. Throws Refusal: 400 for another protocol version or no message. The
 * headers of the modern era are compared where its requests are answered.
 */
export function parseMessage(headers: IncomingHttpHeaders, body: unknown): Posted {
  const message = readMessage(body)
  const era = eraOf(headers, message)
  const version = headers['mcp-protocol-version']
  const mustName = era === LEGACY && version !== undefined && message.method !== 'initialize'
  if (mustName && !LEGACY_VERSIONS.includes(String(version))) {
    const supported = `Bad Request: Unsupported protocol version (supported versions: ${LEGACY_VERSIONS.join(', ')})`
    throw badRequest(400, 'protocol_version', supported, HTTP_REFUSED)
  }
  return { ...message, era }
}
