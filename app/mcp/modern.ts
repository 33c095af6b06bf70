import { createMcpHandler, isSpecType, ProtocolError, Server } from '@modelcontextprotocol/server'
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv'
import type { Response as Answer, Request as Posted } from 'express'
import { z } from 'zod'
import { Refusal } from '../http/refusal.ts'
import type { Message } from './message.ts'
import { info, instructions, listCache, type Offer, unknownTool } from './offer.ts'

// Building a validator costs more than a whole request; it keeps no state of a caller.
const jsonSchemaValidator = new AjvJsonSchemaValidator()
const cacheHints = { 'tools/list': listCache, 'server/discover': listCache }

/**
 * Answers a message of the era of 2026-07-28 with the SDK's handler, which compares headers with the body, checks the
 * envelope and answers `server/discover`. Throws Refusal for what it refuses: 400 with -32020, -32022 or -32602, 404
 * with -32601.
 */
export async function answer(
  message: Message,
  posted: Posted,
  response: Answer,
  offer: Offer,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const handler = createMcpHandler(() => serverWith(offer, message), { legacy: 'reject' })
  const request = new Request('http://localhost/mcp', {
    method: 'POST',
    headers: mcpHeaders(posted),
    signal: gone.signal,
  })
  const answered = await handler.fetch(request, { parsedBody: message.sent })
  // Nothing streams for long: without list changes a subscription ends as soon as it is acknowledged.
  const text = await answered.text()
  if (answered.status >= 400) throw refusalOf(answered.status, text)
  const type = answered.headers.get('content-type')
  if (type) response.set('content-type', type)
  response.status(answered.status).end(text)
}

function serverWith(offer: Offer, { call }: Message): Server {
  const server = new Server(info, {
    jsonSchemaValidator,
    instructions,
    cacheHints,
    capabilities: { tools: {} },
  })
  server.setRequestHandler('tools/list', () => ({ tools: offer.tools.filter(isSpecType.Tool) }))
  server.setRequestHandler('tools/call', async ({ params }) => {
    // The SDK has compared the name with the header; what runs is what was judged.
    const result = call && (await offer.call(call))
    if (result) return result
    const { code, message } = unknownTool(params.name)
    throw new ProtocolError(code, message)
  })
  return server
}

/** Those that the SDK compares with the body: never the token. */
function mcpHeaders({ headers }: Posted): Headers {
  const sent = new Headers({ 'content-type': 'application/json' })
  for (const name of ['mcp-protocol-version', 'mcp-method', 'mcp-name'])
    if (headers[name] !== undefined) sent.set(name, String(headers[name]))
  return sent
}

const Refused = z.object({ error: z.object({ code: z.int() }) })
const REASONS = new Map([
  [-32020, 'header_mismatch'],
  [-32022, 'protocol_version'],
  [-32602, 'invalid_params'],
  [-32601, 'unknown_method'],
])

function refusalOf(status: number, text: string): unknown {
  // The client has gone, and so has the reason to tell it anything.
  if (text === '') return new Refusal({ status, decision: 'deny:request', reason: 'client_gone', body: {} })
  const body: unknown = JSON.parse(text)
  const { error } = Refused.parse(body)
  const reason = REASONS.get(error.code) ?? 'protocol'
  return new Refusal({ status, decision: 'deny:request', reason, body })
}
