import { z } from 'zod'
import { exportCosts, type Missing } from '../costs/export.ts'
import type { Period } from '../costs/period.ts'
import { deadlines } from '../deadline.ts'
import { askForCosts, checkPeriod, costArguments, inWordsOf } from './cost-question.ts'
import { defineTool } from './tool.ts'

export const costExport = defineTool({
  name: 'cost_export',
  title: 'Azure costs as CSV',
  description:
    'What an Azure subscription cost, per day and service, as a CSV file (date, service, amount, currency). What does not fit is cut off at a whole day and named.',
  annotations: { readOnlyHint: true, openWorldHint: true },
  input: z.strictObject(costArguments).superRefine(checkPeriod),
  output: z.object({
    subscription: z.string(),
    from: z.string(),
    to: z.string(),
    rows: z.int().describe('Records of the file, without its header'),
    bytes: z.int(),
    missing: z
      .object({
        from: z.string(),
        to: z.string(),
        reason: z.enum(['size', 'not_answered']),
        retry_after_seconds: z.int().optional(),
      })
      .optional()
      .describe('The part of the period that is not in the file: ask for it by itself'),
  }),
  run: async ({ subscription, from, to }, context) => {
    const end = Date.now() + deadlines.costExport
    const ask = (period: Period) => {
      const deadlineMs = Math.min(deadlines.costs, end - Date.now())
      return askForCosts({ subscription, period, daily: true }, context, { deadlineMs })
    }
    const onMonth = (done: number, of: number) => context.report?.(done, of, `${done} of ${of} months read`)
    const { csv, rows, missing } = await inWordsOf(context, () => exportCosts({ from, to }, ask, { onMonth }))
    const structured = { subscription, from, to, rows, bytes: Buffer.byteLength(csv), ...told(missing) }
    return {
      structured,
      text: `The costs of subscription ${subscription} per day and service from ${from} to ${to} as CSV, ${rows} records in ${structured.bytes} bytes. ${inWords(missing)}`,
      file: { uri: `costs://${subscription}/${from}/${to}.csv`, mimeType: 'text/csv', text: csv },
    }
  },
})

function told(missing: Missing | undefined) {
  if (!missing) return {}
  const { from, to, reason } = missing
  const wait = missing.reason === 'not_answered' && { retry_after_seconds: missing.retryAfterSeconds }
  return { missing: { from, to, reason, ...wait } }
}

function inWords(missing: Missing | undefined): string {
  if (!missing) return 'Nothing is missing.'
  const { from, to } = missing
  return missing.reason === 'size'
    ? `Missing: ${from} to ${to}, because the file would be too large. Ask for that period by itself.`
    : `Missing: ${from} to ${to}, because Azure Cost Management did not answer any more. Ask for that period in ${missing.retryAfterSeconds} seconds, not earlier.`
}
