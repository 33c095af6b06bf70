import { createHash } from 'node:crypto'
import {
  AuthError,
  type AuthenticationResult,
  ConfidentialClientApplication,
  InteractionRequiredAuthError,
  ManagedIdentityApplication,
  type NodeAuthOptions,
  ServerError,
} from '@azure/msal-node'
import { LRUCache } from 'lru-cache'
import type { Config } from './config.ts'
import type { Credential } from './credential.ts'
import { EntraHttp } from './entra-http.ts'
import type { DownstreamApi } from './permissions.ts'
import type { Caller, UserId } from './verifier.ts'

/** Bounds memory: an entry is one access token, about 2 KB. */
const MAX_ENTRIES = 10_000
/** A token is not handed out in its last five minutes, so that it does not expire on its way. */
const EXPIRY_MARGIN = 5 * 60_000
const DEFAULT_RETRY_SECONDS = 5
const MAX_RETRY_SECONDS = 300

/** Conditional Access wants more of the user: `claims` is the JSON to send back to the client. */
export class StepUpRequired extends Error {
  override name = 'StepUpRequired'
  readonly claims: string

  constructor(claims: string) {
    super('Conditional Access requires more of the user.')
    this.claims = claims
  }
}

/** AADSTS65001: nobody granted the API app its permissions on the downstream API. */
export class ConsentMissing extends Error {
  override name = 'ConsentMissing'
  readonly api: DownstreamApi

  constructor(api: DownstreamApi) {
    super(`Admin consent for ${api.displayName} is missing.`)
    this.api = api
  }
}

/** Entra no longer takes the caller's token as an assertion: a new sign-in mends it. */
export class AssertionRefused extends Error {
  override name = 'AssertionRefused'
}

/** A service we call on behalf of the user is busy or down. */
export class DownstreamUnavailable extends Error {
  override name = 'DownstreamUnavailable'
  readonly retryAfterSeconds: number

  constructor(service: string, retryAfterSeconds = DEFAULT_RETRY_SECONDS) {
    super(`${service} is not available.`)
    this.retryAfterSeconds = Math.min(Math.max(1, retryAfterSeconds), MAX_RETRY_SECONDS)
  }
}

/** A fault of ours, such as a credential that Entra does not know. `code`: AADSTS number or MSAL's code. */
export class ExchangeFailed extends Error {
  override name = 'ExchangeFailed'
  readonly code: string

  constructor(code: string) {
    super(`The on-behalf-of exchange failed: ${code}.`)
    this.code = code
  }
}

type Exchange = { caller: Caller; api: DownstreamApi }

/**
 * Exchanges the caller's access token for one of a downstream API (OAuth 2.0 on-behalf-of flow of the
 * Microsoft identity platform). The cache is our own: MSAL's grows without bound, does not merge
 * concurrent calls, and lets one user's 429 stop everybody.
 */
export class OnBehalfOf {
  readonly #config
  readonly #clientAuthentication: Partial<NodeAuthOptions>
  readonly #tokens: LRUCache<string, string, Exchange>
  /** Until when (epoch milliseconds) a user's exchanges rest because Entra said Retry-After. */
  readonly #resting = new LRUCache<UserId, number>({ max: MAX_ENTRIES })

  constructor(
    config: Pick<Config, 'tenantId' | 'clientId' | 'authorityHost' | 'credential' | 'oboCacheSeconds'>,
    maxEntries = MAX_ENTRIES,
  ) {
    this.#config = config
    this.#clientAuthentication = clientAuthentication(config.credential)
    this.#tokens = new LRUCache<string, string, Exchange>({
      max: maxEntries,
      perf: { now: () => Date.now() },
      ttlResolution: 0,
      ignoreFetchAbort: true,
      fetchMethod: async (_key, _stale, { context, options }) => {
        const { accessToken, expiresOn } = await this.#exchange(context)
        const life = (expiresOn?.getTime() ?? 0) - EXPIRY_MARGIN - Date.now()
        // 0 would mean "for ever" to the cache.
        options.ttl = Math.max(1, Math.min(life, config.oboCacheSeconds * 1000))
        return accessToken
      },
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
    const known = this.#tokens.get(key)
    if (known) return { token: known, source: 'cache' }
    const token = await this.#tokens.fetch(key, { context: { caller, api } })
    if (!token) throw new Error('The on-behalf-of cache returned no token.')
    return { token, source: 'fetched' }
  }

  async #exchange({ caller, api }: Exchange): Promise<AuthenticationResult> {
    const rest = (this.#resting.get(caller.userId) ?? 0) - Date.now()
    if (rest > 0) throw new DownstreamUnavailable('Microsoft Entra ID', Math.ceil(rest / 1000))
    const { clientId, tenantId, authorityHost } = this.#config
    const http = new EntraHttp(authorityHost)
    const client = new ConfidentialClientApplication({
      auth: {
        clientId,
        authority: EntraHttp.authority(authorityHost, tenantId),
        ...this.#clientAuthentication,
      },
      system: { networkClient: http },
    })
    try {
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

function clientAuthentication(credential: Credential): Partial<NodeAuthOptions> {
  if (credential.kind === 'secret') return { clientSecret: credential.secret }
  if (credential.kind === 'certificate') {
    const { thumbprintSha256, privateKey, certificate } = credential
    return { clientCertificate: { thumbprintSha256, privateKey, x5c: certificate } }
  }
  const identity = new ManagedIdentityApplication({
    managedIdentityIdParams: { userAssignedClientId: credential.clientId },
  })
  return {
    // Runs on every exchange; MSAL caches the managed identity's token itself.
    clientAssertion: async () =>
      (await identity.acquireToken({ resource: 'api://AzureADTokenExchange' })).accessToken,
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
