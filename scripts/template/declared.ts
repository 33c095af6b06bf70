import { z } from 'zod'
import { type Match, matchResources } from './match.ts'
import { graphType, isGraph, type TemplateModule } from './template.ts'
import { type Json, readValue, type Value } from './value.ts'

/** The Graph types whose key is known: what an upsert finds the object by. */
const KEYS = {
  applications: ['uniqueName'],
  groups: ['uniqueName'],
  servicePrincipals: ['appId'],
  'applications/federatedIdentityCredentials': ['name'],
  oauth2PermissionGrants: ['clientId', 'resourceId', 'consentType', 'principalId'],
  appRoleAssignedTo: ['resourceId', 'principalId', 'appRoleId'],
  users: ['userPrincipalName'],
} as const

export type GraphType = keyof typeof KEYS

/** One Graph resource that a deployment would write. */
export interface DeclaredResource {
  /** Module path and symbolic name: `identity/api`; of a loop also its number: `identity/owner[0]`. */
  id: string
  symbol: string
  module: TemplateModule
  type: GraphType
  /** The properties that identify the object; a part of `properties`. */
  key: Record<string, Value>
  properties: Record<string, Value>
  /** Ids of the declared resources that come before it. */
  dependsOn: string[]
}

/** What of a snapshot counts here. */
const Snapshot = z.looseObject({
  predictedResources: z.array(
    z.looseObject({ type: z.string(), properties: z.record(z.string(), z.json()).optional() }),
  ),
})

const isKnown = (type: string): type is GraphType => type in KEYS

function declaredOf({ module, resource, properties }: Match, number: number | undefined): DeclaredResource {
  const type = graphType(resource.type)
  if (!isKnown(type))
    throw new Error(`${resource.type} (${resource.symbol}) is a Graph type that is not known here.`)
  const values = readProperties(properties)
  const suffix = number === undefined ? '' : `[${number}]`
  const symbol = resource.symbol + suffix
  return {
    id: [...module.path, symbol].join('/'),
    symbol,
    module,
    type,
    key: Object.fromEntries(
      KEYS[type].flatMap((name) => (name in values ? [[name, values[name] ?? null]] : [])),
    ),
    properties: values,
    dependsOn: [],
  }
}

const readProperties = (properties: Record<string, Json>): Record<string, Value> =>
  Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, readValue(value)]))

/**
 * The Graph resources that template and snapshot declare together, each after those that it depends on. Two
 * resources with one unique name are two writes to one object, in this order.
 */
export function declaredResources(template: TemplateModule, snapshot: unknown): DeclaredResource[] {
  const predicted = Snapshot.parse(snapshot).predictedResources.filter(isGraph)
  const matches = matchResources(
    template,
    predicted.map(({ type, properties = {} }) => ({ type, properties })),
  )
  const counts = new Map<unknown, number>()
  const declared = matches.map((match) => {
    if (!match.resource.isLoop) return declaredOf(match, undefined)
    const number = counts.get(match.resource) ?? 0
    counts.set(match.resource, number + 1)
    return declaredOf(match, number)
  })
  for (const one of declared) one.dependsOn = dependenciesOf(one, declared)
  return inOrder(declared)
}

const isIn = (module: TemplateModule, outer: TemplateModule): boolean =>
  module === outer || (module.parent !== undefined && isIn(module.parent, outer))

/** Through Azure resources and modules, and with what the modules around it wait for. */
function dependenciesOf(one: DeclaredResource, all: DeclaredResource[]): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  const follow = (symbols: readonly string[], module: TemplateModule): void => {
    for (const symbol of symbols) {
      const place = [...module.path, symbol].join('/')
      if (seen.has(place)) continue
      seen.add(place)
      const inner = module.modules.get(symbol)
      const here = all.filter((other) =>
        inner
          ? isIn(other.module, inner)
          : other.module === module && other.symbol.replace(/\[\d+\]$/, '') === symbol,
      )
      for (const { id } of here) found.add(id)
      follow(inner?.dependsOn ?? module.resources.get(symbol)?.dependsOn ?? [], module)
    }
  }
  follow(one.module.resources.get(one.symbol.replace(/\[\d+\]$/, ''))?.dependsOn ?? [], one.module)
  for (let module = one.module; module.parent; module = module.parent) follow(module.dependsOn, module.parent)
  found.delete(one.id)
  return [...found]
}

/** In the order of the template as far as the dependencies let it. */
function inOrder(declared: DeclaredResource[]): DeclaredResource[] {
  const position = (one: DeclaredResource) =>
    [...one.module.resources.keys()].indexOf(one.symbol.replace(/\[\d+\]$/, ''))
  const left = declared.toSorted((a, b) => position(a) - position(b))
  const ordered: DeclaredResource[] = []
  while (left.length > 0) {
    const done = new Set(ordered.map(({ id }) => id))
    const next = left.findIndex(({ dependsOn }) => dependsOn.every((id) => done.has(id)))
    const [one] = left.splice(Math.max(next, 0), 1)
    if (!one || next < 0)
      throw new Error(
        `The Graph resources depend on each other in a circle: ${left.map(({ id }) => id).join(', ')}`,
      )
    ordered.push(one)
  }
  return ordered
}
