import { setTimeout as pause } from 'node:timers/promises'
import { DeadlineExceeded, deadlines, within } from '../deadline.ts'
import { type StoreFault, StoreUnavailable, storeFaultOf } from './store-failure.ts'

/** How long one use of the store may take in all, and how the time between attempts is spent (tests wait for nothing). */
export interface RetryPolicy {
  deadlineMs: number
  wait: (ms: number) => Promise<unknown>
}

export const defaultPolicy: RetryPolicy = { deadlineMs: deadlines.store, wait: (ms) => pause(ms) }

/** Carries out an idempotent call, again and again if need be. */
export type Attempt = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>

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
 * Starts the time of one use of the store: all calls made through the result share it, and each is repeated until
 * it succeeds or the time is over. It throws StoreUnavailable on 5xx, when there is no token for the store, or when
 * the time leaves no room for another attempt; every other error as it is.
 */
export function retrying({ deadlineMs, wait }: RetryPolicy): Attempt {
  const end = Date.now() + deadlineMs
  return async (call) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await within(end - Date.now(), call)
      } catch (error) {
        const pauseMs = pauseBefore(attempt, error)
        if (Date.now() + pauseMs >= end) throw unavailable(storeFaultOf(error), error)
        await wait(pauseMs)
      }
    }
  }
}

/** Milliseconds until the next attempt; throws the error when there is none. */
function pauseBefore(attempt: number, error: unknown): number {
  const fault = storeFaultOf(error)
  if (error instanceof DeadlineExceeded || isDown(fault)) throw unavailable(fault, error)
  if (!passing.includes(fault.code) && !network.includes(fault.code)) throw error
  // Jitter on top of what the service asks for: those who were refused together come back apart.
  const jitter = Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10))
  return (fault.retryAfterInMs ?? 0) + jitter
}

/** 503 and its like: Cosmos, or what stands before it. */
const isDown = ({ code }: StoreFault) => typeof code === 'number' && code >= 500

const unavailable = ({ retryAfterInMs = defaultRetryAfterMs }: StoreFault, cause: unknown) =>
  new StoreUnavailable(retryAfterInMs, cause)
