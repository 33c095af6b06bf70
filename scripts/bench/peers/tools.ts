/** Our tools for the servers of others: the same names, texts and schemas, and a store that answers at once. */
import { addUserExpense } from '../../../app/tools/add-user-expense.ts'
import { getExpenseStats } from '../../../app/tools/get-expense-stats.ts'
import { getUserExpenses } from '../../../app/tools/get-user-expenses.ts'

export const definitions = [addUserExpense, getUserExpenses, getExpenseStats].map(
  ({ definition }) => definition,
)

/** What the call that is measured answers; no other one is. */
export function answer(name: string) {
  if (name !== getUserExpenses.definition.name) throw new Error('Only get_user_expenses is measured.')
  return {
    content: [{ type: 'text' as const, text: '{"expenses":[]}' }],
    structuredContent: { expenses: [] },
  }
}
