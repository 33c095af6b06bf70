import type { Container, FeedOptions, OperationInput, SqlQuerySpec } from '@azure/cosmos'
import type { z } from 'zod'
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
import type { AdminId } from './groups.ts'
import { type ListRequest, listQuery } from './listing.ts'
import { CosmosRefusal, defaultPatience, type Patience, StoreUnavailable, withPatience } from './patience.ts'
import { countIn, type ExpenseStats, startWith, Totals } from './summary.ts'
import type { UserId } from './verifier.ts'

export { CursorInvalid } from './cursor.ts'
export { CATEGORIES, type Category, type Expense, type NewExpense, PAYMENT_METHODS } from './expense.ts'
export type { ListRequest } from './listing.ts'
export { StoreUnavailable } from './patience.ts'
export type { ExpenseStats, Total } from './summary.ts'

/** The idempotency key was used before, for another expense: the caller's fault, answered as a refusal. */
export class IdempotencyConflict extends Error {
  readonly code = 'idempotency_conflict'
  constructor() {
    super('This idempotency key belongs to another expense. Use a new key for a new expense.')
    this.name = 'IdempotencyConflict'
  }
}

const pageOfSummaries = 1_000
const reachableMs = 3_000
const retryAfterMs = 5_000

/**
 * Expenses in Cosmos DB, one partition per user. Every method throws StoreUnavailable when Cosmos
 * cannot answer in time, and whatever else Cosmos refuses as it is.
 */
export class ExpenseStore {
  readonly #container: Container
  readonly #patience: Patience
  readonly #statisticsMs: number

  constructor(container: Container, patience: Patience = defaultPatience, statisticsMs = 30_000) {
    this.#container = container
    this.#patience = patience
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
    // After a failed attempt, finding the expense there may mean that only its answer was lost.
    let failedBefore = false
    const outcome = await withPatience(this.#patience, (signal) =>
      this.#write(user, document, signal).catch((error: unknown) => {
        failedBefore = true
        throw error
      }),
    )
    if (outcome === 'saved') return { expense: toExpense(document), replayed: false }
    const stored = await withPatience(this.#patience, (signal) => this.#find(user, document.id, signal))
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
      Date.now() + this.#patience.deadlineMs,
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
  async stats(_admin: AdminId): Promise<ExpenseStats & { pages: number; requestCharge: number }> {
    const query = { query: "SELECT * FROM c WHERE c.type = 'summary'" }
    const options = { maxItemCount: pageOfSummaries }
    const totals = new Totals()
    const cost = { pages: 0, requestCharge: 0 }
    const end = Date.now() + this.#statisticsMs
    for await (const { documents, requestCharge } of this.#pages(SummaryDocument, query, options, end)) {
      for (const summary of documents) totals.add(summary)
      cost.pages += 1
      cost.requestCharge += requestCharge
    }
    return { ...totals.stats(), ...cost }
  }

  /** Resolves when the container answers; one attempt, for a readiness probe. */
  async reachable(signal: AbortSignal = AbortSignal.timeout(reachableMs)): Promise<void> {
    await this.#container.read({ abortSignal: signal })
  }

  async #write(user: UserId, document: ExpenseDocument, signal: AbortSignal): Promise<'saved' | 'exists'> {
    for (;;) {
      // The summary is there, except for a user's first expenses, of which only one gets to start it.
      for (const summary of [countIn(document), startWith(document)]) {
        const create: OperationInput = { operationType: 'Create', resourceBody: { ...document } }
        const refusal = await this.#batch(user, [create, summary], signal)
        if (refusal === undefined) return 'saved'
        if (refusal.index === 0 && refusal.status === 409) return 'exists'
        const otherSummary = refusal.index === 1 && [404, 409].includes(refusal.status)
        if (!otherSummary) throw new CosmosRefusal(refusal.status)
      }
    }
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

  /** Page by page, so that nothing has to hold a whole result; ends by its own deadline, in milliseconds since 1970. */
  async *#pages<Document extends z.ZodType>(
    schema: Document,
    query: SqlQuerySpec,
    options: FeedOptions,
    end: number,
  ): AsyncGenerator<{ documents: z.infer<Document>[]; requestCharge: number }> {
    let continuationToken: string | undefined
    do {
      const left = end - Date.now()
      if (left <= 0) throw new StoreUnavailable(retryAfterMs)
      const patience = { ...this.#patience, deadlineMs: Math.min(left, this.#patience.deadlineMs) }
      // A page may be short, even empty, without being the last. A refused one is asked for again alone.
      const page = await withPatience(patience, (abortSignal) => {
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
