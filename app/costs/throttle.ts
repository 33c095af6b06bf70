import { LRUCache } from 'lru-cache'
import { retryAfterSeconds } from '../auth/entra-http.ts'
import type { UserId } from '../auth/verifier.ts'
import { CostsUnavailable } from './cost-failure.ts'

/** Without a word from the service; its limits count in windows of 10 and 60 seconds. */
const DEFAULT_SECONDS = 60
/** The longest of its windows is an hour; nobody may stop us for longer by a header. */
const MAX_SECONDS = 3_600
/** Microsoft: "Data latency and rate limits": one header for each limit (qpu, entity, tenant, client). */
const LIMIT = /^x-ms-ratelimit-microsoft\.costmanagement-([\w-]*)retry-after$/
/** Bounds memory. */
const MAX_ENTRIES = 10_000

/** Who asks, as the verified token says, and about which subscription (a GUID in small letters). */
export type Asker = Readonly<{ user: UserId; subscription: string }>

/** Whom a refusal stops, and for how long. */
export type Wait = Readonly<{ whose: 'all' | 'subscription' | 'user'; seconds: number }>

/**
 * The waits that the headers of a refusal ask for. `entity` is the scope of the question, the other limits of Cost
 * Management are the tenant's or this server's, and so is one that we do not know. `Retry-After` is the word of Azure
 * Resource Manager, which counts for each principal and subscription, or of a service behind it that failed.
 */
export function waitsAskedFor(response: Response): Wait[] {
  const limits = [...response.headers].flatMap(([name, value]): Wait[] => {
    const limit = LIMIT.exec(name)?.[1]
    if (limit === undefined || !/^\d+$/.test(value)) return []
    return [{ whose: limit === 'entity-' ? 'subscription' : 'all', seconds: Number(value) }]
  })
  const named = retryAfterSeconds(response)
  const waits: Wait[] = named === undefined ? limits : [...limits, { whose: 'user', seconds: named }]
  return waits.map(({ whose, seconds }) => ({ whose, seconds: Math.min(seconds, MAX_SECONDS) }))
}

/**
 * Whether a user may ask about a subscription. Once Cost Management has refused, whoever its limit counts does not ask
 * again before the time that it named: every question in between would only prolong it. Nobody else waits for that.
 */
export class Throttle {
  /** All of them in epoch milliseconds. */
  #all = 0
  readonly #users = new LRUCache<UserId, number>({ max: MAX_ENTRIES })
  readonly #subscriptions = new LRUCache<string, number>({ max: MAX_ENTRIES })

  /** Throws CostsUnavailable with the seconds that are left. */
  requireRest(asker: Asker): void {
    const left = Math.max(...WHOSE.map((whose) => this.#until(whose, asker))) - Date.now()
    if (left > 0) throw new CostsUnavailable(left / 1000, { throttled: true })
  }

  /** Notes a 429 or a 5xx; a later, shorter one does not shorten the wait. */
  refused(response: Response, cause: unknown, asker: Asker): CostsUnavailable {
    const throttled = response.status === 429
    const asked = waitsAskedFor(response)
    const waits: Wait[] =
      asked.length === 0 && throttled ? [{ whose: 'user', seconds: DEFAULT_SECONDS }] : asked
    for (const wait of waits) this.#note(wait, asker)
    const seconds = waits.length === 0 ? DEFAULT_SECONDS : Math.max(...waits.map((wait) => wait.seconds))
    return new CostsUnavailable(seconds, { cause, throttled })
  }

  #until(whose: Wait['whose'], { user, subscription }: Asker): number {
    if (whose === 'all') return this.#all
    return (whose === 'user' ? this.#users.get(user) : this.#subscriptions.get(subscription)) ?? 0
  }

  #note({ whose, seconds }: Wait, asker: Asker): void {
    const until = Math.max(this.#until(whose, asker), Date.now() + seconds * 1000)
    if (whose === 'all') this.#all = until
    else if (whose === 'user') this.#users.set(asker.user, until)
    else this.#subscriptions.set(asker.subscription, until)
  }
}

const WHOSE = ['all', 'subscription', 'user'] as const
