/** The objects that a deployment and its hooks would write. */

import type { Compiled } from '../template/compile.ts'
import { type DeclaredResource, declaredResources, type GraphType } from '../template/declared.ts'
import type { TemplateModule } from '../template/template.ts'
import { Unknown, type Value } from '../template/value.ts'
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

export const propertiesOf = (one: WantedObject, known: Known): WantedProperties =>
  one.passes(known).reduce(merged, {})

/** Passes over one unique name are one object. */
export function wantedObjects({
  template,
  snapshot,
}: Pick<Compiled, 'template' | 'snapshot'>): WantedObject[] {
  const groups = new Map<string, DeclaredResource[]>()
  for (const one of declaredResources(template, snapshot)) {
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
    passes: (known) =>
      resources.map(({ properties, module }) => resolvedProperties(properties, module, known)),
  }
}

const keyOf = ({ type, key, module }: DeclaredResource) =>
  `${type}/${Object.values(key)
    .map((value) => keyText(value, module))
    .join('/')}`

/** References are seen from their module: two modules may use one symbol. */
function keyText(value: Value, module: TemplateModule): string {
  if (!(value instanceof Unknown)) return String(value)
  return [...module.path, String(value).replace(/^\{(.*)\}$/, '$1')].join('/')
}
