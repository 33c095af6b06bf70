import type { Decision } from '../telemetry/audit.ts'

/** A request that ends here with an HTTP error: the caller's fault, or a temporary one of ours (503). */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly decision: Decision
  readonly reason: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(options: {
    status: number
    decision: Decision
    reason: string
    body: unknown
    headers?: Record<string, string>
  }) {
    super(options.reason)
    this.status = options.status
    this.decision = options.decision
    this.reason = options.reason
    this.body = options.body
    this.headers = options.headers ?? {}
  }
}

const jsonRpcError = (code: number, message: string, id: string | number | null = null) => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
})

/** JSON-RPC's code for a server's own errors; MCP uses it for HTTP-level refusals. */
export const HTTP_REFUSED = -32_000

/** JSON-RPC 2.0 section 5.1: -32700 parse error, -32600 invalid request. */
export const badRequest = (status: number, reason: string, message: string, code = -32600) =>
  new Refusal({ status, decision: 'deny:request', reason, body: jsonRpcError(code, message) })

/**
 * JSON-RPC's answer to a request whose params are malformed. It is the answer, not a failure of HTTP, so its status is
 * 200; a notification has no answer and gets 400.
 */
export const invalidParams = (id: string | number | undefined, message: string) =>
  new Refusal({
    status: id === undefined ? 400 : 200,
    decision: 'deny:request',
    reason: 'invalid_params',
    body: jsonRpcError(-32602, `Invalid params: ${message}`, id),
  })

export const unavailable = (decision: Decision, reason: string, message: string, retryAfterSeconds: number) =>
  new Refusal({
    status: 503,
    decision,
    reason,
    body: { error: 'temporarily_unavailable', error_description: message },
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
