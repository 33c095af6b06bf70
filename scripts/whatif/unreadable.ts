/** What a deployment would write and this version cannot read: it is shown with its place, and the rest is judged. */
import type { Unreadable as Found } from '../bicep/alignment.ts'
import type { Place } from '../bicep/places.ts'
import { graphType } from '../bicep/template.ts'

export interface Unreadable {
  /** Graph's, without `Microsoft.Graph/`. */
  type: string
  title: string
  /** Module path and symbolic name of each resource that it could be. */
  symbols: string[]
  /** Where the first of them is written; undefined where no file of the template is at hand. */
  place: Place | undefined
  /** Nobody has seen what it would change. */
  grade: 'high'
  reason: string
}

/** A copy of a loop is written where the loop is. */
export const placeOf = (places: ReadonlyMap<string, Place>, symbol: string): Place | undefined =>
  places.get(symbol.replaceAll(/\[\d+\]/g, ''))

/** `places`: of resources by module path and symbolic name. */
export const findUnreadable = (found: readonly Found[], places: ReadonlyMap<string, Place>): Unreadable[] =>
  found.map(({ type, title, symbols, reason }) => ({
    type: graphType(type),
    title,
    symbols,
    place: symbols.flatMap((symbol) => placeOf(places, symbol) ?? []).at(0),
    grade: 'high',
    reason,
  }))

/** Like `infra/main.bicep:12`; without a file the symbolic names. */
export const whereIs = ({ place, symbols }: Unreadable): string =>
  place ? `${place.file}:${place.line}` : symbols.join(', ')
