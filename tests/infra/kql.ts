/**
 * As much of the Kusto query language as the alerts and the workbook use, so that their queries can be tried on rows.
 * What it does not know it refuses, and so are columns that no row has. Each rule has its page of
 * https://learn.microsoft.com/kusto/query/ beside it.
 *
 * Values: a datetime is a Date, a timespan a Timespan, dynamic what JSON.parse makes; null is undefined.
 */
import type { Expression } from './kql-operators.ts'
import { type Named, Parser, tokensOf } from './kql-parser.ts'
import { isTrue, type Row, type Value } from './kql-values.ts'

export type { Row } from './kql-values.ts'

/** The rows that a query makes of those of its table. */
export const evaluate = (query: string, rows: readonly Row[]): Row[] => run(query, rows).table

/** Keys of dynamic values that a query reads and no row has: on rows of all kinds they are misspelt, or never written. */
export function neverFound(query: string, rows: readonly Row[]): string[] {
  const { keys } = run(query, rows)
  return [...keys].flatMap(([key, found]) => (found ? [] : [key]))
}

/** The table that a query begins with. */
export const tableOf = (query: string): string => stagesOf(query)[0]?.[0] ?? ''

function stagesOf(query: string): string[][] {
  const stages: string[][] = [[]]
  for (const token of tokensOf(query)) {
    if (token === '|') stages.push([])
    else stages.at(-1)?.push(token)
  }
  return stages
}

function run(query: string, rows: readonly Row[]) {
  const keys = new Map<string, boolean>()
  const [source = [], ...stages] = stagesOf(query)
  if (source.length !== 1) throw new Error(`One table was expected, not: ${source.join(' ')}`)
  const table = stages.reduce<Row[]>(
    (before, [operator = '', ...rest]) => {
      const operate = OPERATORS[operator]
      if (!operate) throw new Error(`The operator ${operator} is not known.`)
      const parser = new Parser(rest, keys)
      const after = operate(parser, before)
      parser.end()
      return after
    },
    [...rows],
  )
  return { table, keys }
}

const OPERATORS: Readonly<Record<string, (parser: Parser, table: readonly Row[]) => Row[]>> = {
  where: (parser, table) => {
    const condition = parser.expression()
    return table.filter((row) => isTrue(condition(row)))
  },
  extend: (parser, table) => {
    const columns = parser.list(() => parser.named(() => parser.expression()))
    // A column that is made here is not read here: that it could be is not documented.
    return table.map((row) => ({
      ...row,
      ...Object.fromEntries(columns.map(([name, of]) => [name, of(row)])),
    }))
  },
  summarize,
  order: (parser, table) => {
    parser.expect('by')
    const column = parser.column()
    parser.expect('desc')
    return table.toSorted((a, b) => sortable(column(b)) - sortable(column(a)))
  },
}

/** summarize-operator: the columns of `by` and then the aggregates; without `by` one row, even of no rows. */
function summarize(parser: Parser, table: readonly Row[]): Row[] {
  const aggregates = parser.list(() => parser.named(() => parser.aggregate()))
  const keys = parser.takes('by') ? parser.list(() => keyOf(parser)) : []
  const groups = new Map<string, { key: Row; rows: Row[] }>()
  if (keys.length === 0) groups.set('{}', { key: {}, rows: [] })
  for (const row of table) {
    const key = Object.fromEntries(keys.map(([name, of]) => [name, of(row)]))
    const text = JSON.stringify(key)
    const group = groups.get(text) ?? { key, rows: [] }
    group.rows.push(row)
    groups.set(text, group)
  }
  return [...groups.values()].map(({ key, rows }) => ({
    ...key,
    ...Object.fromEntries(aggregates.map(([name, of]) => [name, of(rows)])),
  }))
}

/** A dynamic value must be cast to a simple type first (scalar-data-types/dynamic). */
function keyOf(parser: Parser): Named<Expression> {
  const [name, of] = parser.named(() => parser.expression())
  if (of.isDynamic) throw new Error(`${name} is dynamic: rows are grouped by simple types, as of tostring().`)
  return [name, of]
}

/** sort-operator, as far as numbers. Where NaN comes is not said. */
function sortable(value: Value): number {
  if (typeof value !== 'number' || Number.isNaN(value)) throw new Error('Rows are sorted by numbers here.')
  return value
}
