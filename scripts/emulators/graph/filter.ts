import { unsupportedQuery } from './errors.ts'

// The last alternative is no word of any filter: it is refused where it stands.
const TOKEN = /'(?:[^']|'')*'|\w+|\S/g

export type Operator = 'eq' | 'ne' | 'in' | 'startswith' | 'endswith' | 'any'

/** Which operators a noun's properties know; any other filter is refused, as Graph does. */
export type Filterable = Readonly<Record<string, readonly Operator[]>>

export type Predicate = (item: object) => boolean

/** These need an advanced query: ConsistencyLevel and $count. */
const ADVANCED = new Set<Operator>(['ne', 'endswith'])

/** The directory compares text without regard to case. */
const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)

type Affix = 'startswith' | 'endswith'
const isAffix = (name: string): name is Affix => name === 'startswith' || name === 'endswith'

const badFilter = () => unsupportedQuery('Invalid filter clause.')

/** Takes the words of a `$filter` one by one. Throws Graph's 400 for what it does not support. */
class Parser {
  readonly #tokens: string[]
  readonly #properties: Filterable
  readonly #resource: string
  readonly #advanced: boolean

  constructor(tokens: string[], properties: Filterable, resource: string, advanced: boolean) {
    this.#tokens = tokens
    this.#properties = properties
    this.#resource = resource
    this.#advanced = advanced
  }

  whole(): Predicate {
    const predicate = this.#or()
    if (this.#tokens.length > 0) throw badFilter()
    return predicate
  }

  #next(): string {
    const token = this.#tokens.shift()
    if (token === undefined) throw badFilter()
    return token
  }

  #take(token: string): boolean {
    const isNext = this.#tokens[0] === token
    if (isNext) this.#tokens.shift()
    return isNext
  }

  #demand(token: string): void {
    if (!this.#take(token)) throw badFilter()
  }

  #name(): string {
    const name = this.#next()
    if (!/^[A-Za-z_]/.test(name)) throw badFilter()
    return name
  }

  /** In lower case where it is text: the directory compares so. */
  #literal(): unknown {
    const token = this.#next()
    if (/^'.*'$/s.test(token)) return folded(token.slice(1, -1).replaceAll("''", "'"))
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
    const name = this.#name()
    return this.#take('/') ? this.#any(name) : this.#simple(name)
  }

  #simple(name: string): Predicate {
    return isAffix(name) ? this.#affix(name) : this.#comparison(name)
  }

  #affix(operator: Affix): Predicate {
    this.#demand('(')
    const property = this.#name()
    this.#demand(',')
    const wanted = String(this.#literal())
    this.#demand(')')
    this.#allow(property, operator)
    return (item) => {
      const value = folded(Reflect.get(item, property))
      if (typeof value !== 'string') return false
      return operator === 'startswith' ? value.startsWith(wanted) : value.endsWith(wanted)
    }
  }

  /** tags/any(t:t eq 'x') and identifierUris/any(u:startswith(u,'x')): a filter on each element, by the name that it is given. */
  #any(property: string): Predicate {
    this.#demand('any')
    this.#allow(property, 'any')
    this.#demand('(')
    const variable = this.#name()
    this.#demand(':')
    const inner = new Parser(this.#tokens, { [variable]: ['eq', 'startswith'] }, this.#resource, false)
    const fits = inner.#simple(inner.#name())
    this.#demand(')')
    return (item) => {
      const values: unknown = Reflect.get(item, property)
      return Array.isArray(values) && values.some((value) => fits({ [variable]: value }))
    }
  }

  #comparison(property: string): Predicate {
    const operator = this.#next()
    if (operator !== 'eq' && operator !== 'ne' && operator !== 'in') throw badFilter()
    this.#allow(property, operator)
    const wanted = operator === 'in' ? this.#list() : [this.#literal()]
    const isIn = (item: object) => wanted.includes(folded(Reflect.get(item, property)) ?? null)
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
    const known = Object.hasOwn(this.#properties, property) && this.#properties[property]?.includes(operator)
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
  return new Parser(text.match(TOKEN) ?? [], properties, resource, advanced).whole()
}
