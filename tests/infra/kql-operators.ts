/** Literals and operators of the Kusto query language; see kql.ts. */
import { isNull, numberOf, type Row, simple, Timespan, type Value } from './kql-values.ts'

export type Expression = ((row: Row) => Value) & {
  /** What is under a key of a dynamic value is dynamic. */
  readonly isDynamic?: boolean
  /** Written with a decimal point, or a product of such. */
  readonly isReal?: boolean
}

const MINUTE_MS = 60_000

/** scalar-data-types/timespan: `30m`. */
function literal(token: string): Expression {
  const [, digits = '', unit = ''] = /^([\d.]+)([a-z]*)$/.exec(token) ?? []
  if (unit === '') return Object.assign(() => Number(digits), { isReal: digits.includes('.') })
  if (unit !== 'm') throw new Error(`The unit of ${token} is not known.`)
  const span = new Timespan(Number(digits) * MINUTE_MS)
  return () => span
}

/** A comparison with null is neither true nor false (null-values). */
const comparing = (compare: (a: Value, b: Value) => boolean) => (a: Value, b: Value) =>
  isNull(a) || isNull(b) ? undefined : compare(a, b)
export const equal = comparing((a, b) => {
  if (typeof a !== typeof b) throw new Error('Only values of one type are compared here.')
  return simple(a) === simple(b)
})
export const COMPARISONS: Readonly<Record<string, (a: Value, b: Value) => boolean | undefined>> = {
  '==': equal,
  '>': comparing((a, b) => Number(numberOf(a)) > Number(numberOf(b))),
  '>=': comparing((a, b) => Number(numberOf(a)) >= Number(numberOf(b))),
  // "Case-insensitive operators are currently supported only for ASCII-text" (startswith-operator)
  startswith: comparing((a, b) => textOf(a).toLowerCase().startsWith(textOf(b).toLowerCase())),
}

function textOf(value: Value): string {
  if (typeof value !== 'string') throw new Error('A string was expected.')
  return value
}

/** A value of a property bag; of anything else null (scalar-data-types/dynamic). */
export const propertyOf = (value: Value, key: string): Value =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Row)[key] : undefined

export const constant = (token: string): Expression =>
  /^\d/.test(token) ? literal(token) : () => token === 'true'

/** A calculation with null is null (null-values). */
export function calculated(a: Expression, b: Expression, of: (a: number, b: number) => number): Expression {
  const value = (row: Row) => {
    const [left, right] = [numberOf(a(row)), numberOf(b(row))]
    return left === undefined || right === undefined ? undefined : of(left, right)
  }
  return Object.assign(value, { isReal: Boolean(a.isReal) || Boolean(b.isReal) })
}

/** numerical-operators: of two whole numbers the quotient is whole. */
export function quotient(a: Expression, b: Expression): Expression {
  if (!a.isReal && !b.isReal)
    throw new Error('A division of what may be whole numbers: make one of them real.')
  return calculated(a, b, (left, right) => left / right)
}
