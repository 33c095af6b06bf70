import type { Cost } from './answer.ts'
import { CostsUnavailable } from './cost-failure.ts'
import { CsvFile } from './csv.ts'
import { monthsOf, type Period, shifted } from './period.ts'

/** The part of the period that is not in the file, up to its end, and why. */
export type Missing = Period &
  Readonly<{ reason: 'size' } | { reason: 'not_answered'; retryAfterSeconds: number }>

export type CostExport = Readonly<{
  /** Of RFC 4180: date, service, amount, currency. */
  csv: string
  rows: number
  missing: Missing | undefined
}>

/** It travels in one JSON message, and a model may have to read it: some 5,000 days of a service. */
export const MAX_CSV_BYTES = 256 * 1024

/**
 * Costs per day and service as CSV, month by month, oldest first. What does not fit, or is not answered any more, is
 * cut off at a whole day and named. Throws what `ask` throws for the first month.
 */
export async function exportCosts(
  period: Period,
  ask: (month: Period) => Promise<readonly Cost[]>,
  {
    onMonth,
    maxBytes = MAX_CSV_BYTES,
  }: { onMonth?: (done: number, of: number) => void; maxBytes?: number } = {},
): Promise<CostExport> {
  const file = new CsvFile(maxBytes)
  const done = (missing?: Missing) => ({ csv: file.text, rows: file.rows, missing })
  const months = monthsOf(period)
  for (const [index, month] of months.entries()) {
    onMonth?.(index, months.length)
    const costs = await ask(month).catch((error: unknown) => notAnswered(error, index))
    if (costs instanceof CostsUnavailable) {
      const { retryAfterSeconds } = costs
      return done({ from: month.from, to: period.to, reason: 'not_answered', retryAfterSeconds })
    }
    const day = firstWithoutRoom(file, month, costs)
    if (day) return done({ from: day, to: period.to, reason: 'size' })
  }
  onMonth?.(months.length, months.length)
  return done()
}

/** What is there already is not thrown away for what is not. */
function notAnswered(error: unknown, index: number): CostsUnavailable {
  if (error instanceof CostsUnavailable && index > 0) return error
  throw error
}

/** Adds a month day by day; the first day that has no room, if there is one. */
function firstWithoutRoom(file: CsvFile, { from, to }: Period, costs: readonly Cost[]): string | undefined {
  const days = Map.groupBy(costs, ({ day }) => day)
  for (let day = from; day <= to; day = shifted(day, 1)) if (!file.add(days.get(day) ?? [])) return day
  return undefined
}
