/** What becomes of compiled values in a deployment, and how a test reads one that nobody has deployed. */
import { termOf } from '../../../scripts/bicep/scope.ts'
import type { Json, TemplateModule } from '../../../scripts/bicep/template.ts'
import { described, evaluated, type Lookup, sourcesIn, type Term } from '../../../scripts/bicep/term.ts'
import { Unknown, type Value } from '../../../scripts/bicep/value.ts'

/** A text of a snapshot whose template is not at hand. */
export const scopeless = { module: undefined }

/** Puts in what is deployed. Throws an error that names what is not known or not understood. */
export function filled(value: Value, lookup: Lookup): Json {
  if (value instanceof Unknown) return demanded(value.term, lookup)
  if (Array.isArray(value)) return value.map((one) => filled(one, lookup))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, lookup)]))
}

function demanded(term: Term, lookup: Lookup): Json {
  const result = evaluated(term, lookup)
  if (result.kind === 'known') return result.value
  const [open] = sourcesIn(result)
  if (!open)
    throw new Error(
      `${described(result)} is left open by the compiler and is not understood here. Give the value a parameter or a variable that the compiler can evaluate.`,
    )
  const property = open.path.join('.')
  throw new Error(
    lookup(open)
      ? `There is no ${property} in ${open.symbol}, but something reads it.`
      : `${open.symbol} is not (yet) deployed, but something reads ${property} of it.`,
  )
}

/** A text of a snapshot whose template is not at hand: `https://{cae.defaultDomain}/mcp`. */
export function readable(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`A text was expected, not ${JSON.stringify(value)}`)
  return described(termOf(value, scopeless))
}

/** Itself and everything below, parents first. */
export function modulesIn(module: TemplateModule): TemplateModule[] {
  return [module, ...[...module.modules.values()].flatMap(modulesIn)]
}
