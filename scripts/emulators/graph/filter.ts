import { unsupportedQuery } from './errors.ts'
import { badFilter, FilterTokens } from './filter-tokens.ts'

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

class Parser {
  readonly #tokens: FilterTokens
  readonly #properties: Filterable
  readonly #resource: string
  readonly #advanced: boolean

  constructor(text: string, properties: Filterable, resource: string, advanced: boolean) {
    this.#tokens = new FilterTokens(text)
    this.#properties = properties
    this.#resource = resource
    this.#advanced = advanced
  }

  whole(): Predicate {
    const predicate = this.#or()
    if (!this.#tokens.isAtEnd) throw badFilter()
    return predicate
  }

  #or(): Predicate {
    const left = this.#and()
    if (!this.#tokens.take('or')) return left
    const right = this.#or()
    return (item) => left(item) || right(item)
  }

  #and(): Predicate {
    const left = this.#term()
    if (!this.#tokens.take('and')) return left
    const right = this.#and()
    return (item) => left(item) && right(item)
  }

  #term(): Predicate {
    if (this.#tokens.take('(')) {
      const inner = this.#or()
      this.#tokens.demand(')')
      return inner
    }
    if (this.#tokens.take('not')) {
      if (!this.#advanced) throw unsupportedQuery('Operator "not" needs an advanced query.')
      const inner = this.#term()
      return (item) => !inner(item)
    }
    const name = this.#tokens.next()
    if (name === 'startswith' || name === 'endswith') return this.#affix(name)
    if (this.#tokens.take('/')) return this.#any(name)
    return this.#comparison(name)
  }

  #affix(operator: 'startswith' | 'endswith'): Predicate {
    const { name, fits } = this.#affixOf(operator)
    this.#allow(name, operator)
    return (item) => fits(read(item, name))
  }

  #affixOf(operator: 'startswith' | 'endswith') {
    this.#tokens.demand('(')
    const name = this.#tokens.next()
    this.#tokens.demand(',')
    const wanted = String(folded(this.#tokens.literal()))
    this.#tokens.demand(')')
    const fits = (value: unknown) => {
      if (typeof value !== 'string') return false
      const text = value.toLowerCase()
      return operator === 'startswith' ? text.startsWith(wanted) : text.endsWith(wanted)
    }
    return { name, fits }
  }

  /** tags/any(t:t eq 'x') and identifierUris/any(u:startswith(u,'x')). */
  #any(property: string): Predicate {
    this.#tokens.demand('any')
    this.#allow(property, 'any')
    this.#tokens.demand('(')
    const variable = this.#tokens.next()
    this.#tokens.demand(':')
    const fits = this.#onEach(variable)
    this.#tokens.demand(')')
    return (item) => {
      const values = read(item, property)
      return Array.isArray(values) && values.some(fits)
    }
  }

  #onEach(variable: string): (value: unknown) => boolean {
    const name = this.#tokens.next()
    if (name === 'startswith') {
      const affix = this.#affixOf(name)
      if (affix.name !== variable) throw badFilter()
      return affix.fits
    }
    if (name !== variable) throw badFilter()
    this.#tokens.demand('eq')
    const wanted = folded(this.#tokens.literal())
    return (value) => folded(value) === wanted
  }

  #comparison(property: string): Predicate {
    const operator = this.#tokens.next()
    if (operator !== 'eq' && operator !== 'ne' && operator !== 'in') throw badFilter()
    this.#allow(property, operator)
    const wanted = operator === 'in' ? this.#list() : [folded(this.#tokens.literal())]
    const isIn = (item: object) => wanted.includes(folded(read(item, property)) ?? null)
    return operator === 'ne' ? (item) => !isIn(item) : isIn
  }

  #list(): unknown[] {
    this.#tokens.demand('(')
    const values = [folded(this.#tokens.literal())]
    while (this.#tokens.take(',')) values.push(folded(this.#tokens.literal()))
    this.#tokens.demand(')')
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
