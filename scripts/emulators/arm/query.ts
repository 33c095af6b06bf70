import { z } from 'zod'
import { badRequest } from './errors.ts'

/** What a service cost on one day. */
export type DayCost = Readonly<{ service: string; currency: string; amount: number }>

export interface Subscription {
  /** GUID in lower case. */
  id: string
  displayName: string
  tenantId: string
  /**
   * `no_usage`: Cost Management answers 204. `no_offer`: of a kind that it knows no costs of, such as sponsored ones,
   * and reported as 404 `NotFound` (Azure/azqr#674).
   */
  state: 'enabled' | 'no_usage' | 'no_offer'
  /** By day, `YYYY-MM-DD`. */
  costs: (day: string) => readonly DayCost[]
}

const DAY = 24 * 60 * 60 * 1000
const MAX_DAILY_DAYS = 31
const MAX_MONTHS = 12

/**
 * `QueryDefinition` of the API description 2024-08-01, as far as it is played: two aggregations and two groupings at
 * most, and of those the sum of `Cost` by `ServiceName`. `None` stands in the description's examples only.
 */
const QueryDefinition = z.strictObject({
  type: z.enum(['Usage', 'ActualCost', 'AmortizedCost']),
  timeframe: z.literal('Custom'),
  timePeriod: z.strictObject({ from: z.iso.datetime(), to: z.iso.datetime() }),
  dataset: z.strictObject({
    granularity: z.enum(['Daily', 'None']),
    aggregation: z
      .record(z.string(), z.strictObject({ name: z.literal('Cost'), function: z.literal('Sum') }))
      .refine((all) => Object.keys(all).length === 1),
    grouping: z
      .array(z.strictObject({ type: z.literal('Dimension'), name: z.literal('ServiceName') }))
      .length(1),
  }),
})

type QueryDefinition = z.infer<typeof QueryDefinition>
type Cell = string | number
export type Table = Readonly<{ columns: readonly { name: string; type: string }[]; rows: Cell[][] }>

/** Reads a question. Throws an ApiRefusal (400) for what the description does not have, and for a period as below. */
export function readQuery(body: unknown, now: number): QueryDefinition {
  const parsed = QueryDefinition.safeParse(body)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw badRequest(`Invalid query definition, ${issue?.path.join('.')}: ${issue?.message}.`)
  }
  checkPeriod(parsed.data, now)
  return parsed.data
}

/**
 * Microsoft's "Cost Query Guardrails": the service swaps the ends of such a period, shifts what lies in the future and
 * cuts what is too long, all without a word. Here each is refused, so that nobody's question depends on it.
 */
function checkPeriod({ timePeriod, dataset }: QueryDefinition, now: number): void {
  const [from, to] = [new Date(timePeriod.from), new Date(timePeriod.to)]
  if (from > to) throw badRequest('Invalid query definition, the start date must be before the end date.')
  if (timePeriod.to.slice(0, 10) > new Date(now).toISOString().slice(0, 10))
    throw badRequest('Invalid query definition, the period is in the future.')
  const longest = new Date(to)
  if (dataset.granularity === 'Daily') longest.setUTCDate(longest.getUTCDate() - MAX_DAILY_DAYS)
  else setMonthsBack(longest)
  if (from < longest) throw badRequest('Invalid query definition, the period is too long.')
}

/** The 29th of February a year ago is the 28th. */
function setMonthsBack(date: Date): void {
  const day = date.getUTCDate()
  date.setUTCMonth(date.getUTCMonth() - MAX_MONTHS)
  if (date.getUTCDate() !== day) date.setUTCDate(0)
}

function daysOf({ timePeriod: { from, to } }: QueryDefinition): string[] {
  const first = Date.parse(from.slice(0, 10))
  const days = (Date.parse(to.slice(0, 10)) - first) / DAY + 1
  return Array.from({ length: days }, (_, index) => new Date(first + index * DAY).toISOString().slice(0, 10))
}

/** Columns in the order in which the description's examples have them: cost, day, grouping, currency. */
export function answerTo(query: QueryDefinition, { costs }: Pick<Subscription, 'costs'>): Table {
  const daily = query.dataset.granularity === 'Daily'
  const sums = new Map<string, { day: string; cost: DayCost; amount: number }>()
  for (const day of daysOf(query))
    for (const cost of costs(day)) {
      const key = JSON.stringify([daily && day, cost.service, cost.currency])
      const sum = sums.get(key) ?? { day, cost, amount: 0 }
      sums.set(key, { ...sum, amount: sum.amount + cost.amount })
    }
  const rows = [...sums.values()].map(({ day, cost, amount }) => [
    amount,
    ...(daily ? [Number(day.replaceAll('-', ''))] : []),
    cost.service,
    cost.currency,
  ])
  const columns = [
    { name: 'Cost', type: 'Number' },
    ...(daily ? [{ name: 'UsageDate', type: 'Number' }] : []),
    { name: 'ServiceName', type: 'String' },
    { name: 'Currency', type: 'String' },
  ]
  return { columns, rows }
}
