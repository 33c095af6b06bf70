/** What a deployment would write and this version cannot read: it is shown with its place, and the rest is judged. */
import type { Unreadable as Found } from '../bicep/alignment.ts'
import type { Place } from '../bicep/places.ts'
import { graphType } from '../bicep/template.ts'

/** Its type is Graph's, without `Microsoft.Graph/`. */
export interface Unreadable extends Found {
  /** Where the first of its symbols is written; undefined where no file of the template is at hand. */
  place: Place | undefined
  /** Nobody has seen what it would change. */
  grade: 'high'
}

/** A copy of a loop is written where the loop is. */
export const placeOf = (places: ReadonlyMap<string, Place>, symbol: string): Place | undefined =>
  places.get(symbol.replaceAll(/\[\d+\]/g, ''))

/** `places`: of resources by module path and symbolic name. */
export const findUnreadable = (found: readonly Found[], places: ReadonlyMap<string, Place>): Unreadable[] =>
  found.map(({ reason, ...one }) => ({
    ...{ ...one, type: graphType(one.type), grade: 'high', reason },
    place: one.symbols.flatMap((symbol) => placeOf(places, symbol) ?? []).at(0),
  }))

/** Like `infra/main.bicep:12`; without a file the symbolic names. */
export const whereIs = ({ place, symbols }: Unreadable): string =>
  place ? `${place.file}:${place.line}` : symbols.join(', ')
