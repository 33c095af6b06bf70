import type { OperationInput } from '@azure/cosmos'
import { CATEGORIES, type Category, type ExpenseDocument, type SummaryDocument, toAmount } from './expense.ts'

/** A number of expenses and their total in the currency's unit. */
export interface Total {
  count: number
  total: number
}

/** All users' expenses taken together. */
export interface ExpenseStats extends Total {
  /** How many users have recorded an expense. */
  users: number
  categories: Record<Category, Total>
}

const zeroes = (): SummaryDocument['by_category'] => ({
  food: { count: 0, cents: 0 },
  transport: { count: 0, cents: 0 },
  entertainment: { count: 0, cents: 0 },
  shopping: { count: 0, cents: 0 },
  gadget: { count: 0, cents: 0 },
  other: { count: 0, cents: 0 },
})

/** The batch operation that counts one more expense. It is a 404 for a user's first expense. */
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
export const startWith = ({ user_id, category, amount_cents }: ExpenseDocument): OperationInput => {
  const first = { count: 1, cents: amount_cents }
  const summary = { id: 'summary', user_id, type: 'summary', ...first }
  return {
    operationType: 'Create',
    resourceBody: { ...summary, by_category: { ...zeroes(), [category]: first } },
  }
}

/** Adds up the summaries of users one by one, in cents, so that no rounding adds up. */
export class Totals {
  readonly #byCategory = zeroes()
  readonly #all = { users: 0, count: 0, cents: 0 }

  add(summary: SummaryDocument): void {
    this.#all.users += 1
    this.#all.count += summary.count
    this.#all.cents += summary.cents
    for (const category of CATEGORIES) {
      this.#byCategory[category].count += summary.by_category[category].count
      this.#byCategory[category].cents += summary.by_category[category].cents
    }
  }

  stats(): ExpenseStats {
    const { users, count, cents } = this.#all
    const { food, transport, entertainment, shopping, gadget, other } = this.#byCategory
    return {
      users,
      count,
      total: toAmount(cents),
      categories: {
        food: totalOf(food),
        transport: totalOf(transport),
        entertainment: totalOf(entertainment),
        shopping: totalOf(shopping),
        gadget: totalOf(gadget),
        other: totalOf(other),
      },
    }
  }
}

const totalOf = ({ count, cents }: { count: number; cents: number }): Total => ({
  count,
  total: toAmount(cents),
})
