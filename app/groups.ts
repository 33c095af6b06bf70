import ky, { isHTTPError } from 'ky'
import { z } from 'zod'
import { Cache } from './cache.ts'
import { DownstreamUnavailable } from './downstream.ts'
import { retryAfterSeconds } from './entra-http.ts'
import type { Caller } from './verifier.ts'

declare const adminId: unique symbol

/** Proof that the caller was found in the admin group; only this module makes one. */
export type AdminId = string & { readonly [adminId]: true }

const MAX_USERS = 10_000
const CACHE_MINUTES = 5
const ATTEMPT_TIMEOUT = 2_000
const DEADLINE = 5_000
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
  readonly #members = new Cache(MAX_USERS, async (graphToken: () => Promise<string>) => ({
    value: await this.#isMember(await graphToken()),
    milliseconds: CACHE_MINUTES * 60_000,
  }))

  constructor(endpoint: string, groupId: string) {
    this.#endpoint = endpoint
    this.#groupId = groupId
  }

  /**
   * The caller's proof of being an admin, or undefined. `graphToken` is asked for only when the answer
   * is not cached; its errors pass through. Throws DownstreamUnavailable when Graph cannot answer.
   */
  async admin(caller: Caller, graphToken: () => Promise<string>): Promise<AdminId | undefined> {
    const member = await this.#members.get(caller.userId, graphToken)
    // The only place where an admin id is made.
    return member ? (caller.userId as string as AdminId) : undefined
  }

  async #isMember(token: string): Promise<boolean> {
    const filter = new URLSearchParams({ $filter: `id eq '${this.#groupId}'`, $select: 'id', $count: 'true' })
    const deadline = Date.now() + DEADLINE
    let url: string | undefined =
      `${this.#endpoint}/v1.0/me/transitiveMemberOf/microsoft.graph.group?${filter}`
    for (let page = 0; url && page < MAX_PAGES; page++) {
      const { value, '@odata.nextLink': next } = await this.#page(url, token, deadline - Date.now())
      if (value.some(({ id }) => id.toLowerCase() === this.#groupId)) return true
      url = next
    }
    if (url) throw new DownstreamUnavailable('Microsoft Graph')
    return false
  }

  async #page(url: string, token: string, budget: number) {
    // The token is Graph's: a page link must not carry it anywhere else.
    if (!url.startsWith(`${this.#endpoint}/`)) throw new Error('Microsoft Graph linked to a foreign page.')
    try {
      const answer = await ky(url, {
        headers: { authorization: `Bearer ${token}`, consistencylevel: 'eventual' },
        redirect: 'error',
        timeout: ATTEMPT_TIMEOUT,
        totalTimeout: Math.max(1, budget),
        retry: {
          limit: 3,
          statusCodes: [429, 500, 502, 503, 504],
          retryOnTimeout: true,
          shouldRetry: waitFits,
        },
      }).json()
      return Page.parse(answer)
    } catch (error) {
      if (isHTTPError(error) && error.response.status < 500 && error.response.status !== 429) {
        throw new Error(`Microsoft Graph refused the membership question with ${error.response.status}.`)
      }
      throw new DownstreamUnavailable(
        'Microsoft Graph',
        isHTTPError(error) ? retryAfterSeconds(error.response) : undefined,
      )
    }
  }
}

/** Retrying earlier than Graph asked would only prolong the throttling; then better fail at once. */
function waitFits({ error }: { error: Error }): false | undefined {
  const wait = isHTTPError(error) ? (retryAfterSeconds(error.response) ?? 0) : 0
  return wait * 1000 > DEADLINE / 2 ? false : undefined
}
