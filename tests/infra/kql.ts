/**
 * As much of the Kusto query language as the alerts and the workbook use, so that their queries can be tried on lines.
 * What it does not know it refuses.
 */

type Value = unknown
export type Row = Readonly<Record<string, Value>>
type Expression = (row: Row) => Value
type Aggregate = (rows: readonly Row[]) => Value

const TOKEN = /\s*(?:('(?:[^'\\]|\\.)*')|(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(==|!=|>=|<=|[<>()[\],.=*/+-]))/y

/** The rows that a query makes of those of its table. */
export function evaluate(query: string, rows: readonly Row[]): Row[] {
  const [, ...stages] = query.split(/(?:^|\n|\s)\|\s/).map((stage) => stage.trim())
  return stages.reduce<Row[]>((table, stage) => run(stage, table), [...rows])
}

function run(stage: string, table: readonly Row[]): Row[] {
  const [, operator = '', rest = ''] = /^(\w+)\s+([\s\S]*)$/.exec(stage) ?? []
  const parser = new Parser(rest)
  if (operator === 'where') {
    const condition = parser.whole()
    return table.filter((row) => condition(row) === true)
  }
  if (operator === 'extend') {
    const columns = parser.named(() => parser.expression())
    return table.map((row) => {
      const extended: Record<string, Value> = { ...row }
      for (const [name, of] of columns) extended[name] = of(extended)
      return extended
    })
  }
  if (operator === 'summarize') return summarize(parser, table)
  if (operator === 'order') return [...table]
  throw new Error(`The operator ${operator} is not known.`)
}

function summarize(parser: Parser, table: readonly Row[]): Row[] {
  const aggregates = parser.named(() => parser.aggregate())
  const keys = parser.takes('by') ? parser.named(() => parser.expression()) : []
  parser.end()
  const groups = new Map<string, { key: Row; rows: Row[] }>(
    keys.length === 0 ? [['', { key: {}, rows: [] }]] : [],
  )
  for (const row of table) {
    const key = Object.fromEntries(keys.map(([name, of]) => [name, of(row)]))
    const text = keys.length === 0 ? '' : JSON.stringify(key)
    const group = groups.get(text) ?? { key, rows: [] }
    group.rows.push(row)
    groups.set(text, group)
  }
  return [...groups.values()].map(({ key, rows }) => ({
    ...key,
    ...Object.fromEntries(aggregates.map(([name, of]) => [name, of(rows)])),
  }))
}

const isEmpty = (value: Value) => value === undefined || value === null || value === ''
const number = (value: Value) => (isEmpty(value) || Number.isNaN(Number(value)) ? undefined : Number(value))
const text = (value: Value) =>
  isEmpty(value) ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)

const FUNCTIONS: Readonly<Record<string, (...values: Value[]) => Value>> = {
  parse_json: (value) => {
    try {
      return JSON.parse(text(value))
    } catch {
      return undefined
    }
  },
  isnotempty: (value) => !isEmpty(value),
  isempty: isEmpty,
  tostring: text,
  toint: number,
  tolong: number,
  todouble: number,
  long: number,
  coalesce: (...values) => values.find((value) => !isEmpty(value)),
  bin: (value) => value,
}

const numbers = (rows: readonly Row[], of: Expression) => rows.flatMap((row) => number(of(row)) ?? [])
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const matching = (rows: readonly Row[], condition: Expression | undefined) =>
  rows.filter((row) => condition?.(row) === true)

const AGGREGATES: Readonly<Record<string, (...of: Expression[]) => Aggregate>> = {
  count: () => (rows) => rows.length,
  countif: (condition) => (rows) => matching(rows, condition).length,
  sum: (of) => (rows) => sum(numbers(rows, of as Expression)),
  sumif: (of, condition) => (rows) => sum(numbers(matching(rows, condition), of as Expression)),
  max: (of) => (rows) =>
    rows
      .map((row) => of?.(row))
      .toSorted()
      .at(-1),
  dcount: (of) => (rows) => new Set(rows.map((row) => of?.(row))).size,
  percentile: (of, share) => (rows) => {
    const sorted = numbers(rows, of as Expression).toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil((Number(share?.({})) / 100) * sorted.length) - 1)]
  },
}

