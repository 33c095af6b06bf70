import { z } from 'zod'

const Answer = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number(), z.null()]),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
})

const ToolResult = z.object({
  content: z.array(z.object({ type: z.literal('text'), text: z.string() })),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
})

export type Call = Readonly<{ token?: string; id?: number; headers?: Record<string, string> }>

/** One JSON-RPC message as an MCP client would send it, without a client in between. */
export const post = (url: string, body: unknown, { token, headers }: Call = {}) =>
  fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

export async function rpc(url: string, method: string, params: unknown, call: Call = {}) {
  const response = await post(url, { jsonrpc: '2.0', id: call.id ?? 1, method, params }, call)
  return { response, answer: Answer.parse(await response.json()) }
}

/** Calls a tool and returns its result; an HTTP or protocol error throws. */
export async function callTool(url: string, name: string, args: Record<string, unknown>, call: Call = {}) {
  const { answer } = await rpc(url, 'tools/call', { name, arguments: args }, call)
  return { id: answer.id, ...ToolResult.parse(answer.result) }
}

export async function toolNames(url: string, token: string): Promise<string[]> {
  const { answer } = await rpc(url, 'tools/list', {}, { token })
  return z
    .object({ tools: z.array(z.object({ name: z.string() })) })
    .parse(answer.result)
    .tools.map(({ name }) => name)
}

export const lunch = (changes: Record<string, unknown> = {}) => ({
  date: '2026-03-01',
  amount: 12.5,
  category: 'food',
  description: 'Lunch',
  payment_method: 'visa',
  ...changes,
})
