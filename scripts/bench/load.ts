import autocannon from 'autocannon'
import { cpuSeconds, type Started } from './processes.ts'

const CONNECTIONS = 16

export type Load = Readonly<{
  rate: number
  p50: number
  p99: number
  /** Requests per second of the server's own CPU time; as `rate` where that cannot be told. */
  perCpu: number
}>
export type Era = '2025-11-25' | '2026-07-28'
export type Method = 'tools/call' | 'tools/list'

const META = 'io.modelcontextprotocol'
const ENVELOPE = {
  [`${META}/protocolVersion`]: '2026-07-28',
  [`${META}/clientInfo`]: { name: 'bench', version: '1.0.0' },
  [`${META}/clientCapabilities`]: {},
}
const TOOL = 'get_user_expenses'

/** One request as the official client of the era sends it. */
export function requestOf(method: Method, era: Era, token: string) {
  const call = method === 'tools/call' ? { name: TOOL, arguments: {} } : {}
  const modern = era === '2026-07-28'
  const params = modern ? { ...call, _meta: ENVELOPE } : call
  return {
    method: 'POST' as const,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': era,
      ...(modern && { 'mcp-method': method, ...('name' in call && { 'mcp-name': TOOL }) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  }
}

/** Makes one of them by hand first: what is measured has to be an answer. */
export async function requireAnswer(url: string, request: ReturnType<typeof requestOf>): Promise<void> {
  const response = await fetch(url, request)
  const text = await response.text()
  if (!response.ok || !text.includes('"result"') || text.includes('"isError"'))
    throw new Error(`${url} answers ${response.status}: ${text.slice(0, 300)}`)
}

/** Requests in turn from `requests`, each connection from its own place in them; for some seconds or a number of them. */
export async function load(
  url: string,
  server: Started,
  requests: readonly ReturnType<typeof requestOf>[],
  extent: { duration: number } | { amount: number },
): Promise<Load> {
  let connection = 0
  const before = cpuSeconds(server)
  const began = performance.now()
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    requests: [...requests.slice(0, 1)],
    setupClient: (client) => {
      if (requests.length === 1) return
      const share = Math.ceil(requests.length / CONNECTIONS)
      const from = (connection++ % CONNECTIONS) * share
      client.setRequests(requests.slice(from, from + share))
    },
    ...extent,
  })
  const seconds = (performance.now() - began) / 1000
  if (result.non2xx + result.errors > 0)
    throw new Error(`${result.non2xx} refusals and ${result.errors} errors at ${url}.`)
  // autocannon counts whole seconds; what is asked for by number may take less than one.
  const rate = 'amount' in extent ? extent.amount / seconds : result.requests.average
  const cpu = cpuSeconds(server) - before
  const perCpu = cpu > 0 ? result['2xx'] / cpu : rate
  return { rate, p50: result.latency.p50, p99: result.latency.p99, perCpu }
}

export const shown = ({ rate, p50, p99, perCpu }: Load) =>
  `${rate.toFixed(0)} req/s, ${perCpu.toFixed(0)} per CPU second, p50 ${p50} ms, p99 ${p99} ms`
