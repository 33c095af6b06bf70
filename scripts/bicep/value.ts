/** What a compiler's text says: a value, or what it will be made of. */
import { escaped } from './expression.ts'
import { scopeless, termOf } from './scope.ts'
import type { Json } from './template.ts'
import {
  demanded,
  described,
  elementsOf,
  entriesOf,
  type Lookup,
  type Pattern,
  patternOf,
  type Term,
} from './term.ts'

/** A value that only the deployment knows. */
export class Unknown {
  readonly term: Term
  readonly pattern: Pattern | undefined

  constructor(term: Term) {
    this.term = term
    this.pattern = patternOf(term)
  }

  /** For people: `https://ca-x.{environment.defaultDomain}/mcp`. */
  toString(): string {
    return described(this.term)
  }

  /** Could it become this? Undefined when nothing of it is known. */
  fits(text: string): boolean | undefined {
    if (!this.pattern) return undefined
    const parts = this.pattern.map((part) => (typeof part === 'string' ? escaped(part) : '.+'))
    return new RegExp(`^${parts.join('')}$`, 's').test(text)
  }
}

export type Value = string | number | boolean | null | Unknown | Value[] | { [key: string]: Value }

/** Objects and lists stay what they are as long as their shape is known. */
export function toValue(term: Term): Value {
  if (term.kind === 'known') return term.value
  const entries = entriesOf(term)
  if (entries) return Object.fromEntries([...entries].map(([name, one]) => [name, toValue(one)]))
  return elementsOf(term)?.map(toValue) ?? new Unknown(term)
}

/** Puts in what is deployed. Throws an error that names what is not known or not understood. */
export function filled(value: Value, lookup: Lookup): Json {
  if (value instanceof Unknown) return demanded(value.term, lookup)
  if (Array.isArray(value)) return value.map((one) => filled(one, lookup))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, lookup)]))
}

/** A text of a snapshot whose template is not at hand: `https://{cae.defaultDomain}/mcp`. */
export function readable(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`A text was expected, not ${JSON.stringify(value)}`)
  return described(termOf(value, scopeless))
}
