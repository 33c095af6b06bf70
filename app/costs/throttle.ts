import { retryAfterSeconds } from '../auth/entra-http.ts'
import { CostsUnavailable } from './cost-failure.ts'

/** Without a word from the service; its limits count in windows of 10 and 60 seconds. */
const DEFAULT_SECONDS = 60
/** The longest of its windows is an hour; nobody may stop us for longer by a header. */
const MAX_SECONDS = 3_600
/** Microsoft: "Data latency and rate limits": one header for each limit (qpu, entity, tenant, client). */
const LIMIT = /^x-ms-ratelimit-microsoft\.costmanagement-[\w-]*retry-after$/

/**
 * Seconds to wait after a refusal: the longest of all that its headers ask for, `Retry-After` included; undefined
 * when they ask for nothing.
 */
export function waitAskedFor(response: Response): number | undefined {
  const limits = [...response.headers]
    .filter(([name, value]) => LIMIT.test(name) && /^\d+$/.test(value))
    .map(([, value]) => Number(value))
  const waits = [...limits, retryAfterSeconds(response) ?? -1]
  const longest = Math.max(...waits)
  return longest < 0 ? undefined : Math.min(longest, MAX_SECONDS)
}

/**
 * Whether the tenant may ask. Cost Management counts per tenant, so once it has refused anybody, nobody asks again
 * before the time that it named: every question in between would only prolong it.
 */
export class Throttle {
  /** Epoch milliseconds. */
  #until = 0

  /** Throws CostsUnavailable with the seconds that are left. */
  requireRest(): void {
    const left = this.#until - Date.now()
    if (left > 0) throw new CostsUnavailable(left / 1000, { throttled: true })
  }

  /** Notes a 429 or a 5xx; a later, shorter one does not shorten the wait. */
  refused(response: Response, cause: unknown): CostsUnavailable {
    const asked = waitAskedFor(response)
    const seconds = asked ?? DEFAULT_SECONDS
    const throttled = response.status === 429
    if (asked !== undefined || throttled) this.#until = Math.max(this.#until, Date.now() + seconds * 1000)
    return new CostsUnavailable(seconds, { cause, throttled })
  }
}
