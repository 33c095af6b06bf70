import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  InitializeRequestSchema,
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  JSONRPCRequestSchema,
  PingRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { Response } from 'express'
import { invalidParams } from '../http/refusal.ts'
import type { Message } from './message.ts'
import { info, instructions } from './offer.ts'

// Building a validator costs more than a whole request; it keeps no state of a caller.
const jsonSchemaValidator = new AjvJsonSchemaValidator()
/** The SDK would answer malformed ones with the output of its validator. */
const schemas = new Map<string, typeof InitializeRequestSchema | typeof PingRequestSchema>([
  ['initialize', InitializeRequestSchema],
  ['ping', PingRequestSchema],
])

/**
 * Answers what is neither a list nor a call of tools in the era of 2025-11-25, with a server of the SDK made for this
 * one request. Throws Refusal (-32602) for malformed params.
 */
export async function answer({ id, method, sent }: Message, response: Response): Promise<void> {
  const [fault] = schemas.get(method)?.safeParse(sent).error?.issues ?? []
  if (fault)
    throw invalidParams(id, `${fault.path.join('.')}: ${fault.message.replace(/^Invalid input: /, '')}.`)
  const server = new Server(info, { jsonSchemaValidator, instructions, capabilities: { tools: {} } })
  const transport = new OneRequestTransport()
  response.once('close', () => {
    if (!response.writableFinished) void server.close()
  })
  await server.connect(transport)
  const told = await transport.ask(JSONRPCRequestSchema.parse(sent))
  if (told) response.json(told)
}

/**
 * Carries one request to a server and its answer back, as JSON. The SDK's own HTTP transport turns each
 * request and response into web streams first, which costs more than all else together (`npm run bench`);
 * a server without sessions and streams needs none of that.
 */
class OneRequestTransport implements Transport {
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
