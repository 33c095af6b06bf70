/** Values of the Kusto query language, and the functions on them that the queries use; see kql.ts. */

export type Value = unknown
export type Row = Readonly<Record<string, Value>>

export class Timespan {
  /** Milliseconds. */
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

export const isNull = (value: Value) => value === undefined || value === null
/** Strings have no null (null-values); functions that take any type know both. */
export const isEmpty = (value: Value) => isNull(value) || value === ''

/** A condition holds if it is true; null is not (where-operator, null-values). */
export function isTrue(value: Value): boolean {
  if (!isNull(value) && typeof value !== 'boolean') throw new Error('A condition was expected.')
  return value === true
}

/** Of times and dynamic objects two that are equal are not the same here. */
export function simple(value: Value): Value {
  if (typeof value === 'object' && value !== null)
    throw new Error('A string, number or boolean was expected.')
  return value
}

export function numberOf(value: Value): number | undefined {
  if (isNull(value)) return undefined
  if (typeof value !== 'number') throw new Error('A number was expected.')
  return value
}

/** todouble: "If conversion isn't successful, the result is null." */
function toNumber(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (isNull(value)) return undefined
  if (typeof value !== 'string') throw new Error('Only numbers and strings are made numbers here.')
  return /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

function toWhole(value: Value): number | undefined {
  const number = toNumber(value)
  return number === undefined ? undefined : Math.trunc(number)
}

/** tostring: of null the empty string; of a dynamic object its JSON. */
function toText(value: Value): string {
  if (value instanceof Date || value instanceof Timespan) throw new Error('Times are not made strings here.')
  if (isNull(value)) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** parse-json-function: a dynamic value as it is; a text that is no JSON is a dynamic string. */
function parseJson(value: Value): Value {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

const DAY_MS = 86_400_000

/** bin-function: "The nearest multiple of roundTo below value. Null values […] will result in null." */
function bin(value: Value, size: Value): Value {
  if (isNull(value)) return undefined
  if (!(value instanceof Date && size instanceof Timespan)) throw new Error('bin() of these is not known.')
  // Since when larger bins are counted the page does not say; those that fill a day begin at midnight.
  if (size.ms <= 0 || DAY_MS % size.ms !== 0) throw new Error('A bin is a part of a day here.')
  return new Date(Math.floor(value.getTime() / size.ms) * size.ms)
}

type Call = Readonly<{ arity: number; of: (...values: Value[]) => Value }>
const unary = (of: (value: Value) => Value): Call => ({ arity: 1, of })

export const FUNCTIONS: Readonly<Record<string, Call>> = {
  parse_json: unary(parseJson),
  isnotempty: unary((value) => !isEmpty(value)),
  tostring: unary(toText),
  toint: unary(toWhole),
  tolong: unary(toWhole),
  long: unary(toWhole),
  todouble: unary(toNumber),
  // "the first non-null (or non-empty for string) expression"
  coalesce: { arity: 2, of: (a, b) => (isEmpty(a) ? b : a) },
  bin: { arity: 2, of: bin },
}

type Of = (row: Row) => Value
export type Aggregate = (rows: readonly Row[]) => Value
type Aggregation = Readonly<{ arity: number; of: (first: Of, second: Of) => Aggregate }>

const numbers = (rows: readonly Row[], of: Of) => rows.flatMap((row) => numberOf(of(row)) ?? [])
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const matching = (rows: readonly Row[], condition: Of) => rows.filter((row) => isTrue(condition(row)))

/** Null values are ignored; an empty string is none (aggregation functions, null-values). Exact where Kusto estimates. */
const distinct = (rows: readonly Row[], of: Of) =>
  new Set(rows.map((row) => simple(of(row))).filter((value) => !isNull(value))).size

function greatest(rows: readonly Row[], of: Of): Value {
  const values = rows.map(of).filter((value) => !isNull(value))
  if (!values.every((value) => value instanceof Date)) throw new Error('max() is of datetimes here.')
  return values.toSorted((a, b) => a.getTime() - b.getTime()).at(-1)
}

/** percentiles-aggregation-function: the nearest rank, "the smallest value in the list" that so many percent do not exceed. */
function percentile(rows: readonly Row[], of: Of, share: Of): Value {
  const percent = numberOf(share({}))
  if (percent === undefined || percent < 0 || percent > 100) throw new Error('A percentile is from 0 to 100.')
  const sorted = numbers(rows, of).toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
}

export const AGGREGATES: Readonly<Record<string, Aggregation>> = {
  count: { arity: 0, of: () => (rows) => rows.length },
  countif: { arity: 1, of: (condition) => (rows) => matching(rows, condition).length },
  sum: { arity: 1, of: (of) => (rows) => sum(numbers(rows, of)) },
  sumif: { arity: 2, of: (of, condition) => (rows) => sum(numbers(matching(rows, condition), of)) },
  max: { arity: 1, of: (of) => (rows) => greatest(rows, of) },
  dcount: { arity: 1, of: (of) => (rows) => distinct(rows, of) },
  dcountif: { arity: 2, of: (of, condition) => (rows) => distinct(matching(rows, condition), of) },
  percentile: { arity: 2, of: (of, share) => (rows) => percentile(rows, of, share) },
}
