import type { ServiceId, UserId } from '../auth/verifier.ts'
import { Refusal, unavailable } from './refusal.ts'

/** A service is bounded as a user is. */
type Counted = UserId | ServiceId

/** An answer takes well under a second: whoever waits that long finds a place. */
const RETRY_SECONDS = 1

/**
 * Bounds the requests that are worked on at the same time, of one user and in all, so that what they hold fits the
 * heap (app/Dockerfile). A rate says nothing about that: a minute's worth may come at once.
 */
export class InFlight {
  readonly #perUser: number
  readonly #inAll: number
  readonly #byUser = new Map<Counted, number>()
  #all = 0

  constructor(perUser: number, inAll: number) {
    this.#perUser = perUser
    this.#inAll = inAll
  }

  /** Takes a place; the returned function gives it back. Throws Refusal: 429 for this user, 503 for everybody. */
  enter(user: Counted): () => void {
    const own = this.#byUser.get(user) ?? 0
    if (own >= this.#perUser) throw tooMany(this.#perUser)
    if (this.#all >= this.#inAll) {
      throw unavailable('deny:rate', 'busy', 'The server works on too many requests.', RETRY_SECONDS)
    }
    this.#all += 1
    this.#byUser.set(user, own + 1)
    return () => this.#leave(user)
  }

  #leave(user: Counted): void {
    this.#all -= 1
    const left = (this.#byUser.get(user) ?? 0) - 1
    if (left > 0) this.#byUser.set(user, left)
    else this.#byUser.delete(user)
  }
}

const tooMany = (perUser: number) =>
  new Refusal({
    status: 429,
    decision: 'deny:rate',
    reason: 'in_flight',
    body: { error: 'rate_limited', error_description: `More than ${perUser} requests at the same time.` },
    headers: { 'retry-after': String(RETRY_SECONDS) },
  })
