import type { Span } from '@opentelemetry/api'
import type { AuditLine, AuditSinks } from './audit.ts'

/** So many lines of one kind are written in full within a minute; the others become one line with their count. */
const IN_FULL = 10
const MINUTE_MS = 60_000
const COUNTED_EVERY_MS = 10_000

type Kind = {
  line: AuditLine
  /** Milliseconds since 1970 of the first line of this minute. */
  since: number
  written: number
  counted: number
}

/**
 * Writes audit lines. The workspace takes a gigabyte a day and then drops everything: whoever needs no token, or is
 * refused for asking too often, gets a bounded number of lines. All other lines are written, whatever comes beside.
 */
export class AuditTrail {
  readonly #sinks: AuditSinks
  readonly #kinds = new Map<string, Kind>()
  #timer: NodeJS.Timeout | undefined

  constructor(sinks: AuditSinks) {
    this.#sinks = sinks
  }

  readonly write = (line: AuditLine, span?: Span): void => {
    const kind = isRepeatable(line) ? this.#kindOf(line) : undefined
    if (kind && kind.written >= IN_FULL) {
      kind.counted += 1
      return
    }
    if (kind) kind.written += 1
    this.#sinks.log.audit(line)
    this.#sinks.record?.(line, span)
  }

  /** Writes what was only counted. Called by itself every ten seconds while there is something, and before the end. */
  flush(now = Date.now()): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const [key, kind] of this.#kinds) {
      const { decision, reason, outcome, oid, status } = kind.line
      const known = { decision, reason, outcome, ...(oid && { oid }), status }
      if (kind.counted > 0) this.#sinks.log.audit({ ...known, count: kind.counted })
      kind.counted = 0
      if (now - kind.since >= MINUTE_MS) this.#kinds.delete(key)
    }
    if (this.#kinds.size > 0) this.#schedule()
  }

  /** Fixed words and the ids of signed-in users: their number is bounded without a limit of its own. */
  #kindOf(line: AuditLine): Kind {
    const key = [line.decision, line.reason, line.outcome, line.status, line.oid].join(' ')
    const known = this.#kinds.get(key)
    if (known) return known
    const kind = { line, since: Date.now(), written: 0, counted: 0 }
    this.#kinds.set(key, kind)
    this.#schedule()
    return kind
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.flush(), COUNTED_EVERY_MS).unref()
  }
}

const isRepeatable = ({ oid, decision }: AuditLine) => oid === undefined || decision === 'deny:rate'
