import {
  AuthError,
  type INetworkModule,
  ManagedIdentityApplication,
  type NetworkRequestOptions,
} from '@azure/msal-node'
import { Cache } from '../cache.ts'
import { DeadlineExceeded, deadlines, within } from '../deadline.ts'
import { DownstreamUnavailable, IdentityRefused } from './downstream.ts'
import { EntraHttp } from './entra-http.ts'

/** `expiresOnTimestamp`: milliseconds since 1970. The AccessToken of @azure/core-auth. */
type AccessToken = Readonly<{ token: string; expiresOnTimestamp: number }>

const MAX_RESOURCES = 10
/** A token is not handed out in its last five minutes, so that it does not expire on its way. */
const EXPIRY_MARGIN = 5 * 60_000

/**
 * The server's user-assigned managed identity: its proof to Entra, to Cosmos and to Application Insights. MSAL knows
 * how to ask; that one question serves all who wait, and that it ends, is decided here.
 */
export class ManagedIdentity {
  readonly #clientId
  readonly #tokens

  constructor(clientId: string, deadlineMs: number = deadlines.identity) {
    this.#clientId = clientId
    this.#tokens = new Cache(MAX_RESOURCES, async (resource: string) => {
      const value = await this.#ask(resource, deadlineMs)
      return { value, milliseconds: value.expiresOnTimestamp - EXPIRY_MARGIN - Date.now() }
    })
  }

  /**
   * An access token for a resource such as `api://AzureADTokenExchange`. Throws DownstreamUnavailable while the
   * identity endpoint does not answer, and IdentityRefused, a fault of ours, when it knows no such identity.
   */
  token(resource: string): Promise<AccessToken> {
    return this.#tokens.get(resource, resource)
  }

  /** The TokenCredential of @azure/core-auth, for the Azure SDKs. Their scopes are `<resource>/.default`. */
  readonly credential = {
    getToken: (scopes: string | string[]): Promise<AccessToken> =>
      this.token(
        [scopes]
          .flat()
          .join()
          .replace(/\/\.default$/, ''),
      ),
  }

  async #ask(resource: string, deadlineMs: number): Promise<AccessToken> {
    const identity = new ManagedIdentityApplication({
      managedIdentityIdParams: { userAssignedClientId: this.#clientId },
      // MSAL would sleep between attempts of its own.
      system: { networkClient: identityHttp, disableInternalRetries: true },
    })
    try {
      const { accessToken, expiresOn } = await within(deadlineMs, () => identity.acquireToken({ resource }))
      return { token: accessToken, expiresOnTimestamp: expiresOn?.getTime() ?? 0 }
    } catch (error) {
      throw this.#failureOf(error)
    }
  }

  #failureOf(error: unknown): Error {
    const { outage, refusal } = error instanceof NoToken ? error.http : {}
    if (outage || error instanceof DeadlineExceeded)
      return new DownstreamUnavailable(
        'The managed identity',
        outage?.retryAfterSeconds,
        outage?.cause ?? error,
      )
    const reason = refusal ? refusal.error : error instanceof AuthError ? error.errorCode : undefined
    return new IdentityRefused({ identity: this.#clientId, reason, status: refusal?.status })
  }
}

/** Only an AuthError passes through MSAL as it is. */
class NoToken extends AuthError {
  readonly http: EntraHttp

  constructor(http: EntraHttp) {
    super('no_token', 'The identity endpoint gave no token.', '')
    // AuthError makes every instance its own.
    Object.setPrototypeOf(this, NoToken.prototype)
    this.http = http
  }
}

/** MSAL keeps the first network client that it is given for the whole process, so this one keeps nothing. */
const identityHttp: INetworkModule = {
  sendGetRequestAsync: <T>(url: string, options?: NetworkRequestOptions) =>
    asked((http) => http.sendGetRequestAsync<T>(url, options)),
  sendPostRequestAsync: <T>(url: string, options?: NetworkRequestOptions) =>
    asked((http) => http.sendPostRequestAsync<T>(url, options)),
}

async function asked<T>(send: (http: EntraHttp) => Promise<T>): Promise<T> {
  const http = new EntraHttp('Managed identity', deadlines.identity)
  const answer = await send(http).catch(() => undefined)
  if (answer === undefined || http.refusal) throw new NoToken(http)
  return answer
}
