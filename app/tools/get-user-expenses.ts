import { z } from 'zod'
import { CATEGORIES } from '../store/expenses.ts'
import { SavedExpense } from './add-user-expense.ts'
import { defineTool } from './tool.ts'

const day = z.iso.date('must be a calendar day, YYYY-MM-DD')

export const getUserExpenses = defineTool({
  name: 'get_user_expenses',
  title: 'List my expenses',
  description: 'Lists the expenses of the signed-in user, newest first.',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z
    .strictObject({
      from: day.optional().describe('First day, YYYY-MM-DD'),
      to: day.optional().describe('Last day, YYYY-MM-DD'),
      category: z.enum(CATEGORIES).optional(),
      limit: z.int().min(1, 'must be at least 1').max(200, 'must be at most 200').default(50),
      cursor: z
        .string()
        .max(2_000, 'is not a cursor of this server')
        .optional()
        .describe('next_cursor of the page before'),
    })
    // Days of this form sort as they follow one another.
    .refine(({ from, to }) => !from || !to || from <= to, { path: ['to'], error: 'must not be before from' }),
  output: z.object({
    expenses: z.array(SavedExpense),
    next_cursor: z
      .string()
      .optional()
      .describe('Pass as cursor, with the same filters, to get the next page'),
  }),
  run: async (filter, { user, store }) => {
    const { expenses, nextCursor } = await store.list(user, filter)
    return { structured: { expenses, ...(nextCursor && { next_cursor: nextCursor }) } }
  },
})
