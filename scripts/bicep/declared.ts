/** The Graph resources that a deployment would write, in the order of the writes. */
import { z } from 'zod'
import { align, type Match, matchPlace, type Unreadable } from './alignment.ts'
import { parseExpression, plainText } from './expression.ts'
import { termOf } from './scope.ts'
import { graphType, isGraph, isObject, type Json, mapValues, type TemplateModule } from './template.ts'
import { elementsOf, entriesOf, hasFreeVariable, sourcesIn, type Term } from './term.ts'
import { toValue, Unknown, type Value } from './value.ts'

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
  type: GraphType
  /** The properties that identify the object; a part of `properties`. */
  key: Record<string, Value>
  properties: Record<string, Value>
}

/** What of a snapshot counts here. */
const Snapshot = z.looseObject({
  predictedResources: z.array(
    z.looseObject({ type: z.string(), properties: z.record(z.string(), z.json()).default({}) }),
  ),
})

const isKnown = (type: string): type is GraphType => type in KEYS

const isName = (value: Value | undefined) =>
  value instanceof Unknown || (typeof value === 'string' && value !== '')

function declaredOf(match: Match): DeclaredResource {
  const { module, resource, properties, declared } = match
  const type = graphType(resource.type)
  if (!isKnown(type))
    throw new Error(`${resource.type} (${resource.symbol}) is a Graph type that is not known here.`)
  const entries = entriesOf(declared)
  const values = mapValues(properties, (value, name) =>
    withSemantics(bound(value, entries?.get(name) ?? declared, module), resource.semantics, module),
  )
  // A consent for everybody names nobody.
  const nameless = KEYS[type].find((name) => name !== 'principalId' && !isName(values[name]))
  if (nameless) throw new Error(`It has no ${nameless}, so that it cannot be told which object it is.`)
  return {
    id: matchPlace(match),
    type,
    key: Object.fromEntries(
      KEYS[type].flatMap((name) => (name in values ? [[name, values[name] ?? null]] : [])),
    ),
    properties: values,
  }
}

const Semantics = z.union([
  z.string(),
  z.object({ value: z.string() }).transform(({ value }) => value),
  z.object({ defaultValue: z.string() }).transform(({ defaultValue }) => defaultValue),
])

/** Members and owners that say nothing themselves: the extension's configuration counts, which no snapshot carries. */
function withSemantics(value: Value, semantics: Json | undefined, module: TemplateModule): Value {
  const said = Semantics.safeParse(semantics)
  const isRelated = typeof value === 'object' && value !== null && 'relationships' in value
  if (!said.success || !isRelated || 'relationshipSemantics' in value) return value
  return { ...value, relationshipSemantics: toValue(termOf(said.data, { module })) }
}

/** What the compiler has evaluated counts; the names in what it left open are those of the declaration. */
export function bound(predicted: Json, declared: Term, module: TemplateModule): Value {
  if (typeof predicted === 'string') {
    if (!parseExpression(predicted)) return plainText(predicted)
    const term = termOf(predicted, { module, hints: sourcesIn(declared) })
    return toValue(hasFreeVariable(term) && declared.kind === 'call' ? declared : term)
  }
  if (Array.isArray(predicted)) {
    const elements = elementsOf(declared)
    const isParallel = elements?.length === predicted.length
    return predicted.map((one, at) => bound(one, (isParallel && elements[at]) || declared, module))
  }
  if (!isObject(predicted)) return predicted
  const entries = entriesOf(declared)
  return mapValues(predicted, (one, name) => bound(one, entries?.get(name) ?? declared, module))
}

/**
 * The Graph resources that template and snapshot declare together, each after those that it depends on. Two
 * resources with one unique name are two writes to one object, in this order.
 */
export function readDeclared(
  template: TemplateModule,
  snapshot: unknown,
): { declared: DeclaredResource[]; unreadable: Unreadable[] } {
  const predicted = Snapshot.parse(snapshot).predictedResources.filter(isGraph)
  const { matches, unreadable } = align(template, predicted)
  const declared: DeclaredResource[] = []
  for (const match of matches) {
    try {
      declared.push(declaredOf(match))
    } catch (error) {
      // One that is not understood is no reason to give up the others.
      const place = matchPlace(match)
      const reason = error instanceof Error ? error.message : String(error)
      unreadable.push({ type: match.resource.type, title: place, symbols: [place], reason })
    }
  }
  return { declared, unreadable }
}
