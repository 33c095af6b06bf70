/** Puts live values where the compiler has left a reference open. */
import { fill, type Runtime } from '../template/resolve.ts'
import type { TemplateModule } from '../template/template.ts'
import { type Json, type Reference, symbolOf, Unknown, type Value } from '../template/value.ts'
import { Open, type Wanted, type WantedProperties } from './open.ts'

/** What is known of the live objects so far. */
export interface Known {
  runtime: Runtime
  /** Key of the wanted object with this symbol, seen from a module. */
  keyOf: (module: TemplateModule, symbol: string) => string | undefined
  /** It was looked for and is not there. */
  isAbsent: (key: string) => boolean
}

/** Never throws: what cannot be resolved is Open. */
export function resolved(value: Value, module: TemplateModule, known: Known): Wanted {
  if (value instanceof Unknown) return ofUnknown(value, module, known)
  if (Array.isArray(value)) return value.map((one) => resolved(one, module, known))
  if (typeof value !== 'object' || value === null) return value
  return resolvedProperties(value, module, known)
}

export const resolvedProperties = (
  properties: Record<string, Value>,
  module: TemplateModule,
  known: Known,
): WantedProperties =>
  Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, resolved(one, module, known)]))

function ofUnknown(unknown: Unknown, module: TemplateModule, known: Known): Wanted {
  const whole = attempt(unknown, module, known)
  if (whole !== undefined) return whole
  if (!unknown.pattern) return new Open([{ name: unknown.expression.slice(1, -1) }])
  let isFresh = false
  const parts = unknown.pattern.map((part) => {
    if (typeof part === 'string') return part
    const value = attempt(asUnknown(part), module, known)
    if (typeof value === 'string') return value
    const source = sourceOf(part, module, known)
    isFresh ||= source !== undefined && known.isAbsent(source)
    return { name: [symbolOf(part.name), ...part.path].join('.') }
  })
  const [only, ...others] = unknown.pattern
  const source = typeof only === 'object' && others.length === 0 ? sourceOf(only, module, known) : undefined
  return new Open(parts, { isFresh, source })
}

const sourceOf = ({ kind, name }: Reference, module: TemplateModule, known: Known) =>
  kind === 'resource' ? known.keyOf(module, name) : undefined

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

function asUnknown({ kind, name, path }: Reference): Unknown {
  const [first = '', ...rest] = path
  const read = kind === 'module' ? ['outputs', first, 'value', ...rest] : path
  return new Unknown(
    `[reference(${quoted(name)})${read.map((one) => `[${quoted(one)}]`).join('')}]`,
    undefined,
  )
}

/** The reading of templates throws what is not known yet; here that is nothing special. */
function attempt(unknown: Unknown, module: TemplateModule, { runtime }: Known): Json | undefined {
  try {
    return fill(unknown, module, runtime)
  } catch {
    return undefined
  }
}
