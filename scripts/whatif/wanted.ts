/** The objects that a deployment and its hooks would write. */

import type { Compiled } from '../bicep/compile.ts'
import type { DeclaredResource, GraphType } from '../bicep/declared.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import { merged, type WantedProperties } from './open.ts'
import { type Known, resolvedProperties } from './resolution.ts'

export interface WantedObject {
  /** One key, one live object: `applications/my-app`, `servicePrincipals/identity/api.appId`. */
  key: string
  type: GraphType
  /** Module path and symbolic name of every pass; empty for what a hook writes. */
  symbols: string[]
  by: 'template' | 'hook'
  /** What each write says, in order. */
  passes: (known: Known) => WantedProperties[]
  /** A hook adds to what is there and takes nothing away. */
  isMerged: boolean
}

/** Written by the template: neither by a hook nor only read. */
export const isOurs = ({ by, key }: WantedObject) => by === 'template' && !key.startsWith('existing/')

export const propertiesOf = (one: WantedObject, known: Known): WantedProperties =>
  one.passes(known).reduce(merged, {})

/** Passes over one unique name are one object. */
export function wantedObjects({ declared }: Pick<Compiled, 'declared'>): WantedObject[] {
  const groups = new Map<string, DeclaredResource[]>()
  for (const one of declared) {
    const key = keyOf(one)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups].map(([key, resources]) => objectOf(key, resources))
}

function objectOf(key: string, resources: DeclaredResource[]): WantedObject {
  const [first] = resources
  if (!first) throw new Error(`Nothing is declared for ${key}.`)
  return {
    key,
    type: first.type,
    symbols: resources.map(({ id }) => id),
    by: 'template',
    isMerged: false,
    passes: (known) => resources.map(({ properties }) => resolvedProperties(properties, known)),
  }
}

const keyOf = ({ type, key }: DeclaredResource) => `${type}/${Object.values(key).map(keyText).join('/')}`

/** Two modules may use one symbol: a property counts with the place of its resource. */
function keyText(value: Value): string {
  if (!(value instanceof Unknown)) return String(value)
  const [only, ...others] = value.pattern ?? []
  if (typeof only !== 'object' || others.length > 0) return String(value)
  const { module, symbol, path } = only
  return [...(module?.path ?? []), [symbol, ...path].join('.')].join('/')
}
