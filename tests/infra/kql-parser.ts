/** Reads the expressions of a Kusto query; see kql.ts. */
import {
  COMPARISONS,
  calculated,
  constant,
  type Expression,
  equal,
  propertyOf,
  quotient,
} from './kql-operators.ts'
import { AGGREGATES, type Aggregate, FUNCTIONS, isNull, isTrue, type Row } from './kql-values.ts'

export type Named<Of> = [name: string, of: Of]

const TOKEN = /\s*(?:('(?:[^'\\]|\\.)*')|(\d+(?:\.\d+)?[a-z]*)|([A-Za-z_]\w*)|(==|>=|[<>()[\],.=*/|]))/y

export function tokensOf(query: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  const end = query.trimEnd().length
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex
    const [token] = TOKEN.exec(query) ?? []
    if (token === undefined) throw new Error(`Not understood: ${query.slice(from)}`)
    tokens.push(token.trim())
  }
  return tokens
}

/**
 * Some keywords that are no names unless they are quoted, `['last']` (schema-entities/entity-names): Microsoft's parser
 * (@kusto/language-service-next 12.4.1, KS228, KS198) refuses these, and takes `in` and `count`.
 */
const KEYWORDS = new Set(['by', 'asc', 'desc', 'first', 'last', 'and', 'or', 'startswith', 'true', 'false'])

export class Parser {
  readonly #tokens: readonly string[]
  /** Of dynamic values, and whether a row had them. */
  readonly #keys: Map<string, boolean>
  #at = 0

  constructor(tokens: readonly string[], keys: Map<string, boolean>) {
    this.#tokens = tokens
    this.#keys = keys
  }

  end(): void {
    if (this.#at < this.#tokens.length)
      throw new Error(`Not understood: ${this.#tokens.slice(this.#at).join(' ')}`)
  }

  takes(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  expect(token: string): void {
    if (!this.takes(token)) throw new Error(`${token} was expected, not ${this.#tokens[this.#at]}`)
  }

  #next(): string {
    return this.#tokens[this.#at++] ?? ''
  }

  #name(): string {
    const name = this.#next()
    if (!/^[A-Za-z_]/.test(name) || KEYWORDS.has(name))
      throw new Error(`${name} is no name; a keyword needs other words.`)
    return name
  }

  list<Of>(read: () => Of): Of[] {
    const all = [read()]
    while (this.takes(',')) all.push(read())
    return all
  }

  /** `name = …`; a column alone, and the bin of a column, keep its name. Other names that Kusto makes up are refused. */
  named<Of>(read: () => Of): Named<Of> {
    const [first = '', second, third = '', fourth] = this.#tokens.slice(this.#at)
    if (second === '=') {
      const name = this.#name()
      this.#at += 1
      return [name, read()]
    }
    if (first === 'bin' && fourth === ',') return [third, read()]
    if (second !== undefined && second !== ',') throw new Error(`${first} … needs a name.`)
    return [first, read()]
  }

  column(): Expression {
    const name = this.#name()
    return (row) => {
      if (!Object.hasOwn(row, name)) throw new Error(`There is no column ${name}.`)
      return row[name]
    }
  }

  aggregate(): Aggregate {
    const name = this.#next()
    const aggregation = AGGREGATES[name]
    if (!aggregation) throw new Error(`The aggregate ${name} is not known.`)
    const [first = () => undefined, second = () => undefined] = this.#arguments(name, aggregation.arity)
    return aggregation.of(first, second)
  }

  #arguments(name: string, arity?: number): Expression[] {
    this.expect('(')
    const isEmpty = this.#tokens[this.#at] === ')'
    const all = isEmpty ? [] : this.list(() => this.expression())
    this.expect(')')
    if (arity !== undefined && all.length !== arity)
      throw new Error(`${name} takes ${arity} here, not ${all.length}.`)
    return all
  }

  expression(): Expression {
    const first = this.#comparison()
    const others: Expression[] = []
    while (this.takes('and')) others.push(this.#comparison())
    return others.length === 0 ? first : (row) => [first, ...others].every((of) => isTrue(of(row)))
  }

  #comparison(): Expression {
    const left = this.#product()
    if (this.takes('in')) {
      const values = this.#arguments('in')
      return (row) => values.some((of) => equal(left(row), of(row)) === true)
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
      if (this.takes('*')) left = calculated(left, this.#member(), (a, b) => a * b)
      else if (this.takes('/')) left = quotient(left, this.#member())
      else return left
    }
  }

  #member(): Expression {
    let of = this.#atom()
    for (;;) {
      const [object, key] = [of, this.#key()]
      if (key === undefined) return of
      this.#keys.set(key, this.#keys.get(key) ?? false)
      const read = (row: Row) => {
        const value = propertyOf(object(row), key)
        if (!isNull(value)) this.#keys.set(key, true)
        return value
      }
      of = Object.assign(read, { isDynamic: true })
    }
  }

  #key(): string | undefined {
    if (this.takes('.')) return this.#name()
    if (!this.takes('[')) return undefined
    const key = this.#next()
    if (!key.startsWith("'")) throw new Error(`A string was expected, not ${key}`)
    this.expect(']')
    return key.slice(1, -1)
  }

  #atom(): Expression {
    const token = this.#tokens[this.#at] ?? ''
    if (/^['\d]/.test(token) || token === 'true' || token === 'false') {
      this.#at += 1
      return token.startsWith("'") ? () => token.slice(1, -1) : constant(token)
    }
    return this.#tokens[this.#at + 1] === '(' ? this.#call() : this.column()
  }

  #call(): Expression {
    const name = this.#next()
    const call = FUNCTIONS[name]
    if (!call) throw new Error(`The function ${name} is not known.`)
    const values = this.#arguments(name, call.arity)
    return (row) => call.of(...values.map((of) => of(row)))
  }
}
