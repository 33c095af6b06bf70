import { LRUCache } from 'lru-cache'
import { Refusal } from '../http/refusal.ts'

const MINUTE_MS = 60_000
/** More addresses than this are not told apart for a whole minute; some 2 MB. */
const MAX_ADDRESSES = 10_000
/** The addresses together, as a multiple of one. */
const ALL_TO_ONE = 10
/** From here on tokens of the address are not even verified, unless they are known. */
const HOSTILE_TO_BOUND = 10

type Count = { until: number; refused: number }

/**
 * Bounds the refusals of those who are not signed in, by client address and in all: a challenge for everybody who
 * asks, but not as often as they like. A good token is never refused for what others do, except behind an address
 * that sends bad ones by the thousand.
 */
export class Strangers {
  readonly #perMinute: number
  readonly #addresses = new LRUCache<string, Count>({ max: MAX_ADDRESSES })
  #all: Count = { until: 0, refused: 0 }

  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /** Counts a refusal of this address: the refusal itself, or a 429 instead of it. */
  refuse(address: string | undefined, refusal: Refusal): Refusal {
    const now = Date.now()
    const own = this.#countOf(address, now)
    if (this.#all.until <= now) this.#all = { until: now + MINUTE_MS, refused: 0 }
    own.refused += 1
    this.#all.refused += 1
    if (own.refused > this.#perMinute) return tooMany('address', own.until - now)
    if (this.#all.refused > this.#perMinute * ALL_TO_ONE) return tooMany('strangers', this.#all.until - now)
    return refusal
  }

  /** Whether verifying a token of this address would only cost: it has sent bad ones by the thousand. */
  isHostile(address: string | undefined): boolean {
    const known = this.#addresses.get(networkOf(address ?? ''))
    return !!known && known.until > Date.now() && known.refused >= this.#perMinute * HOSTILE_TO_BOUND
  }

  #countOf(address: string | undefined, now: number): Count {
    const key = networkOf(address ?? '')
    const known = this.#addresses.get(key)
    if (known && known.until > now) return known
    const count = { until: now + MINUTE_MS, refused: 0 }
    this.#addresses.set(key, count)
    return count
  }
}

/** One client has one IPv4 address, but a whole /64 network of IPv6. */
export function networkOf(address: string): string {
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (ipv4) return ipv4
  const [head = '', tail] = address.toLowerCase().slice(0, 64).split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail?.split(':').filter(Boolean) ?? []
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')
}

const tooMany = (reason: 'address' | 'strangers', waitMs: number) =>
  new Refusal({
    status: 429,
    decision: 'deny:rate',
    reason,
    body: {
      error: 'rate_limited',
      error_description: 'Too many requests without a valid token. Sign in, or try again later.',
    },
    headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
  })
