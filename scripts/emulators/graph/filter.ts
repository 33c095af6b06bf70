import { unsupportedQuery } from './errors.ts'

/** Which properties of a noun are compared, and how: `eq`, or `any` element of a list; any other filter is refused. */
export type Filterable = Readonly<Record<string, 'eq' | 'any'>>

export type Predicate = (item: object) => boolean

const EQUAL = /^(?<property>\w+) eq '(?<text>(?:[^']|'')*)'$/
const ANY = /^(?<property>\w+)\/any\((?<each>\w+):\k<each> eq '(?<text>(?:[^']|'')*)'\)$/
// An `and` inside of quotes is text.
const CONJUNCTION = /\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)/

/**
 * Reads the part of `$filter` that is asked for here: `name eq 'text'` and `names/any(n:n eq 'text')`, joined by `and`.
 * Throws Graph's 400 for the rest. `resource`: the type as the refusal names it.
 */
export function filterOf(text: string, properties: Filterable, resource: string): Predicate {
  const terms = text.split(CONJUNCTION).map((term) => termOf(term.trim(), properties, resource))
  return (item) => terms.every((fits) => fits(item))
}

function termOf(term: string, properties: Filterable, resource: string): Predicate {
  const operator = EQUAL.test(term) ? 'eq' : 'any'
  const { property = '', text } = (operator === 'eq' ? EQUAL : ANY).exec(term)?.groups ?? {}
  if (text === undefined) throw unsupportedQuery('Invalid filter clause.')
  if (properties[property] !== operator)
    throw unsupportedQuery(
      `Unsupported or invalid query filter clause specified for property '${property}' of resource '${resource}'.`,
    )
  const wanted = folded(text.replaceAll("''", "'"))
  return (item) => [Reflect.get(item, property)].flat().some((value) => folded(value) === wanted)
}

/** The directory compares text without regard to case. */
const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)
