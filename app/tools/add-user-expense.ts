import { z } from 'zod'
import { CATEGORIES, PAYMENT_METHODS } from '../store/expenses.ts'
import { defineTool } from './tool.ts'

const hasTwoDecimals = (amount: number) => Math.round(amount * 100) / 100 === amount

const Amount = z
  .number()
  .positive('must be more than 0')
  .max(1_000_000, 'must be at most 1,000,000')
  .refine(hasTwoDecimals, 'must have at most two decimals')

export const SavedExpense = z.object({
  id: z.string(),
  date: z.string().describe('YYYY-MM-DD'),
  amount: z.number(),
  category: z.string(),
  description: z.string(),
  payment_method: z.string(),
})

/** Without an encoding in UTF-8 a lone surrogate would be stored, and compared, as another character. */
const Text = z
  .string()
  .refine((text) => text.trim() !== '', 'must not be blank')
  .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')

export const addUserExpense = defineTool({
  name: 'add_user_expense',
  title: 'Add an expense',
  description: 'Records one expense of the signed-in user.',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    date: z.iso.date('must be a calendar day, YYYY-MM-DD').describe('Day of the expense, YYYY-MM-DD'),
    amount: Amount.describe('Amount, more than 0, at most two decimals'),
    category: z.enum(CATEGORIES),
    description: Text.min(1, 'must not be empty').max(500, 'must have at most 500 characters'),
    payment_method: z.enum(PAYMENT_METHODS),
    idempotency_key: Text.min(1, 'must not be empty')
      .max(200, 'must have at most 200 characters')
      .optional()
      .describe('The same key for a retry of the same expense: it is saved once'),
  }),
  output: z.object({
    expense: SavedExpense,
    replayed: z.boolean().describe('true when the key had been used before'),
  }),
  run: async ({ idempotency_key, ...expense }, { user, store }) => {
    const { expense: saved, replayed } = await store.add(user, expense, idempotency_key)
    const verb = replayed ? 'Had saved' : 'Saved'
    return {
      structured: { expense: saved, replayed },
      text: `${verb} expense ${saved.id}: ${saved.amount.toFixed(2)} for ${saved.category} on ${saved.date}.`,
    }
  },
})
