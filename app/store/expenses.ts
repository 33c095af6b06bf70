import type { Container, FeedOptions, OperationInput, SqlQuerySpec } from '@azure/cosmos'
import type { z } from 'zod'
import type { UserId } from '../auth/verifier.ts'
import { deadlines, within } from '../deadline.ts'
import { makeCursor, readCursor } from './cursor.ts'
import {
  type Expense,
  ExpenseDocument,
  isSameExpense,
  type NewExpense,
  SummaryDocument,
  toDocument,
  toExpense,
} from './expense.ts'
import { type ListRequest, listQuery } from './listing.ts'
import { type Attempt, defaultPolicy, type RetryPolicy, retrying } from './retry.ts'
import { CosmosRefusal } from './store-failure.ts'
import { countAnew, countIn, type ExpenseStats, type StatisticsReader, startWith, Totals } from './summary.ts'

export { CursorInvalid } from './cursor.ts'
export { CATEGORIES, type Category, type Expense, type NewExpense, PAYMENT_METHODS } from './expense.ts'
export type { ListRequest } from './listing.ts'
export { StoreUnavailable } from './store-failure.ts'
export type { ExpenseStats, StatisticsReader, Total } from './summary.ts'

/** The idempotency key was used before, for another expense: the caller's fault, answered as a refusal. */
export class IdempotencyConflict extends Error {
  readonly code = 'idempotency_conflict'
  constructor() {
    super('This idempotency key belongs to another expense. Use a new key for a new expense.')
    this.name = 'IdempotencyConflict'
  }
}

const pageOfSummaries = 1_000

/** What the server asks of whatever keeps the expenses (docs/customize.md, "Another store"). */
export type Store = Pick<ExpenseStore, 'add' | 'list' | 'stats' | 'reachable'>

/**
 * Expenses in Cosmos DB, one partition per user. Every method throws StoreUnavailable when Cosmos
 * cannot answer in time, and whatever else Cosmos refuses as it is.
 */
export class ExpenseStore {
  readonly #container: Container
  readonly #policy: RetryPolicy
  readonly #statisticsMs: number

  constructor(
    container: Container,
    policy: RetryPolicy = defaultPolicy,
    statisticsMs: number = deadlines.statistics,
  ) {
    this.#container = container
    this.#policy = policy
    this.#statisticsMs = statisticsMs
  }

  /**
   * Saves an expense and counts it, both or neither.
   *
   * @param idempotencyKey per user: the same key and expense again returns the first one, `replayed`
   * @throws IdempotencyConflict when the key belongs to a different expense
   */
  async add(
    user: UserId,
    expense: NewExpense,
    idempotencyKey?: string,
  ): Promise<{ expense: Expense; replayed: boolean }> {
    const document = toDocument(user, expense, idempotencyKey)
    const attempt = retrying(this.#policy)
    // After a failed attempt, finding the expense there may mean that only its answer was lost.
    let failedBefore = false
    const outcome = await attempt((signal) =>
      this.#write(user, document, signal).catch((error: unknown) => {
        failedBefore = true
        throw error
      }),
    )
    if (outcome === 'saved') return { expense: toExpense(document), replayed: false }
    const stored = await attempt((signal) => this.#find(user, document.id, signal))
    if (!isSameExpense(stored, document)) throw new IdempotencyConflict()
    const own = failedBefore && stored.created_at === document.created_at
    return { expense: toExpense(stored), replayed: !own }
  }

  /**
   * One page of the user's expenses, newest first.
   *
   * @throws CursorInvalid when the cursor does not continue exactly this list of exactly this user
   */
  async list(user: UserId, request: ListRequest): Promise<{ expenses: Expense[]; nextCursor?: string }> {
    const { limit, cursor, ...filter } = request
    const after = cursor === undefined ? undefined : readCursor(user, filter, cursor)
    // One more than asked for tells whether there is a next page.
    const pages = this.#pages(
      ExpenseDocument,
      listQuery(user, filter, after),
      { partitionKey: user, maxItemCount: limit + 1 },
      retrying(this.#policy),
    )
    const found: ExpenseDocument[] = []
    for await (const { documents } of pages) {
      found.push(...documents)
      if (found.length > limit) break
    }
    if (found.some(({ user_id }) => user_id !== user)) throw new Error('Cosmos left the partition.')
    const page = found.slice(0, limit)
    const last = found.length > limit ? page.at(-1) : undefined
    const nextCursor = last && { nextCursor: makeCursor(user, filter, last.sort_key) }
    return { expenses: page.map(toExpense), ...nextCursor }
  }

