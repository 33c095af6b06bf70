/** Our tools for the servers of others: the same names, texts and schemas, and a store that answers at once. */
import { z } from 'zod'
import { CATEGORIES, PAYMENT_METHODS } from '../../../app/store/expense.ts'
import { Amount, SavedExpense } from '../../../app/tools/add-user-expense.ts'

const day = z.iso.date('must be a calendar day, YYYY-MM-DD')
const Total = z.object({ count: z.int(), total: z.number() })

export const add = {
  name: 'add_user_expense',
  title: 'Add an expense',
  description: 'Records one expense of the signed-in user.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    date: day.describe('Day of the expense, YYYY-MM-DD'),
    amount: Amount.describe('Amount, more than 0, at most two decimals'),
    category: z.enum(CATEGORIES),
    description: z.string().min(1, 'must not be empty').max(500, 'must have at most 500 characters'),
    payment_method: z.enum(PAYMENT_METHODS),
    idempotency_key: z
      .string()
      .min(1, 'must not be empty')
      .max(200, 'must have at most 200 characters')
      .optional()
      .describe('The same key for a retry of the same expense: it is saved once'),
  }),
  output: z.object({
    expense: SavedExpense,
    replayed: z.boolean().describe('true when the key had been used before'),
  }),
}

export const list = {
  name: 'get_user_expenses',
  title: 'List my expenses',
  description: 'Lists the expenses of the signed-in user, newest first.',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.strictObject({
    from: day.optional().describe('First day, YYYY-MM-DD'),
    to: day.optional().describe('Last day, YYYY-MM-DD'),
    category: z.enum(CATEGORIES).optional(),
    limit: z.int().min(1, 'must be at least 1').max(200, 'must be at most 200').default(50),
    cursor: z
      .string()
      .max(2_000, 'is not a cursor of this server')
      .optional()
      .describe('next_cursor of the page before'),
  }),
  output: z.object({
    expenses: z.array(SavedExpense),
    next_cursor: z
      .string()
      .optional()
      .describe('Pass as cursor, with the same filters, to get the next page'),
  }),
}

export const stats = {
  name: 'get_expense_stats',
  title: 'Expense statistics',
  description: 'Count and total per category over all users. For administrators.',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({
    users: z.int().describe('Number of users with expenses'),
    count: z.int(),
    total: z.number(),
    categories: z.record(z.enum(CATEGORIES), Total),
  }),
}

/** What the call that is measured answers. */
export const emptyList = () => ({
  content: [{ type: 'text' as const, text: '{"expenses":[]}' }],
  structuredContent: { expenses: [] },
})

export const notMeasured = (): never => {
  throw new Error('Only get_user_expenses is measured.')
}
