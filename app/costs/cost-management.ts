import ky from 'ky'
import { z } from 'zod'
import { StepUpRequired } from '../auth/downstream.ts'
import type { UserId } from '../auth/verifier.ts'
import { deadlines, within } from '../deadline.ts'
import { readText } from '../response-text.ts'
import { tracedRequest } from '../telemetry/trace.ts'
import { type Cost, type Page, questionFor, readPage } from './answer.ts'
import { CostsBroken, CostsForbidden, CostsNotAnswered, CostsUnavailable, SERVICE } from './cost-failure.ts'
import type { Period } from './period.ts'
import { type Asker, Throttle } from './throttle.ts'

/** One question; `subscription` is a GUID, `daily` asks for days apart. */
export type Question = Readonly<{ subscription: string; period: Period; daily: boolean }>

/** How it is asked: for whom, with whose token of Azure Resource Manager, until when, and who hears of pages. */
export type Asking = Readonly<{
  /** Of the verified token. */
  user: UserId
  token: string
  deadlineMs?: number
  /** Aborted when nobody waits for the answer any more. */
  gone?: AbortSignal | undefined
  onPage?: (pages: number) => void
}>

const API_VERSION = '2024-08-01'
/** A page has 1,000 or 5,000 rows at most, of some 100 bytes (reported in Azure/azure-rest-api-specs#22528, #24284). */
const MAX_PAGE_BYTES = 4 * 1024 * 1024
const MAX_ROWS = 20_000
const MAX_PAGES = 25
/** Of all callers together: each question in flight may hold as many rows as that, some 3 MB. */
const MAX_AT_ONCE = 32
/** Of one caller: nobody fills the places of all. */
const MAX_OF_ONE = 4
const BUSY_SECONDS = 5
const SILENT_SECONDS = 30

/** Microsoft's Cost Management Query API on Azure Resource Manager, asked with the caller's own token. */
export class CostManagement {
  readonly #endpoint
  readonly #throttle = new Throttle()
  /** Of each question in flight. */
  readonly #askers: UserId[] = []

  /** `endpoint`: base URL of Azure Resource Manager, without a slash at the end. */
  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  /**
   * All costs of a subscription in a period, of all pages. Throws CostsUnavailable, CostsForbidden, CostsNotAnswered,
   * CostsBroken or StepUpRequired.
   */
  async costs(question: Question, asking: Asking): Promise<Cost[]> {
    const { user } = asking
    this.#throttle.requireRest({ user, subscription: question.subscription })
    const own = this.#askers.filter((one) => one === user).length
    if (own >= MAX_OF_ONE || this.#askers.length >= MAX_AT_ONCE)
      throw new CostsUnavailable(BUSY_SECONDS, { throttled: true })
    this.#askers.push(user)
    try {
      const { deadlineMs = deadlines.costs, gone } = asking
      return await within(deadlineMs, (late) =>
        this.#pages(question, asking, gone ? AbortSignal.any([late, gone]) : late),
      )
    } catch (error) {
      if (KNOWN.some((kind) => error instanceof kind)) throw error
      // The network, the deadline, or the caller has gone.
      throw new CostsUnavailable(SILENT_SECONDS, { cause: error })
    } finally {
      this.#askers.splice(this.#askers.indexOf(user), 1)
    }
  }

  async #pages(question: Question, asking: Asking, signal: AbortSignal): Promise<Cost[]> {
    const first = new URL(
      `${this.#endpoint}/subscriptions/${question.subscription}/providers/Microsoft.CostManagement/query`,
    )
    first.searchParams.set('api-version', API_VERSION)
    const costs: Cost[] = []
    let url: URL | undefined = first
    for (let pages = 1; url; pages++) {
      if (pages > MAX_PAGES || costs.length > MAX_ROWS) throw new CostsNotAnswered('too_many_rows')
      const page: Page | undefined = await this.#page(url, question, asking, signal)
      costs.push(...(page?.costs ?? []))
      asking.onPage?.(pages)
      url = page?.nextLink === undefined ? undefined : followed(page.nextLink, first)
    }
    return costs
  }

  async #page(
    url: URL,
    { period, daily, subscription }: Question,
    { user, token }: Asking,
    signal: AbortSignal,
  ): Promise<Page | undefined> {
    this.#throttle.requireRest({ user, subscription })
    const { response, text } = await tracedRequest(SERVICE, 'costs', 'POST', async (trace, answered) => {
      const response = await ky.post(url, {
        json: questionFor(period, daily),
        headers: { ...trace, authorization: `Bearer ${token}` },
        redirect: 'error',
        throwHttpErrors: false,
        // A repetition costs as much of the tenant's quota as the question.
        retry: 0,
        timeout: false,
        signal,
      })
      answered(response.status)
      return { response, text: await readText(response, MAX_PAGE_BYTES) }
    })
    if (text === undefined) throw new CostsBroken('too_large', response.status)
    if (response.status === 204) return undefined
    const body = parsed(text)
    if (response.status !== 200) throw this.#failureOf(response, body, { user, subscription })
    if (body === undefined) throw new CostsBroken('no_json', response.status)
    return readPage(body, period, daily)
  }

  #failureOf(response: Response, body: unknown, asker: Asker): Error {
    const { status } = response
    const code = ArmError.safeParse(body).data?.error.code ?? 'no_code'
    if (PASSING.has(status) || status >= 500)
      return this.#throttle.refused(response, new CostsBroken(code, status), asker)
    // Continuous access evaluation: the token was good when it was given.
    const claims = /\bclaims="([^"]*)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1]
    if (status === 401 && claims) return new StepUpRequired(claims)
    // The provider itself refuses with 401 (reported in Azure/azqr#277), Azure Resource Manager with 403.
    if (status === 403 || code === 'RBACAccessDenied') return new CostsForbidden(asker.subscription)
    if (code === 'InvalidAuthenticationTokenTenant') return new CostsNotAnswered('other_tenant', code)
    if (code === 'SubscriptionNotFound') return new CostsNotAnswered('subscription_unknown', code)
    // Offers without cost data, and subscriptions that are too new (Azure/azqr#674, JulianHayward/AzAPICall#58).
    if (NOT_SUPPORTED.has(status) && !OURS.has(code)) return new CostsNotAnswered('not_supported', code)
    return new CostsBroken(code, status)
  }
}

const KNOWN = [StepUpRequired, CostsUnavailable, CostsForbidden, CostsNotAnswered, CostsBroken]
const ArmError = z.object({ error: z.object({ code: z.string().regex(/^[\w.]{1,100}$/) }) })
/** Too many requests, and a service behind it that did not answer (reported in mivano/azure-cost-cli#24). */
const PASSING = new Set([408, 424, 429])
const NOT_SUPPORTED = new Set([400, 404, 409, 422])
/** About the way we ask. */
const OURS = new Set(['InvalidResourceType', 'InvalidApiVersionParameter', 'NoRegisteredProviderFound'])

/**
 * The address of the next page. The token is good for everything in Azure that its user may do: it goes to this
 * question of this subscription and nowhere else.
 */
function followed(link: string, first: URL): URL {
  const next = URL.canParse(link) ? new URL(link) : undefined
  const same =
    next?.origin === first.origin &&
    next.pathname.toLowerCase() === first.pathname.toLowerCase() &&
    !next.username &&
    !next.password
  if (!next || !same) throw new CostsBroken('foreign_page')
  return next
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
