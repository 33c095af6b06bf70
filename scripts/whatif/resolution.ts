/** Puts live values where the compiler knows only a reference. */
import { evaluated, type Lookup, type Source, type Term } from '../bicep/term.ts'
import { toValue, Unknown, type Value } from '../bicep/value.ts'
import type { WantedProperties } from './open.ts'

/** What is known of the live objects so far. */
export interface Known {
  lookup: Lookup
  /** Key of the wanted object that a property is read from. */
  keyOf: (source: Source) => string | undefined
  /** It was looked for and is not there. */
  isAbsent: (key: string) => boolean
}

/** Never throws: what cannot be resolved stays unknown. */
export function resolved(value: Value, known: Known): Value {
  if (value instanceof Unknown) return ofTerm(evaluated(value.term, known.lookup), known)
  if (Array.isArray(value)) return value.map((one) => resolved(one, known))
  if (typeof value !== 'object' || value === null) return value
  return resolvedProperties(value, known)
}

export const resolvedProperties = (properties: Record<string, Value>, known: Known): WantedProperties =>
  Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, resolved(one, known)]))

function ofTerm(term: Term, known: Known): Value {
  const value = toValue(term)
  if (!(value instanceof Unknown)) return resolved(value, known)
  const pattern = value.pattern ?? []
  const keys = pattern.filter((part) => typeof part === 'object').map(known.keyOf)
  return new Unknown(term, {
    isNew: keys.some((key) => key !== undefined && known.isAbsent(key)),
    key: pattern.length === 1 ? keys[0] : undefined,
  })
}
