import { z } from 'zod'
import type { StatisticsReader } from '../store/expenses.ts'
import { defineTool, type ToolContext } from './tool.ts'

const Total = z.object({ count: z.int(), total: z.number() })

export const getExpenseStats = defineTool({
  name: 'get_expense_stats',
  title: 'Expense statistics',
  description:
    'Count and total per category over all users. For administrators, and for services with the app role.',
  annotations: { readOnlyHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({
    users: z.int().describe('Number of users with expenses'),
    count: z.int(),
    total: z.number(),
    categories: z.record(z.string(), Total),
    age_seconds: z.int().describe('How long ago this was counted; it is kept for a minute'),
  }),
  run: async (_input, { admin, ...context }) => report(admin, context),
  runForService: async (_input, { holder, ...context }) => report(holder, context),
})

async function report(
  reader: StatisticsReader | undefined,
  { statistics, requestId }: Pick<ToolContext, 'statistics' | 'requestId'>,
) {
  // Unreachable for others: the tool is registered for admins and role holders only. The store's type demands the proof.
  if (!reader) throw new Error('get_expense_stats ran without the right to it.')
  const { ageSeconds, ...stats } = await statistics.read(reader, requestId)
  const lines = Object.entries(stats.categories).map(
    ([category, { count, total }]) => `${category}: ${count} (${total.toFixed(2)})`,
  )
  return {
    structured: { ...stats, age_seconds: ageSeconds },
    text: `${stats.count} expenses of ${stats.users} users, ${stats.total.toFixed(2)} in all, counted ${ageSeconds} seconds ago.\n${lines.join('\n')}`,
  }
}
