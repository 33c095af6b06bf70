/** Days in UTC, `YYYY-MM-DD`, the first and the last one included. */
export type Period = Readonly<{ from: string; to: string }>

export const MAX_MONTHS = 12

const at = (day: string) => new Date(`${day}T00:00:00Z`)
const dayOf = (date: Date) => date.toISOString().slice(0, 10)

/** Today in UTC, as Azure bills. */
export const today = () => dayOf(new Date())

/** The day so many days after a day, or before it. */
export function shifted(day: string, days: number): string {
  const date = at(day)
  date.setUTCDate(date.getUTCDate() + days)
  return dayOf(date)
}

/** The last day of the month that a day is in. */
function monthEnd(day: string): string {
  const date = at(day)
  return dayOf(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)))
}

/** The first day of the longest period that ends with this day: 2025-03-01 for 2026-02-28. */
function earliest(to: string): string {
  const date = at(to)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() - MAX_MONTHS]
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  return dayOf(new Date(Date.UTC(year, month, Math.min(date.getUTCDate(), lastOfMonth) + 1)))
}

/**
 * What is wrong with a period of two calendar days, in words. Cost Management would quietly answer for another one:
 * it swaps the ends, moves what lies in the future and cuts what is too long (Microsoft's "Cost Query Guardrails").
 */
export function faultOf({ from, to }: Period): string | undefined {
  if (from > to) return 'from must not be after to'
  // Azure is younger, and a year of two digits would be counted as one of the last century.
  if (from < '2008') return 'from must not be before 2008'
  if (to > today()) return `to must not be after today, ${today()} in UTC: costs of the future are not known`
  if (from < earliest(to))
    return `the period must have at most ${MAX_MONTHS} months: from ${earliest(to)} to ${to}`
  return undefined
}

/** The calendar months of a period, oldest first: daily costs are answered for 31 days at most. */
export function monthsOf({ from, to }: Period): Period[] {
  const end = monthEnd(from)
  return end < to ? [{ from, to: end }, ...monthsOf({ from: shifted(end, 1), to })] : [{ from, to }]
}
