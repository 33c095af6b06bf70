import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'

/** Cosmos cannot answer now; asking again later may help. A write may have been carried out all the same. */
export class StoreUnavailable extends Error {
  readonly code = 'store_unavailable'
  readonly retryAfterSeconds: number
  constructor(retryAfterMs: number, cause?: unknown) {
    super('The expense store cannot answer right now. Try again later.', { cause })
    this.name = 'StoreUnavailable'
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  }
}

/** A refusal that the SDK reports in a result instead of throwing it; `code` is its HTTP status. */
export class CosmosRefusal extends Error {
  readonly code: number
  constructor(code: number) {
    super(`Cosmos answered ${code}.`)
    this.name = 'CosmosRefusal'
    this.code = code
  }
}

/** How long one request may be repeated, and how the time between is spent; tests wait without a clock. */
export interface Patience {
  deadlineMs: number
  wait: (ms: number) => Promise<unknown>
}

export const defaultPatience: Patience = { deadlineMs: 8_000, wait: (ms) => pause(ms) }

// 408 time-out, 410 a partition moves, 412 and 449 a lost race, 429 too many requests.
const passing: readonly unknown[] = [408, 410, 412, 429, 449]
const network: readonly unknown[] = [
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  // Names that the SDK gives to a broken connection, a broken answer and an answer that did not come.
  ...['REQUEST_SEND_ERROR', 'PARSE_ERROR', 'TimeoutError'],
]

const defaultRetryAfterMs = 5_000
const firstPauseMs = 20
const longestPauseMs = 1_000

/**
 * Repeats an idempotent call until it succeeds or its time is over.
 *
 * @param call gets a signal that ends with the deadline
 * @throws StoreUnavailable on 503, or when the deadline leaves no room for another attempt;
 *   every other error as it is
 */
export const withPatience = async <T>(
  { deadlineMs, wait }: Patience,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const signal = AbortSignal.timeout(deadlineMs)
  const end = Date.now() + deadlineMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await call(signal)
    } catch (error) {
      const { code, retryAfterInMs } = faultOf(error)
      const unavailable = new StoreUnavailable(retryAfterInMs ?? defaultRetryAfterMs, error)
      if (code === 503 || signal.aborted) throw unavailable
      if (!passing.includes(code) && !network.includes(code)) throw error
      const pauseMs = pauseBefore(attempt, retryAfterInMs)
      if (Date.now() + pauseMs >= end) throw unavailable
      await wait(pauseMs)
    }
  }
}

// Jitter on top of what the service asks for: those who were refused together come back apart.
const pauseBefore = (attempt: number, retryAfterInMs = 0) =>
  retryAfterInMs + Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10))

const Fault = z.object({ code: z.union([z.number(), z.string()]), retryAfterInMs: z.number().optional() })

const faultOf = (error: unknown) => {
  // A batch that fails as a whole arrives as a plain Error around the SDK's own.
  const candidates = [error, error instanceof Error ? error.cause : undefined]
  for (const candidate of candidates) {
    const { data } = Fault.safeParse(candidate)
    if (data) return data
  }
  return { code: undefined, retryAfterInMs: undefined }
}