const less = (a: Value, b: Value) => !isEmpty(a) && !isEmpty(b) && Number(a) < Number(b)
const COMPARISONS: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': less,
  '>': (a, b) => less(b, a),
  '>=': (a, b) => less(b, a) || (!isEmpty(a) && a === b),
  '<=': (a, b) => less(a, b) || (!isEmpty(a) && a === b),
  startswith: (a, b) => text(a).toLowerCase().startsWith(text(b).toLowerCase()),
}

class Parser {
  readonly #tokens: string[] = []
  #at = 0

  constructor(source: string) {
    TOKEN.lastIndex = 0
    const end = source.trimEnd().length
    while (TOKEN.lastIndex < end) {
      const from = TOKEN.lastIndex
      const [token] = TOKEN.exec(source) ?? []
      if (token === undefined) throw new Error(`Not understood: ${source.slice(from)}`)
      this.#tokens.push(token.trim())
    }
  }

  whole(): Expression {
    const expression = this.expression()
    this.end()
    return expression
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw new Error(`Not understood: ${this.#tokens.slice(this.#at)}`)
  }

  takes(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #expect(token: string): void {
    if (!this.takes(token)) throw new Error(`${token} was expected, not ${this.#tokens[this.#at]}`)
  }

  #next(): string {
    return this.#tokens[this.#at++] ?? ''
  }

  /** `name = …, name = …`; a column alone keeps its name. */
  named<Of>(read: () => Of): [string, Of][] {
    const all: [string, Of][] = []
    do {
      const name = this.#tokens[this.#at] ?? ''
      if (this.#tokens[this.#at + 1] === '=') this.#at += 2
      all.push([name, read()])
    } while (this.takes(','))
    return all
  }

  aggregate(): Aggregate {
    const name = this.#next()
    const make = AGGREGATES[name]
    if (!make) throw new Error(`The aggregate ${name} is not known.`)
    return make(...this.#arguments())
  }

  #arguments(): Expression[] {
    this.#expect('(')
    const all: Expression[] = []
    while (!this.takes(')')) {
      all.push(this.expression())
      this.takes(',')
    }
    return all
  }

  expression(): Expression {
    const first = this.#and()
    const others: Expression[] = []
    while (this.takes('or')) others.push(this.#and())
    return others.length === 0 ? first : (row) => [first, ...others].some((of) => of(row) === true)
  }

  #and(): Expression {
    const all = [this.#comparison()]
    while (this.takes('and')) all.push(this.#comparison())
    const [only] = all
    return all.length === 1 && only ? only : (row) => all.every((of) => of(row) === true)
  }

  #comparison(): Expression {
    const left = this.#product()
    if (this.takes('in')) {
      const values = this.#arguments()
      return (row) => values.some((of) => of(row) === left(row))
    }
    const compare = COMPARISONS[this.#tokens[this.#at] ?? '']
    if (!compare) return left
    this.#at += 1
    const right = this.#product()
    return (row) => compare(left(row), right(row))
  }

  #product(): Expression {
    let left = this.#member()
    for (;;) {
      const operator = this.#tokens[this.#at]
      if (operator !== '*' && operator !== '/') return left
      this.#at += 1
      const [a, b] = [left, this.#member()]
      left =
        operator === '*' ? (row) => Number(a(row)) * Number(b(row)) : (row) => Number(a(row)) / Number(b(row))
    }
  }

  #member(): Expression {
    let of = this.#atom()
    for (;;) {
      const [object, key] = [of, this.#key()]
      if (key === undefined) return of
      of = (row) => (object(row) as Row | null | undefined)?.[key]
    }
  }

  #key(): string | undefined {
    if (this.takes('.')) return this.#next()
    if (!this.takes('[')) return undefined
    const key = this.#next().slice(1, -1)
    this.#expect(']')
    return key
  }

  #atom(): Expression {
    if (this.takes('(')) {
      const inner = this.expression()
      this.#expect(')')
      return inner
    }
    const token = this.#next()
    if (token.startsWith("'")) return () => token.slice(1, -1)
    if (/^\d/.test(token)) return () => Number(token)
    if (token === 'true' || token === 'false') return () => token === 'true'
    if (this.#tokens[this.#at] !== '(') return (row) => row[token]
    const call = FUNCTIONS[token]
    if (!call) throw new Error(`The function ${token} is not known.`)
    const values = this.#arguments()
    return (row) => call(...values.map((of) => of(row)))
  }
}
