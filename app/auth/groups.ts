import ky, { isHTTPError } from 'ky'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { DeadlineExceeded, deadlines, within } from '../deadline.ts'
import { faultFields } from '../telemetry/fault.ts'
import { tracedRequest } from '../telemetry/trace.ts'
import { DownstreamUnavailable, GraphRefused } from './downstream.ts'
import { retryAfterSeconds } from './entra-http.ts'
import type { Caller, UserId } from './verifier.ts'

declare const adminId: unique symbol

/** Proof that the caller was found in the admin group; only this module makes one. */
export type AdminId = string & { readonly [adminId]: true }

const MAX_USERS = 10_000
const CACHE_MINUTES = 5
const ATTEMPT_TIMEOUT = 2_000
/** With the filter below one page is the rule; Graph may still send empty ones first. */
const MAX_PAGES = 20

const Page = z.object({ value: z.array(z.object({ id: z.string() })), '@odata.nextLink': z.url().optional() })

/**
 * Transitive membership of the admin group, asked of Microsoft Graph with the caller's own on-behalf-of
 * token (`GET /me/transitiveMemberOf`, permission User.Read), so the server needs no directory rights.
 */
export class AdminGroup {
  readonly #endpoint
  readonly #groupId
  readonly #deadlineMs
  readonly #members = new LRUCache<UserId, boolean>({
    max: MAX_USERS,
    ttl: CACHE_MINUTES * 60_000,
    perf: { now: () => Date.now() },
    ttlResolution: 0,
  })
  /** Questions under way, each by the token it is asked with: an old one's failure is nobody else's. */
  readonly #asking = new Map<string, Promise<boolean>>()

  constructor(endpoint: string, groupId: string, deadlineMs: number = deadlines.graph) {
    this.#endpoint = endpoint
    this.#groupId = groupId
    this.#deadlineMs = deadlineMs
  }

  /**
   * The caller's proof of being an admin, or undefined. `graphToken` is asked for only when the answer
   * is not cached; its errors pass through. Throws DownstreamUnavailable when Graph cannot answer, and GraphRefused.
   */
  async admin(caller: Caller, graphToken: () => Promise<string>): Promise<AdminId | undefined> {
    const member = this.#members.get(caller.userId) ?? (await this.#ask(caller, graphToken))
    // The only place where an admin id is made.
    return member ? (caller.userId as string as AdminId) : undefined
  }

  #ask({ userId, token }: Caller, graphToken: () => Promise<string>): Promise<boolean> {
    const running = this.#asking.get(token)
    if (running) return running
    const question = this.#answer(userId, graphToken).finally(() => this.#asking.delete(token))
    this.#asking.set(token, question)
    return question
  }

  async #answer(userId: UserId, graphToken: () => Promise<string>): Promise<boolean> {
    const token = await graphToken()
    const member = await within(this.#deadlineMs, (signal) => this.#isMember(token, signal)).catch(
      (error: unknown) => {
        throw error instanceof DeadlineExceeded ? unavailable(error) : error
      },
    )
    this.#members.set(userId, member)
    return member
  }

  async #isMember(token: string, signal: AbortSignal): Promise<boolean> {
    const filter = new URLSearchParams({ $filter: `id eq '${this.#groupId}'`, $select: 'id', $count: 'true' })
    let url: string | undefined =
      `${this.#endpoint}/v1.0/me/transitiveMemberOf/microsoft.graph.group?${filter}`
    for (let page = 0; url && page < MAX_PAGES; page++) {
      const { value, '@odata.nextLink': next } = await this.#page(url, token, signal)
      if (value.some(({ id }) => id.toLowerCase() === this.#groupId)) return true
      url = next
    }
    if (url) throw unavailable()
    return false
  }

  async #page(url: string, token: string, signal: AbortSignal) {
    // The token is Graph's: a page link must not carry it anywhere else.
    if (!url.startsWith(`${this.#endpoint}/`)) throw new Error('Microsoft Graph linked to a foreign page.')
    try {
      const answer = await tracedRequest('Microsoft Graph', 'membership', 'GET', (trace, answered) =>
        ky(url, {
          headers: { ...trace, authorization: `Bearer ${token}`, consistencylevel: 'eventual' },
          redirect: 'error',
          signal,
          timeout: ATTEMPT_TIMEOUT,
          retry: {
            limit: 3,
            statusCodes: [429, 500, 502, 503, 504],
            retryOnTimeout: true,
            shouldRetry: waitFits,
          },
          hooks: { afterResponse: [({ response }) => answered(response.status)] },
        }).json(),
      )
      return Page.parse(answer)
    } catch (error) {
      throw graphFailure(error)
    }
  }
}

const unavailable = (cause?: unknown, retryAfterSeconds?: number) =>
  new DownstreamUnavailable('Microsoft Graph', retryAfterSeconds, cause)

function graphFailure(error: unknown): Error {
  if (!isHTTPError(error)) return unavailable(error)
  const { response } = error
  if (response.status === 429 || response.status >= 500)
    return unavailable(error, retryAfterSeconds(response))
  return new GraphRefused(response.status, faultFields(error).code ?? 'no_code')
}

/** Retrying earlier than Graph asked would only prolong the throttling; then better fail at once. */
function waitFits({ error }: { error: Error }): false | undefined {
  const wait = isHTTPError(error) ? (retryAfterSeconds(error.response) ?? 0) : 0
  return wait * 1000 > deadlines.graph / 2 ? false : undefined
}