  /**
   * Totals over all users: one small document per user, however many expenses there are, and only one page of them
   * at a time. `requestCharge` is in request units.
   */
  async stats(_reader: StatisticsReader): Promise<ExpenseStats & { pages: number; requestCharge: number }> {
    const query = { query: "SELECT * FROM c WHERE c.type = 'summary'" }
    const options = { maxItemCount: pageOfSummaries }
    const totals = new Totals()
    const cost = { pages: 0, requestCharge: 0 }
    const attempt = retrying({ ...this.#policy, deadlineMs: this.#statisticsMs })
    for await (const { documents, requestCharge } of this.#pages(SummaryDocument, query, options, attempt)) {
      for (const summary of documents) totals.add(summary)
      cost.pages += 1
      cost.requestCharge += requestCharge
    }
    return { ...totals.stats(), ...cost }
  }

  /** Resolves when the container answers; one attempt, for a readiness probe. */
  async reachable(deadlineMs: number = deadlines.readiness): Promise<void> {
    await within(deadlineMs, (abortSignal) => this.#container.read({ abortSignal }))
  }

  async #write(user: UserId, document: ExpenseDocument, signal: AbortSignal): Promise<'saved' | 'exists'> {
    const create: OperationInput = { operationType: 'Create', resourceBody: { ...document } }
    for (let summary = countIn(document); ; ) {
      const refusal = await this.#batch(user, [create, summary], signal)
      if (refusal === undefined) return 'saved'
      if (refusal.index === 0 && refusal.status === 409) return 'exists'
      const other = refusal.index === 1 && (await this.#instead(summary, refusal.status, document, signal))
      if (!other) throw new CosmosRefusal(refusal.status)
      summary = other
    }
  }

  /** What to do with the summary when it is not as it was thought to be. */
  async #instead(
    { operationType }: OperationInput,
    status: number,
    document: ExpenseDocument,
    abortSignal: AbortSignal,
  ): Promise<OperationInput | undefined> {
    // Somebody else has started or changed it meanwhile.
    if (operationType !== 'Patch') return [404, 409, 412].includes(status) ? countIn(document) : undefined
    // The summary is there, except for a user's first expenses, of which only one gets to start it.
    if (status === 404) return startWith(document)
    if (status !== 400) return undefined
    const summary = this.#container.item('summary', document.user_id)
    const { resource, etag } = await summary.read<Record<string, unknown> & { id: string }>({ abortSignal })
    return resource ? countAnew(document, resource, etag) : startWith(document)
  }

  /** Undefined when everything was carried out; otherwise nothing was, because of the one at `index`. */
  async #batch(user: UserId, operations: OperationInput[], abortSignal: AbortSignal) {
    const { result = [], code = 0 } = await this.#container.items.batch(operations, user, { abortSignal })
    // The others are 424: they failed with the one that has a reason of its own.
    const index = result.findIndex(({ statusCode }) => statusCode >= 300 && statusCode !== 424)
    const refused = result[index]
    if (refused) return { index, status: refused.statusCode }
    if (code !== 200 || result.length !== operations.length) throw new CosmosRefusal(code)
    return undefined
  }

  async #find(user: UserId, id: string, abortSignal: AbortSignal): Promise<ExpenseDocument> {
    const { resource } = await this.#container.item(id, user).read<{ id: string }>({ abortSignal })
    // It was just said to exist: a replica that does not have it yet is asked again.
    if (resource === undefined) throw new CosmosRefusal(449)
    return ExpenseDocument.parse(resource)
  }

  /** Page by page, so that nothing has to hold a whole result; all of them share the time of `attempt`. */
  async *#pages<Document extends z.ZodType>(
    schema: Document,
    query: SqlQuerySpec,
    options: FeedOptions,
    attempt: Attempt,
  ): AsyncGenerator<{ documents: z.infer<Document>[]; requestCharge: number }> {
    let continuationToken: string | undefined
    do {
      // A page may be short, even empty, without being the last. A refused one is asked for again alone.
      const page = await attempt((abortSignal) => {
        const at = { ...options, abortSignal, ...(continuationToken && { continuationToken }) }
        return this.#container.items.query<unknown>(query, at).fetchNext()
      })
      const documents = (page.resources ?? []).map((document) => schema.parse(document))
      yield { documents, requestCharge: page.requestCharge }
      continuationToken = page.continuationToken || undefined
      if (page.hasMoreResults && !continuationToken) throw new Error('Cosmos lost the way to the next page.')
    } while (continuationToken !== undefined)
  }
}
