import { badRequest, invalidParams } from '../http/refusal.ts'

export type Json = Readonly<Record<string, unknown>>
export type RequestId = string | number

/** One posted JSON-RPC message, its params checked as far as every method and the tools need it. */
export type Message = Readonly<{
  /** Undefined: a notification, or a response to a request that this server never sent. */
  id: RequestId | undefined
  method: string
  params: Json
  /** The tool that a tools/call names, and what it is called with. */
  call?: Readonly<{ name: string; args: Json }>
  /** The message as the SDKs take it: what was sent, without the nulls that mean "absent". */
  sent: Json
}>

const MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params'])

/**
 * Reads one JSON-RPC 2.0 message from a parsed body. `"params": null` and `"arguments": null` are absent, as many
 * clients mean it. Throws Refusal: 400 with -32600 for what is no message, -32602 for malformed params, in words.
 */
export function readMessage(body: unknown): Message {
  if (!isObject(body) || body.jsonrpc !== '2.0') throw notAMessage()
  if (isResponse(body)) return { id: undefined, method: 'response', params: {}, sent: body }
  const { id, method, params = null } = body
  if (typeof method !== 'string' || !(id === undefined || isId(id))) throw notAMessage()
  if (!Object.keys(body).every((member) => MEMBERS.has(member))) throw notAMessage()
  const { params: _, ...withoutParams } = body
  if (params === null) return specific({ id, method, params: {}, sent: withoutParams })
  if (!isObject(params)) throw invalidParams(id, 'params must be an object.')
  checkMeta(id, params._meta)
  return specific({ id, method, params, sent: body })
}

function specific(message: Message): Message {
  const { id, method, params } = message
  if (id === undefined) return message
  if (method === 'tools/list') return checkedList(message)
  if (method !== 'tools/call') return message
  const { arguments: args = null, ...others } = params
  if (typeof params.name !== 'string') throw invalidParams(id, 'params.name must be a string.')
  if (args !== null && !isObject(args)) throw invalidParams(id, 'params.arguments must be an object.')
  const call = { name: params.name, args: args ?? {} }
  return args ? { ...message, call } : { ...message, call, sent: { ...message.sent, params: others } }
}

/** All tools fit on one page, so no cursor was ever given out. */
function checkedList(message: Message): Message {
  const { cursor = null, ...others } = message.params
  if (cursor === null) return 'cursor' in message.params ? withParams(message, others) : message
  throw invalidParams(message.id, 'params.cursor is not one of this server: its list of tools has one page.')
}

const withParams = (message: Message, params: Json): Message => ({
  ...message,
  params,
  sent: { ...message.sent, params },
})

function checkMeta(id: RequestId | undefined, meta: unknown): void {
  if (meta === undefined) return
  if (!isObject(meta)) throw invalidParams(id, 'params._meta must be an object.')
  const { progressToken } = meta
  if (progressToken !== undefined && !isId(progressToken))
    throw invalidParams(id, 'params._meta.progressToken must be a string or a whole number.')
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// MCP narrows JSON-RPC: an id is never null and never a fraction.
const isId = (value: unknown): value is RequestId => typeof value === 'string' || Number.isSafeInteger(value)

const isResponse = (body: Json) =>
  body.method === undefined && ('result' in body || 'error' in body) && (isId(body.id) || 'error' in body)

const notAMessage = () => badRequest(400, 'not_a_message', 'The body is not a JSON-RPC message.')
