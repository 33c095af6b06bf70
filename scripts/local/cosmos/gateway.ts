import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Account, Answer } from './account.ts'
import { failedBatch } from './batch.ts'
import { type Counters, count, type Fault, type Faults } from './faults.ts'
import { Refusal } from './refusal.ts'
import { type CosmosRequest, readRequest } from './request.ts'
import { verifySignature } from './signature.ts'

export interface Gateway {
  account: Account
  key: string
  /** The address that the account advertises; known once the port is. */
  url: () => string
  faults: Faults
  counters: Counters
}

/** The HTTP side: signature, faults, answer. Our own failures are a 500 and are told on stderr. */
export const gateway = (parts: Gateway): RequestListener => {
  return (message, response) => {
    const activityId = randomUUID()
    serve(parts, message, response, activityId).catch((error: unknown) => {
      // Who hung up while sending gets no answer, and it is nobody's failure.
      if (response.destroyed) return
      const refusal = error instanceof Refusal ? error : undefined
      if (!refusal) console.error(error)
      const { status, headers } = refusal ?? { status: 500, headers: {} }
      const body = (refusal ?? new Refusal(500, 'The stand-in failed.')).body(activityId)
      send(response, activityId, { status, headers, body })
    })
  }
}

const serve = async (
  parts: Gateway,
  message: IncomingMessage,
  response: ServerResponse,
  activityId: string,
) => {
  const { account, key, url, faults, counters } = parts
  const request = await readRequest(message)
  verifySignature(key, request.signed)
  count(counters, request.operation)
  const fault = faults.take(request.operation)
  if (typeof fault === 'object') return send(response, activityId, refused(request, fault))
  const answer = account.answer(request, url())
  if (fault === 'drop') response.socket?.destroy()
  else if (fault !== 'hang') send(response, activityId, answer)
}

const refused = ({ operation, body }: CosmosRequest, fault: Exclude<Fault, string>): Answer => {
  const { status, substatus, retryAfterMs } = fault
  // The service finds these two out while it carries out the operations one by one.
  if (operation === 'batch' && Array.isArray(body) && (status === 412 || status === 449)) {
    const { results } = failedBatch(body.length, 0, status)
    return { status: 207, body: results }
  }
  const headers = {
    ...(retryAfterMs !== undefined && { 'x-ms-retry-after-ms': String(retryAfterMs) }),
    ...(substatus !== undefined && { 'x-ms-substatus': String(substatus) }),
  }
  throw new Refusal(status, 'An injected fault.', headers)
}

const send = (response: ServerResponse, activityId: string, { status, body, headers }: Answer) => {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-ms-activity-id': activityId,
    'x-ms-request-charge': '1',
    ...headers,
  })
  response.end(text)
}
