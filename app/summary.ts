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

/** Merges the summaries of all users, in cents, so that no rounding adds up. */
export const statsOf = (summaries: readonly SummaryDocument[]): ExpenseStats => {
  const byCategory = zeroes()
  for (const summary of summaries) {
    for (const category of CATEGORIES) {
      byCategory[category].count += summary.by_category[category].count
      byCategory[category].cents += summary.by_category[category].cents
    }
  }
  return {
    users: summaries.length,
    count: sum(summaries.map(({ count }) => count)),
    total: toAmount(sum(summaries.map(({ cents }) => cents))),
    categories: {
      food: totalOf(byCategory.food),
      transport: totalOf(byCategory.transport),
      entertainment: totalOf(byCategory.entertainment),
      shopping: totalOf(byCategory.shopping),
      gadget: totalOf(byCategory.gadget),
      other: totalOf(byCategory.other),
    },
  }
}

const totalOf = ({ count, cents }: { count: number; cents: number }): Total => ({
  count,
  total: toAmount(cents),
})

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
