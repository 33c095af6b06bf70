import { unsupportedQuery } from './errors.ts'

const TOKEN = /\s*('(?:[^']|'')*'|[A-Za-z_][\w]*|\d+|[(),:/])/y

export type Operator = 'eq' | 'ne' | 'in' | 'startswith' | 'endswith' | 'any'

/** Which operators a noun's properties know; any other filter is refused, as Graph does. */
export type Filterable = Readonly<Record<string, readonly Operator[]>>

export type Predicate = (item: object) => boolean

/** These need an advanced query: ConsistencyLevel and $count. */
const ADVANCED = new Set<Operator>(['ne', 'endswith'])

/** The directory compares text without regard to case. */
const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)
const read = (item: object, property: string): unknown =>
  Object.entries(item).find(([name]) => name === property)?.[1]

const badFilter = () => unsupportedQuery('Invalid filter clause.')

/** Takes the words of a `$filter` one by one. Throws Graph's 400 for what it does not support. */
class Parser {
  readonly #tokens: string[] = []
  readonly #properties: Filterable
  readonly #resource: string
  readonly #advanced: boolean
  #at = 0

  constructor(text: string, properties: Filterable, resource: string, advanced: boolean) {
    this.#properties = properties
    this.#resource = resource
    this.#advanced = advanced
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const match = TOKEN.exec(text)
      if (!match) throw badFilter()
      this.#tokens.push(match[0].trim())
    }
  }

  whole(): Predicate {
    const predicate = this.#or()
    if (this.#at < this.#tokens.length) throw badFilter()
    return predicate
  }

  #next(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw badFilter()
    this.#at += 1
    return token
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #demand(token: string): void {
    if (!this.#take(token)) throw badFilter()
  }

  /** In lower case where it is text: the directory compares so. */
  #literal(): unknown {
    const token = this.#next()
    if (token.startsWith("'")) return folded(token.slice(1, -1).replaceAll("''", "'"))
    if (/^\d+$/.test(token)) return Number(token)
    if (!['null', 'true', 'false'].includes(token)) throw badFilter()
    return JSON.parse(token)
  }

  #or(): Predicate {
    const left = this.#and()
    if (!this.#take('or')) return left
    const right = this.#or()
    return (item) => left(item) || right(item)
  }

  #and(): Predicate {
    const left = this.#term()
    if (!this.#take('and')) return left
    const right = this.#and()
    return (item) => left(item) && right(item)
  }

  #term(): Predicate {
    if (this.#take('(')) {
      const inner = this.#or()
      this.#demand(')')
      return inner
    }
    if (this.#take('not')) {
      if (!this.#advanced) throw unsupportedQuery('Operator "not" needs an advanced query.')
      const inner = this.#term()
      return (item) => !inner(item)
    }
    const name = this.#next()
    if (name === 'startswith' || name === 'endswith') {
      const affix = this.#affix(name)
      this.#allow(affix.name, name)
      return (item) => affix.fits(read(item, affix.name))
    }
    return this.#take('/') ? this.#any(name) : this.#comparison(name)
  }

  #affix(operator: 'startswith' | 'endswith') {
    this.#demand('(')
    const name = this.#next()
    this.#demand(',')
    const wanted = String(this.#literal())
    this.#demand(')')
    const fits = (value: unknown) => {
      if (typeof value !== 'string') return false
      const text = value.toLowerCase()
      return operator === 'startswith' ? text.startsWith(wanted) : text.endsWith(wanted)
    }
    return { name, fits }
  }

  /** tags/any(t:t eq 'x') and identifierUris/any(u:startswith(u,'x')). */
  #any(property: string): Predicate {
    this.#demand('any')
    this.#allow(property, 'any')
    this.#demand('(')
    const variable = this.#next()
    this.#demand(':')
    const fits = this.#onEach(variable)
    this.#demand(')')
    return (item) => {
      const values = read(item, property)
      return Array.isArray(values) && values.some(fits)
    }
  }

  #onEach(variable: string): (value: unknown) => boolean {
    if (this.#take('startswith')) {
      const { name, fits } = this.#affix('startswith')
      if (name !== variable) throw badFilter()
      return fits
    }
    this.#demand(variable)
    this.#demand('eq')
    const wanted = this.#literal()
    return (value) => folded(value) === wanted
  }

  #comparison(property: string): Predicate {
    const operator = this.#next()
    if (operator !== 'eq' && operator !== 'ne' && operator !== 'in') throw badFilter()
    this.#allow(property, operator)
    const wanted = operator === 'in' ? this.#list() : [this.#literal()]
    const isIn = (item: object) => wanted.includes(folded(read(item, property)) ?? null)
    return operator === 'ne' ? (item) => !isIn(item) : isIn
  }

  #list(): unknown[] {
    this.#demand('(')
    const values = [this.#literal()]
    while (this.#take(',')) values.push(this.#literal())
    this.#demand(')')
    return values
  }

  #allow(property: string, operator: Operator): void {
    const known = this.#properties[property]?.includes(operator) ?? false
    if (known && (this.#advanced || !ADVANCED.has(operator))) return
    throw unsupportedQuery(
      `Unsupported or invalid query filter clause specified for property '${property}' of resource '${this.#resource}'.`,
    )
  }
}

/** Reads `$filter`; throws the 400 of Graph for what it does not support. */
export function filterOf(
  text: string,
  properties: Filterable,
  resource: string,
  advanced: boolean,
): Predicate {
  return new Parser(text, properties, resource, advanced).whole()
}
