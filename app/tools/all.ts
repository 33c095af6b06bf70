import { addUserExpense } from './add-user-expense.ts'
import { costByService } from './cost-by-service.ts'
import { costExport } from './cost-export.ts'
import { devopsGetProfile } from './devops-get-profile.ts'
import { getDocuments } from './get-documents.ts'
import { getExpenseStats } from './get-expense-stats.ts'
import { getUserContext } from './get-user-context.ts'
import { getUserExpenses } from './get-user-expenses.ts'
import { graphGetProfile } from './graph-get-profile.ts'
import type { Tool } from './tool.ts'

/** What the server can do; infra/permissions.json and TOOL_SETS say what it offers. */
export const allTools: readonly Tool[] = [
  addUserExpense,
  getUserExpenses,
  getExpenseStats,
  graphGetProfile,
  getUserContext,
  devopsGetProfile,
  costByService,
  costExport,
  getDocuments,
]
