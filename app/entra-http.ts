import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import ky, { isHTTPError } from 'ky'

const ATTEMPT_TIMEOUT = 5_000
const DEADLINE = 10_000
const PUBLIC_CLOUD = 'https://login.microsoftonline.com'

/**
 * MSAL's network client on fetch: with time-outs and one retry of a 5xx. MSAL's errors do not tell an
 * outage from a refusal, nor carry Retry-After, so both are noted here. One instance per exchange.
 */
export class EntraHttp implements INetworkModule {
  readonly #authorityHost: string | undefined
  /** Set once Entra was busy (429), failing (5xx) or silent. */
  outage: { retryAfterSeconds: number | undefined } | undefined

  /** Without an authority host addresses are used as they are. */
  constructor(authorityHost?: string) {
    this.#authorityHost = authorityHost
  }

  /** MSAL takes https authorities only, so a loopback stand-in is reached by rewriting the address. */
  static authority(authorityHost: string, tenantId: string): string {
    return `${authorityHost.startsWith('https:') ? authorityHost : PUBLIC_CLOUD}/${tenantId}`
  }

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions) {
    return this.#send<T>('get', url, options)
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions) {
    return this.#send<T>('post', url, options)
  }

  async #send<T>(
    method: 'get' | 'post',
    url: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    const host = this.#authorityHost
    const target = host?.startsWith('http:') ? url.replace(PUBLIC_CLOUD, host) : url
    try {
      const response = await ky<T>(target, {
        method,
        ...(options.headers && { headers: options.headers }),
        ...(options.body && { body: options.body }),
        redirect: 'error',
        timeout: ATTEMPT_TIMEOUT,
        totalTimeout: DEADLINE,
        retry: {
          limit: 1,
          methods: ['get', 'post'],
          statusCodes: [500, 502, 503, 504],
          afterStatusCodes: [],
        },
      })
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.json(),
      }
    } catch (error) {
      if (!isHTTPError<T>(error)) {
        this.outage = { retryAfterSeconds: undefined }
        throw error
      }
      const { response, data } = error
      const busy = response.status === 429 || response.status >= 500
      if (busy) this.outage = { retryAfterSeconds: retryAfterSeconds(response) }
      // A refusal (4xx with Entra's JSON body) is an answer for MSAL to read.
      if (busy || data === undefined || typeof data === 'string') throw error
      return { status: response.status, headers: Object.fromEntries(response.headers), body: data }
    }
  }
}

/** Seconds of a `Retry-After` header (RFC 9110 section 10.2.3), undefined without one. */
export function retryAfterSeconds({ headers }: Response): number | undefined {
  const value = headers.get('retry-after')
  if (!value) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined
}
