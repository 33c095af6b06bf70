import { createHash } from 'node:crypto'
import { AuthError, type AuthenticationResult, ConfidentialClientApplication } from '@azure/msal-node'
import { LRUCache } from 'lru-cache'
import { Cache } from '../cache.ts'
import type { Config } from '../config.ts'
import { DeadlineExceeded, deadlines, within } from '../deadline.ts'
import type { DownstreamApi } from '../permissions.ts'
import { proofWith } from './client-authentication.ts'
import { DownstreamUnavailable, ExchangeFailed, IdentityRefused } from './downstream.ts'
import { EntraHttp } from './entra-http.ts'
import { exchangeFailure } from './exchange-failure.ts'
import type { Caller, UserId } from './verifier.ts'

/** Bounds memory: an entry is one access token, about 2 KB. */
const MAX_ENTRIES = 10_000
/** A token is not handed out in its last five minutes, so that it does not expire on its way. */
const EXPIRY_MARGIN = 5 * 60_000

type Exchange = { caller: Caller; api: DownstreamApi }

/**
 * Exchanges the caller's access token for one of a downstream API (OAuth 2.0 on-behalf-of flow of the
 * Microsoft identity platform). The cache is our own: MSAL's grows without bound, does not merge
 * concurrent calls, and lets one user's 429 stop everybody.
 */
export class OnBehalfOf {
  readonly #config
  readonly #proof
  readonly #deadlineMs
  readonly #tokens: Cache<string, Exchange>
  /** Until when (epoch milliseconds) a user's exchanges rest because Entra said Retry-After. */
  readonly #resting = new LRUCache<UserId, number>({ max: MAX_ENTRIES })

  constructor(
    config: Pick<Config, 'tenantId' | 'clientId' | 'authorityHost' | 'credential' | 'oboCacheSeconds'>,
    { maxEntries = MAX_ENTRIES, deadlineMs = deadlines.exchange as number } = {},
  ) {
    this.#config = config
    this.#proof = proofWith(config.credential)
    this.#deadlineMs = deadlineMs
    this.#tokens = new Cache(maxEntries, async (exchange: Exchange) => {
      const { accessToken, expiresOn } = await this.#exchange(exchange)
      const life = (expiresOn?.getTime() ?? 0) - EXPIRY_MARGIN - Date.now()
      return { value: accessToken, milliseconds: Math.min(life, config.oboCacheSeconds * 1000) }
    })
  }

  /**
   * An access token of `api` for the caller, and whether it came from the cache. Throws StepUpRequired,
   * ConsentMissing, AssertionRefused, UserRefused or DownstreamUnavailable; any other error is a fault of ours.
   */
  async tokenFor(
    caller: Caller,
    api: DownstreamApi,
  ): Promise<{ token: string; source: 'cache' | 'fetched' }> {
    // Keyed by the assertion, not the user: after a step-up the old token must not come back.
    const key = `${createHash('sha256').update(caller.token).digest('base64url')} ${api.resource}`
    const known = this.#tokens.known(key)
    if (known) return { token: known, source: 'cache' }
    return { token: await this.#tokens.get(key, { caller, api }), source: 'fetched' }
  }

  async #exchange({ caller, api }: Exchange): Promise<AuthenticationResult> {
    const rest = (this.#resting.get(caller.userId) ?? 0) - Date.now()
    if (rest > 0) throw new DownstreamUnavailable('Microsoft Entra ID', Math.ceil(rest / 1000))
    const { clientId, tenantId, authorityHost } = this.#config
    const http = new EntraHttp('Microsoft Entra ID', this.#deadlineMs, authorityHost)
    try {
      return await within(this.#deadlineMs, async () => {
        const client = new ConfidentialClientApplication({
          auth: {
            clientId,
            authority: EntraHttp.authority(authorityHost, tenantId),
            ...(await this.#proof()),
          },
          system: { networkClient: http },
        })
        const result = await client.acquireTokenOnBehalfOf({
          oboAssertion: caller.token,
          scopes: [`${api.resource}/.default`],
        })
        if (!result) throw new Error('MSAL returned no token.')
        return result
      })
    } catch (error) {
      throw this.#failureOf(error, http, { caller, api })
    }
  }

  #failureOf(error: unknown, { outage, refusal }: EntraHttp, { caller, api }: Exchange): unknown {
    if (outage) return this.#rest(caller.userId, outage.retryAfterSeconds, outage.cause)
    if (refusal) {
      const failure = exchangeFailure(refusal, api)
      const passing = failure instanceof DownstreamUnavailable
      return passing ? this.#rest(caller.userId, refusal.retryAfterSeconds, error) : failure
    }
    if (error instanceof DeadlineExceeded) return this.#rest(caller.userId, undefined, error)
    if (error instanceof IdentityRefused) return new ExchangeFailed(error.code, error.status, error)
    return error instanceof AuthError ? new ExchangeFailed(error.errorCode || error.name) : error
  }

  #rest(user: UserId, retryAfterSeconds: number | undefined, cause: unknown): DownstreamUnavailable {
    const outage = new DownstreamUnavailable('Microsoft Entra ID', retryAfterSeconds, cause)
    if (retryAfterSeconds) this.#resting.set(user, Date.now() + outage.retryAfterSeconds * 1000)
    return outage
  }
}
