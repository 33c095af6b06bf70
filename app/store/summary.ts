import type { OperationInput } from '@azure/cosmos'
import type { AdminId } from '../auth/groups.ts'
import type { RoleHolder } from '../auth/services.ts'
import { CATEGORIES, type ExpenseDocument, SummaryDocument, toAmount } from './expense.ts'

/** A number of expenses and their total in the currency's unit. */
export interface Total {
  count: number
  total: number
}

/** Proof that the caller may see all users' expenses taken together. */
export type StatisticsReader = AdminId | RoleHolder

/** All users' expenses taken together. */
export interface ExpenseStats extends Total {
  /** How many users have recorded an expense. */
  users: number
  /** Every category of this version, and those of others that are in the data. */
  categories: Record<string, Total>
}

type ByCategory = SummaryDocument['by_category']

const zeroes = (): ByCategory =>
  Object.fromEntries(CATEGORIES.map((category) => [category, { count: 0, cents: 0 }]))

/**
 * The batch operation that counts one more expense. It is a 404 for a user's first expense, and a 400 for the first one
 * of a category that the summary has no counter for: Cosmos creates a missing value, but no object around it.
 */
export const countIn = ({ category, amount_cents }: ExpenseDocument): OperationInput => ({
  operationType: 'Patch',
  id: 'summary',
  resourceBody: {
    operations: [
      { op: 'incr', path: '/count', value: 1 },
      { op: 'incr', path: '/cents', value: amount_cents },
      { op: 'incr', path: `/by_category/${category}/count`, value: 1 },
      { op: 'incr', path: `/by_category/${category}/cents`, value: amount_cents },
    ],
  },
})

/** The batch operation that starts counting with a user's first expense. A 409 says: already started. */
export const startWith = (expense: ExpenseDocument): OperationInput => {
  const { user_id, schema_version, category, amount_cents } = expense
  const first = { count: 1, cents: amount_cents }
  const summary = { id: 'summary', user_id, type: 'summary', schema_version, ...first }
  return {
    operationType: 'Create',
    resourceBody: { ...summary, by_category: { ...zeroes(), [category]: first } },
  }
}

/**
 * The batch operation that counts one more expense in a summary without a counter for it. A 412 says: changed
 * meanwhile. `stored` is written back whole: what another version keeps in it stays.
 */
export const countAnew = (
  { category, amount_cents }: ExpenseDocument,
  stored: Record<string, unknown>,
  ifMatch: string,
): OperationInput => {
  const { count, cents, by_category } = SummaryDocument.parse(stored)
  const known = by_category[category] ?? { count: 0, cents: 0 }
  return {
    operationType: 'Replace',
    id: 'summary',
    ifMatch,
    resourceBody: {
      ...stored,
      count: count + 1,
      cents: cents + amount_cents,
      by_category: {
        ...by_category,
        [category]: { ...known, count: known.count + 1, cents: known.cents + amount_cents },
      },
    },
  }
}

/** Adds up the summaries of users one by one, in cents, so that no rounding adds up. */
export class Totals {
  readonly #byCategory = new Map(Object.entries(zeroes()))
  readonly #all = { users: 0, count: 0, cents: 0 }

  add({ count, cents, by_category }: SummaryDocument): void {
    this.#all.users += 1
    this.#all.count += count
    this.#all.cents += cents
    for (const [category, more] of Object.entries(by_category)) {
      const known = this.#byCategory.get(category)
      const sums = { count: (known?.count ?? 0) + more.count, cents: (known?.cents ?? 0) + more.cents }
      this.#byCategory.set(category, sums)
    }
  }

  stats(): ExpenseStats {
    const { users, count, cents } = this.#all
    return {
      users,
      count,
      total: toAmount(cents),
      categories: Object.fromEntries([...this.#byCategory].map(([name, total]) => [name, totalOf(total)])),
    }
  }
}

const totalOf = ({ count, cents }: { count: number; cents: number }): Total => ({
  count,
  total: toAmount(cents),
})
