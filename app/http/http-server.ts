import { randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { AuditWriter } from '../telemetry/audit.ts'

/** A token of a user with many groups and roles has some 20 KB; Node's default for all headers is 16 KB. */
const MAX_HEADER_BYTES = 32 * 1024
const LIMITS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  // Slow or silent clients: 10 s for the headers, 30 s for the whole request, looked at every 2 s.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 75_000,
  // Answered by app.ts, as JSON; two of them are accepted here.
  requireHostHeader: false,
}
/** An answer that its client does not read is cut off. */
const SILENCE_MS = 120_000
/** Idle ones cost some 15 KB each; the ingress needs about as many as there are requests in flight. */
const MAX_CONNECTIONS = 4_000
/** Closed at once, the connection would be reset under a client that is still sending. */
const LINGER_MS = 1_000

type Fault = Readonly<{ status: number; reason: string; description: string }>

const malformed: Fault = { status: 400, reason: 'malformed', description: 'This is not HTTP/1.1.' }
const faults: Readonly<Record<string, Fault>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'headers_too_large',
    description: `The headers are larger than ${MAX_HEADER_BYTES} bytes. Is the token of a user with very many groups?`,
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, reason: 'too_large', description: 'Chunk extensions.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, reason: 'slow', description: 'The request did not come in time.' },
}

/** The app's HTTP server. What Node itself refuses, because it never becomes a request, is JSON and audited too. */
export function createHttpServer(app: RequestListener, trail: AuditWriter): Server {
  const server = createServer(LIMITS, app)
  server.timeout = SILENCE_MS
  server.maxConnections = MAX_CONNECTIONS
  const note = ({ status, reason }: Pick<Fault, 'status' | 'reason'>, requestId: string) =>
    trail.write({
      ...{ decision: 'deny:request', reason, outcome: 'refused' },
      ...{ request_id: requestId, status, duration_ms: 0 },
    })
  const answering = new WeakMap<Socket, ServerResponse>()
  server.on('request', ({ socket }, response) => answering.set(socket, response))
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    const requestId = randomUUID()
    const told = { error: 'expectation_failed', error_description: 'Only 100-continue can be expected.' }
    const body = JSON.stringify({ ...told, request_id: requestId })
    const head = { 'content-type': 'application/json', 'x-request-id': requestId }
    response.writeHead(417, { ...head, 'content-length': body.length }).end(body)
    note({ status: 417, reason: told.error }, requestId)
  })
  const refused = new WeakSet<Socket>()
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket
    // What a client sends after its fault is another fault.
    if (refused.has(socket)) return
    refused.add(socket)
    const last = answering.get(socket)
    const response = last?.writableFinished ? undefined : last
    if (!socket.writable || error.code === 'ECONNRESET' || response?.headersSent) {
      socket.destroy(error)
      return
    }
    const fault = faults[error.code ?? ''] ?? malformed
    const requestId = String(response?.getHeader('x-request-id') ?? randomUUID())
    socket.end(answerOf(fault, requestId))
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
    // A request that has begun has its own line.
    if (response) return
    note(fault, requestId)
  })
  return server
}

function answerOf({ status, reason, description }: Fault, requestId: string): string {
  const body = JSON.stringify({ error: reason, error_description: description, request_id: requestId })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}
