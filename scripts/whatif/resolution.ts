/** Puts live values where the compiler has left a reference open. */
import { evaluated, type Lookup, type Source, sourceText, type Term } from '../bicep/term.ts'
import { toValue, Unknown, type Value } from '../bicep/value.ts'
import { Open, type Wanted, type WantedProperties } from './open.ts'

/** What is known of the live objects so far. */
export interface Known {
  lookup: Lookup
  /** Key of the wanted object that a property is read from. */
  keyOf: (source: Source) => string | undefined
  /** It was looked for and is not there. */
  isAbsent: (key: string) => boolean
}

/** Never throws: what cannot be resolved is Open. */
export function resolved(value: Value, known: Known): Wanted {
  if (value instanceof Unknown) return ofTerm(evaluated(value.term, known.lookup), known)
  if (Array.isArray(value)) return value.map((one) => resolved(one, known))
  if (typeof value !== 'object' || value === null) return value
  return resolvedProperties(value, known)
}

export const resolvedProperties = (properties: Record<string, Value>, known: Known): WantedProperties =>
  Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, resolved(one, known)]))

/** Neither read only nor of a snapshot alone. */
const isMade = ({ module, symbol }: Source): boolean =>
  module?.resources.get(symbol.replace(/\[\d+\]$/, ''))?.isExisting === false

function ofTerm(term: Term, known: Known): Wanted {
  const value = toValue(term)
  if (!(value instanceof Unknown)) return resolved(value, known)
  if (!value.pattern) return new Open([{ name: String(value) }])
  const sources = value.pattern.filter((part) => typeof part === 'object').map(known.keyOf)
  const parts = value.pattern.map((part) =>
    typeof part === 'string' ? part : { name: sourceText(part), isMade: isMade(part) },
  )
  return new Open(parts, {
    isFresh: sources.some((key) => key !== undefined && known.isAbsent(key)),
    source: parts.length === 1 ? sources[0] : undefined,
  })
}
