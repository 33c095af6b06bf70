import { createHash } from 'node:crypto'
import {
  AuthError,
  type AuthenticationResult,
  ConfidentialClientApplication,
  InteractionRequiredAuthError,
  ServerError,
} from '@azure/msal-node'
import { LRUCache } from 'lru-cache'
import { Cache } from './cache.ts'
import { clientAuthentication } from './client-authentication.ts'
import type { Config } from './config.ts'
import {
  AssertionRefused,
  ConsentMissing,
  DownstreamUnavailable,
  ExchangeFailed,
  StepUpRequired,
} from './downstream.ts'
import { EntraHttp } from './entra-http.ts'
import type { DownstreamApi } from './permissions.ts'
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
  readonly #tokens: Cache<string, Exchange>
  /** Until when (epoch milliseconds) a user's exchanges rest because Entra said Retry-After. */
  readonly #resting = new LRUCache<UserId, number>({ max: MAX_ENTRIES })

  constructor(
    config: Pick<Config, 'tenantId' | 'clientId' | 'authorityHost' | 'credential' | 'oboCacheSeconds'>,
    maxEntries = MAX_ENTRIES,
  ) {
    this.#config = config
    this.#tokens = new Cache(maxEntries, async (exchange: Exchange) => {
      const { accessToken, expiresOn } = await this.#exchange(exchange)
      const life = (expiresOn?.getTime() ?? 0) - EXPIRY_MARGIN - Date.now()
      return { value: accessToken, milliseconds: Math.min(life, config.oboCacheSeconds * 1000) }
    })
  }

  /**
   * An access token of `api` for the caller, and whether it came from the cache. Throws StepUpRequired,
   * ConsentMissing, AssertionRefused or DownstreamUnavailable; any other error is a fault of ours.
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
    const { clientId, tenantId, authorityHost, credential } = this.#config
    const http = new EntraHttp(authorityHost)
    try {
      const authority = EntraHttp.authority(authorityHost, tenantId)
      const client = new ConfidentialClientApplication({
        auth: { clientId, authority, ...(await clientAuthentication(credential)) },
        system: { networkClient: http },
      })
      const result = await client.acquireTokenOnBehalfOf({
        oboAssertion: caller.token,
        scopes: [`${api.resource}/.default`],
      })
      if (!result) throw new Error('MSAL returned no token.')
      return result
    } catch (error) {
      if (http.outage) throw this.#rest(caller.userId, http.outage.retryAfterSeconds)
      throw failureOf(error, api)
    }
  }

  #rest(user: UserId, retryAfterSeconds: number | undefined): DownstreamUnavailable {
    const outage = new DownstreamUnavailable('Microsoft Entra ID', retryAfterSeconds)
    if (retryAfterSeconds) this.#resting.set(user, Date.now() + outage.retryAfterSeconds * 1000)
    return outage
  }
}

// MSAL declares `errorNo` a string and fills it with a number.
function failureOf(error: unknown, api: DownstreamApi): unknown {
  if (error instanceof InteractionRequiredAuthError) {
    if (error.claims) return new StepUpRequired(error.claims)
    if (String(error.errorNo) === '65001' || error.subError === 'consent_required')
      return new ConsentMissing(api)
    return new AssertionRefused('Entra asks for a new sign-in.')
  }
  // 50013 and 500133: the assertion's signature or life time; the caller's next token may do.
  if (error instanceof ServerError && ['50013', '500133'].includes(String(error.errorNo))) {
    return new AssertionRefused(`Entra refused the assertion (AADSTS${error.errorNo}).`)
  }
  if (error instanceof AuthError) return new ExchangeFailed(codeOf(error))
  return error
}

/** The AADSTS code only: Entra's full texts can name users and applications. */
function codeOf(error: AuthError): string {
  return /AADSTS\d+/.exec(error.errorMessage)?.[0] ?? (error.errorCode || error.name)
}
