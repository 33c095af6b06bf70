import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWKSCacheInput,
  type JWTVerifyGetKey,
  jwksCache,
} from 'jose'
import { z } from 'zod'
import { deadlines, within } from '../deadline.ts'
import { faultFields } from '../telemetry/fault.ts'
import type { Log } from '../telemetry/log.ts'
import { tracedRequest } from '../telemetry/trace.ts'

/** Keys younger than this are used without looking; older ones are renewed behind the request's back. */
const FRESH_FOR = 10 * 60_000
/** Keys older than this are used only when the endpoint does not answer. */
const LONG_UNASKED = 60 * 60_000
/** How long the last good keys may outlive the key endpoint. */
const STALE_LIMIT = 24 * 60 * 60_000
/** An unknown key id causes at most one fetch in this time. */
const UNKNOWN_KEY_COOLDOWN = 30_000
/** After a failed fetch the endpoint is left alone for this long: an outage must not slow every request. */
const FAILURE_COOLDOWN = 5_000

const KeySet = z.object({ keys: z.array(z.unknown()) })
/** RFC 7518 section 6.3.1; 342 characters are 2,048 bits, the least that RS256 allows. */
const RsaKey = z.looseObject({
  kty: z.literal('RSA'),
  kid: z.string().min(1),
  n: z.base64url().min(342),
  e: z.base64url().min(2),
})

/** The key endpoint does not answer and no usable keys are left: our fault (503), never the caller's (401). */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable'
  readonly code = 'keys_unavailable'
  readonly retryAfterSeconds = FAILURE_COOLDOWN / 1000
}

/**
 * The tenant's signing keys. jose fetches, merges concurrent fetches and picks the key; this decides when
 * to fetch, so that an outage of the key endpoint and a rotation are survived.
 */
export class SigningKeys {
  readonly #cache: JWKSCacheInput = {}
  readonly #deadlineMs
  readonly #log
  readonly #remote
  #failedAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY

  /** Without a log a failed fetch is told to nobody but the caller. */
  constructor(
    authorityHost: string,
    tenantId: string,
    { deadlineMs = deadlines.keys as number, log }: { deadlineMs?: number; log?: Pick<Log, 'warn'> } = {},
  ) {
    this.#log = log
    this.#deadlineMs = deadlineMs
    this.#remote = createRemoteJWKSet(new URL(`${authorityHost}/${tenantId}/discovery/v2.0/keys`), {
      // Expiry is decided in `#refresh`: jose would fail every request once its own maximum age is past.
      cacheMaxAge: Number.POSITIVE_INFINITY,
      // And unknown keys in `get`: jose's cooldown starts at any fetch, so a rotation soon after one would
      // refuse good tokens for half a minute.
      cooldownDuration: Number.POSITIVE_INFINITY,
      [jwksCache]: this.#cache,
      [customFetch]: (url, options) => this.#fetch(url, options.headers),
    })
  }

  /** Loads the keys if need be; throws KeysUnavailable without any. For the readiness probe. */
  async ready(): Promise<void> {
    await this.#refresh()
  }

  /** For `jwtVerify`. Throws KeysUnavailable, or jose's JWKSNoMatchingKey for an unknown key id. */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    await this.#refresh()
    try {
      return await this.#remote(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !this.#mayLookForUnknownKey()) throw error
      await this.#remote.reload()
      return this.#remote(header, token)
    }
  }

  /** Joins a look that is under way; begins one only after the cooldown. */
  #mayLookForUnknownKey(): boolean {
    if (this.#remote.reloading) return true
    if (Date.now() < this.#lookedAt + UNKNOWN_KEY_COOLDOWN) return false
    this.#lookedAt = Date.now()
    return true
  }

  async #refresh(): Promise<void> {
    const age = 'uat' in this.#cache ? Date.now() - Number(this.#cache.uat) : Number.POSITIVE_INFINITY
    if (age < FRESH_FOR) return
    const renewal = this.#remote.reload()
    if (age >= STALE_LIMIT) return renewal
    // The last good keys survive a failed renewal; it is tried again after the cooldown.
    const tolerated = renewal.catch(() => undefined)
    // After a quiet time a key may have been withdrawn: then the answer is waited for.
    if (age >= LONG_UNASKED) return tolerated
  }

  async #fetch(url: string, headers: Headers): Promise<Response> {
    if (Date.now() < this.#failedAt + FAILURE_COOLDOWN)
      throw new KeysUnavailable('The key endpoint failed just now.')
    try {
      const { keys } = await this.#download(url, headers)
      const usable = keys.flatMap((key) => RsaKey.safeParse(key).data ?? [])
      // An empty or broken answer must not replace good keys.
      if (usable.length === 0) throw new Error('no usable keys')
      return Response.json({ keys: usable })
    } catch (cause) {
      this.#failedAt = Date.now()
      this.#log?.warn('The key endpoint does not answer.', faultFields(cause))
      throw new KeysUnavailable('The key endpoint does not answer.', { cause })
    }
  }

  #download(url: string, headers: Headers) {
    return within(this.#deadlineMs, (signal) =>
      tracedRequest('Microsoft Entra ID', 'signing keys', 'GET', async (trace, answered) => {
        const response = await fetch(url, {
          headers: { ...Object.fromEntries(headers), ...trace },
          redirect: 'error',
          signal,
        })
        answered(response.status)
        if (response.status !== 200) throw new Error(`status ${response.status}`)
        return KeySet.parse(await response.json())
      }),
    )
  }
}
