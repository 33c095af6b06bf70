import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node'
import ky, { isHTTPError, type Options } from 'ky'
import { z } from 'zod'
import { within } from '../deadline.ts'
import { type Service, tracedRequest } from '../telemetry/trace.ts'

const ATTEMPT_TIMEOUT = 5_000
const PUBLIC_CLOUD = 'https://login.microsoftonline.com'

/** RFC 6749 section 5.2 and what Entra adds; an identity endpoint sends `error` or nothing of it. */
const Body = z.object({
  error: z.string().optional().catch(undefined),
  error_codes: z.array(z.number()).catch([]),
  suberror: z.string().optional().catch(undefined),
  claims: z.string().optional().catch(undefined),
})

/** What Entra said no with. Its description is left out: it names users and applications. */
export type TokenRefusal = Readonly<
  z.infer<typeof Body> & { status: number; retryAfterSeconds: number | undefined }
>

/**
 * MSAL's network client on fetch, with one retry of a 5xx. MSAL's errors tell neither an outage from a refusal nor
 * the codes of one, and carry no Retry-After, so these are noted here. One instance per exchange.
 */
export class EntraHttp implements INetworkModule {
  readonly #authorityHost: string | undefined
  readonly #service: Service
  readonly #deadlineMs: number
  /** Set once Entra was busy (429), failing (5xx) or silent; `cause` is what MSAL would hide. */
  outage: { retryAfterSeconds: number | undefined; cause: unknown } | undefined
  /** Set once Entra refused: any other 4xx. */
  refusal: TokenRefusal | undefined

  /** Each request ends after the deadline, its body included. Without an authority host addresses are used as they are. */
  constructor(service: Service, deadlineMs: number, authorityHost?: string) {
    this.#service = service
    this.#deadlineMs = deadlineMs
    this.#authorityHost = authorityHost
  }

  /** MSAL takes https authorities only, so a loopback emulator is reached by rewriting the address. */
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
    { headers, body }: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    const host = this.#authorityHost
    const target = host?.startsWith('http:') ? url.replace(PUBLIC_CLOUD, host) : url
    try {
      return await within(this.#deadlineMs, (signal) =>
        tracedRequest(this.#service, 'token', method.toUpperCase(), async (trace, answered) => {
          const request = { ...ATTEMPTS, method, signal, headers: { ...headers, ...trace } }
          const response = await ky<T>(target, {
            ...request,
            ...(body && { body }),
            hooks: { afterResponse: [({ response }) => answered(response.status)] },
          })
          return { ...headOf(response), body: await response.json() }
        }),
      )
    } catch (error) {
      if (!isHTTPError<T>(error)) {
        this.outage = { retryAfterSeconds: undefined, cause: error }
        throw error
      }
      const { response, data } = error
      if (response.status === 429 || response.status >= 500) {
        this.outage = { retryAfterSeconds: retryAfterSeconds(response), cause: error }
        throw error
      }
      const { status } = response
      const said = Body.safeParse(data).data ?? { error_codes: [] }
      this.refusal = { ...said, status, retryAfterSeconds: retryAfterSeconds(response) }
      // A refusal with Entra's JSON body is an answer for MSAL to read.
      if (data === undefined || typeof data === 'string') throw error
      return { ...headOf(response), body: data }
    }
  }
}

const ATTEMPTS: Options = {
  redirect: 'error',
  timeout: ATTEMPT_TIMEOUT,
  retry: { limit: 1, methods: ['get', 'post'], statusCodes: [500, 502, 503, 504], afterStatusCodes: [] },
}

const headOf = ({ status, headers }: Response) => ({ status, headers: Object.fromEntries(headers) })

/** Seconds of a `Retry-After` header (RFC 9110 section 10.2.3), undefined without one. */
export function retryAfterSeconds({ headers }: Response): number | undefined {
  const value = headers.get('retry-after')
  if (!value) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined
}
