import { z } from 'zod'
import { CostsBroken } from './cost-failure.ts'
import type { Period } from './period.ts'

/** What one service cost; `day` where days were asked for. `amount` may be negative: a refund or credit. */
export type Cost = Readonly<{ amount: number; currency: string; service: string; day?: string }>
export type Page = Readonly<{ costs: readonly Cost[]; nextLink: string | undefined }>

/** `QueryResult` of Microsoft.CostManagement 2024-08-01, as far as it is read. */
const QueryResult = z.object({
  properties: z.object({
    nextLink: z.string().nullish(),
    columns: z.array(z.object({ name: z.string() })),
    rows: z.array(z.array(z.unknown())),
  }),
})

const COST = 'Cost'
const SERVICE_NAME = 'ServiceName'
const CURRENCY = 'Currency'
const USAGE_DATE = 'UsageDate'

const Amount = z.number()
const Currency = z.string().regex(/^[A-Z]{3}$/)
const UsageDate = z
  .int()
  .transform((number) => String(number).replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'))
  .pipe(z.iso.date())

/** The question: costs per service, and per day for `daily`. Names of the API's `QueryDefinition`. */
export const questionFor = ({ from, to }: Period, daily: boolean) => ({
  type: 'ActualCost',
  timeframe: 'Custom',
  timePeriod: { from: `${from}T00:00:00Z`, to: `${to}T23:59:59Z` },
  dataset: {
    // 'None' is not in the API description's enumeration but in its examples: one row for the whole period.
    granularity: daily ? 'Daily' : 'None',
    // The answer's column is named by the key, by the name, or both: here they are the same.
    aggregation: { [COST]: { name: COST, function: 'Sum' } },
    grouping: [{ type: 'Dimension', name: SERVICE_NAME }],
  },
})

/**
 * Reads a page of the answer. Columns are found by their names: their order is the service's. Throws CostsBroken for
 * what is no such answer, and for a day that was not asked for.
 */
export function readPage(body: unknown, period: Period, daily: boolean): Page {
  const parsed = QueryResult.safeParse(body)
  if (!parsed.success) throw new CostsBroken('no_query_result')
  const { columns, rows, nextLink } = parsed.data.properties
  const places = new Map(columns.map(({ name }, place) => [name, place]))
  if (places.size < columns.length) throw new CostsBroken('ambiguous_columns')
  const read = <T>(row: readonly unknown[], column: string, schema: z.ZodType<T>): T => {
    const place = places.get(column)
    const value = schema.safeParse(place === undefined ? undefined : row[place])
    if (!value.success) throw new CostsBroken(`bad_${column}`)
    return value.data
  }
  const costOf = (row: readonly unknown[]): Cost => ({
    amount: read(row, COST, Amount),
    currency: read(row, CURRENCY, Currency),
    service: read(row, SERVICE_NAME, z.string()),
    ...(daily && { day: within(period, read(row, USAGE_DATE, UsageDate)) }),
  })
  return { costs: rows.map(costOf), nextLink: nextLink || undefined }
}

function within({ from, to }: Period, day: string): string {
  if (day < from || day > to) throw new CostsBroken('other_period')
  return day
}
