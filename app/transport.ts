import type { IncomingHttpHeaders } from 'node:http'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  SUPPORTED_PROTOCOL_VERSIONS,
} from '@modelcontextprotocol/sdk/types.js'
import { badRequest, HTTP_REFUSED } from './refusal.ts'

/**
 * The HTTP rules of MCP's Streamable HTTP transport (specification 2025-11-25, "Sending Messages to the
 * Server") for one posted message. Throws Refusal: 400 for another protocol version or no message.
 */
export function parseMessage(headers: IncomingHttpHeaders, body: unknown): JSONRPCMessage {
  const message = JSONRPCMessageSchema.safeParse(body)
  if (!message.success) throw badRequest(400, 'not_a_message', 'The body is not a JSON-RPC message.')
  const version = headers['mcp-protocol-version']
  const initializes = 'method' in message.data && message.data.method === 'initialize'
  if (version !== undefined && !initializes && !SUPPORTED_PROTOCOL_VERSIONS.includes(String(version))) {
    const supported = `Bad Request: Unsupported protocol version (supported versions: ${SUPPORTED_PROTOCOL_VERSIONS.join(', ')})`
    throw badRequest(400, 'protocol_version', supported, HTTP_REFUSED)
  }
  return message.data
}

/**
 * Carries one request to a server and its answer back, as JSON. The SDK's own HTTP transport turns each
 * request and response into web streams first, which costs more than all else together (`npm run bench`);
 * a server without sessions and streams needs none of that.
 */
export class OneRequestTransport implements Transport {
  onclose?: () => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #answer = Promise.withResolvers<JSONRPCMessage | undefined>()

  async start(): Promise<void> {}

  /** Notifications of the server have no stream to go to; only the answer counts. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) this.#answer.resolve(message)
  }

  async close(): Promise<void> {
    this.#answer.resolve(undefined)
    this.onclose?.()
  }

  /** The answer, or undefined when the transport was closed first. */
  ask(message: JSONRPCMessage): Promise<JSONRPCMessage | undefined> {
    this.onmessage?.(message)
    return this.#answer.promise
  }
}
