import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type Span, trace } from '@opentelemetry/api'
import type { Log } from './log.ts'

export type Decision =
  | 'accept'
  | 'deny:host'
  | 'deny:token'
  | 'deny:rate'
  | 'deny:request'
  | 'deny:scope'
  | 'deny:claims'
  | 'deny:group'
  | 'deny:rbac'

/**
 * What came of a request. `refused`: by us, see the decision; `refused_by_store`: Cosmos was asked and did not do it;
 * `failed`: another service or we ourselves; `caller_gone`: nobody was there for the answer, whatever was done.
 */
export type Outcome = 'done' | 'refused' | 'refused_by_store' | 'failed' | 'caller_gone'

/** What is known about one request to /mcp when its audit line is written. */
export type AuditEntry = {
  readonly requestId: string
  decision: Decision
  /** A fixed word or method name, never text from the request. */
  reason: string
  /** Object id of whoever calls: a user, or the service principal of a service. */
  oid?: string
  /** Set when no user is behind the call; `client` says which service it is. */
  caller?: 'service'
  client?: string
  tool?: string
  /** Where the on-behalf-of token came from, if one was needed; `refused` to this user, or it could not be had. */
  obo?: 'cache' | 'fetched' | 'refused' | 'failed'
  /** Set where the answer's status does not tell it. */
  outcome?: Outcome
}

/** One request that has ended, under the names of the audit line. */
export type AuditLine = Readonly<
  Omit<AuditEntry, 'requestId'> & {
    outcome: Outcome
    request_id: string
    status: number
    duration_ms: number
  }
>

/** Where ended requests are written down; `record` is telemetry, if there is any. */
export type AuditSinks = Readonly<{
  log: Log
  record?: ((line: AuditLine, span: Span | undefined) => void) | undefined
}>

/** Who writes audit lines down. */
export type AuditWriter = Readonly<{ write: (line: AuditLine, span?: Span) => void }>

/**
 * Opens the audit entry of a request; its one line is written when the response is finished or the
 * client has gone. The line names who, what and why, never a name, a token, an amount or a description.
 */
export function openAuditEntry(response: ServerResponse, trail: AuditWriter): AuditEntry {
  const started = performance.now()
  const span = trace.getActiveSpan()
  const entry: AuditEntry = { requestId: randomUUID(), decision: 'deny:request', reason: 'client_gone' }
  response.setHeader('x-request-id', entry.requestId)
  response.once('close', () => {
    const { requestId, ...known } = entry
    const duration = Math.round((performance.now() - started) * 10) / 10
    const line = {
      ...known,
      outcome: outcomeOf(entry, response),
      request_id: requestId,
      status: response.statusCode,
      duration_ms: duration,
    }
    trail.write(line, span)
  })
  return entry
}

type Identified = Readonly<{ id: string; client: string | undefined; isService: boolean }>

export function noteCaller(entry: AuditEntry, { id, client, isService }: Identified): void {
  entry.oid = id
  if (isService) entry.caller = 'service'
  if (client) entry.client = client
}

export function decide(
  entry: Pick<AuditEntry, 'decision' | 'reason'>,
  decision: Decision,
  reason: string,
): void {
  entry.decision = decision
  entry.reason = reason
}

function outcomeOf({ outcome, decision }: AuditEntry, response: ServerResponse): Outcome {
  if (!response.writableFinished) return 'caller_gone'
  if (outcome) return outcome
  if (response.statusCode >= 500) return 'failed'
  return decision === 'accept' ? 'done' : 'refused'
}
