/** The desired state: every object that the template and its hooks would write, as far as it is known. */
import { existingResources } from '../bicep/alignment.ts'
import type { Compiled } from '../bicep/compile.ts'
import type { DeclaredResource, GraphType } from '../bicep/declared.ts'
import type { Place } from '../bicep/places.ts'
import { graphType, type Json, mapValues, type TemplateModule } from '../bicep/template.ts'
import { evaluated, type Lookup, placeOf, type Source, type Term } from '../bicep/term.ts'
import { toValue, Unknown, type Value } from '../bicep/value.ts'
import type { Further } from './further.ts'
import { isObject, mergePasses, type Properties, readList, readProperty } from './properties.ts'

export interface Declared {
  compiled: Compiled
  /** What others than the template write. */
  further: Further
  /** The azd environment: the outputs of the last deployment are among it. */
  variables: Readonly<Record<string, string>>
  tenantId: string
  /** Where resources are written, by module path and symbolic name. */
  places: ReadonlyMap<string, Place>
  /** Object id of whoever asks, and would deploy. */
  deployer?: string | undefined
}

/** What is known of the actual state so far. */
export interface Known {
  lookup: Lookup
  /** Key of the desired object that a property is read from. */
  keyOf: (source: Source) => string | undefined
  /** It was looked for and is not there. */
  isAbsent: (key: string) => boolean
  get: (key: string) => Record<string, Json> | undefined
}

export interface DesiredObject {
  /** One key, one object, the same in every what-if: `applications/my-app`, `servicePrincipals/identity/api.appId`. */
  key: string
  type: GraphType
  /** Module path and symbolic name of every pass; empty for what a hook writes. */
  symbols: string[]
  /** A hook adds to what is there and takes nothing away. */
  by: 'template' | 'hook'
  /** What each write says, in order. */
  passes: (known: Known) => Properties[]
}

/** How a finding names its object. */
export interface About extends Pick<DesiredObject, 'key' | 'type'> {
  title: string
}

/** Written by the template: neither by a hook nor only read. */
export const isOurs = ({ by, key }: DesiredObject) => by === 'template' && !key.startsWith('existing/')

/** What the object would be after the deployment. */
export const resolveObject = (one: DesiredObject, known: Known): Properties =>
  one.passes(known).reduce(mergePasses, {})

/** Puts in what is known by now; never throws: the rest stays unknown. */
function resolve(value: Value, known: Known): Value {
  if (value instanceof Unknown) return resolveTerm(evaluated(value.term, known.lookup), known)
  if (Array.isArray(value)) return value.map((one) => resolve(one, known))
  return isObject(value) ? resolveProperties(value, known) : value
}

const resolveProperties = (properties: Properties, known: Known): Properties =>
  mapValues(properties, (one) => resolve(one, known))

function resolveTerm(term: Term, known: Known): Value {
  const value = toValue(term)
  if (!(value instanceof Unknown)) return resolve(value, known)
  const pattern = value.pattern ?? []
  const keys = pattern.filter((part) => typeof part === 'object').map(known.keyOf)
  return new Unknown(term, {
    isNew: keys.some((key) => key !== undefined && known.isAbsent(key)),
    key: pattern.length === 1 ? keys[0] : undefined,
  })
}

/** What the template writes. Passes over one unique name are one object. */
export function collectTemplateObjects({ declared }: Pick<Compiled, 'declared'>): DesiredObject[] {
  const objects = new Map<string, DesiredObject & { resources: DeclaredResource[] }>()
  for (const resource of declared) {
    const key = keyOf(resource)
    const resources = [...(objects.get(key)?.resources ?? []), resource]
    objects.set(key, {
      key,
      resources,
      type: resource.type,
      symbols: resources.map(({ id }) => id),
      by: 'template',
      passes: (known) => resources.map(({ properties }) => resolveProperties(properties, known)),
    })
  }
  return [...objects.values()]
}

/** What is made of an expression has no text that tells it apart. */
const isOpen = (value: Value) => value instanceof Unknown && value.pattern === undefined

const keyOf = ({ id, type, key }: DeclaredResource) =>
  Object.values(key).some(isOpen) ? `${type}/${id}` : `${type}/${Object.values(key).map(keyText).join('/')}`

/** Two modules may use one symbol: a property counts with the place of its resource. */
function keyText(value: Value): string {
  if (!(value instanceof Unknown)) return String(value)
  const [only, ...others] = value.pattern ?? []
  if (typeof only !== 'object' || others.length > 0) return String(value)
  return [placeOf(only), ...only.path].join('.')
}

const READABLE = ['applications', 'groups', 'servicePrincipals', 'users'] as const
const isReadable = (type: string): type is (typeof READABLE)[number] => READABLE.some((one) => one === type)

/** What is read and not written: values of it may stand in what is written. */
export const collectReadObjects = (
  template: TemplateModule,
  { consents, withdrawn }: Further,
): DesiredObject[] => [
  ...existingResources(template).flatMap(({ place, type: name, properties }): DesiredObject[] => {
    const type = graphType(name)
    if (!isReadable(type)) return []
    const value = toValue(properties)
    const values = isObject(value) ? value : {}
    return [
      {
        key: `existing/${place}`,
        type,
        symbols: [place],
        by: 'template',
        passes: (known) => [resolveProperties(values, known)],
      },
    ]
  }),
  ...[...new Set([...consents, ...withdrawn].map(({ appId }) => appId))].map((appId) =>
    makeHookObject('servicePrincipals', appId, () => ({ appId })),
  ),
]

const makeHookObject = (
  type: GraphType,
  key: string,
  properties: (known: Known) => Properties,
): DesiredObject => ({
  key: `${type}/${key}`,
  type,
  symbols: [],
  by: 'hook',
  passes: (known) => [properties(known)],
})

/** What hooks write after a deployment: federated credentials and consent. */
export const collectHookObjects = (
  { further }: Pick<Declared, 'further'>,
  template: readonly DesiredObject[],
  known: Known,
): DesiredObject[] => [
  ...further.federatedCredentials.map((one) => makeCredential(one, template, known)),
  ...further.consents.flatMap((one) => makeConsents(one, template, known)),
]

/** A property of what Azure or Entra makes and no template names. */
const unknownOf = (symbol: string, path: string[], origin?: ConstructorParameters<typeof Unknown>[1]) =>
  new Unknown({ kind: 'source', module: undefined, symbol, path }, origin)

/** Found by the unique name that it has after the deployment; that name is part of the key. */
function makeCredential(
  { application, name, issuer, subject, holder, audiences }: Further['federatedCredentials'][number],
  template: readonly DesiredObject[],
  known: Known,
): DesiredObject {
  const app = template.find(({ symbols }) => symbols.includes(application))
  const declared = app && resolveObject(app, known).uniqueName
  const path = `${typeof declared === 'string' ? declared : application}/${name}`
  return makeHookObject('applications/federatedIdentityCredentials', path, () => ({
    name: path,
    issuer,
    subject: subject || unknownOf(holder, []),
    audiences,
  }))
}

/** One grant for every app that asks for the API. */
function makeConsents(
  { appId: api, displayName, permissions }: Further['consents'][number],
  template: readonly DesiredObject[],
  known: Known,
): DesiredObject[] {
  return template.flatMap((principal) => {
    if (principal.type !== 'servicePrincipals') return []
    const { appId } = resolveObject(principal, known)
    const app = template.find(({ key }) => appId instanceof Unknown && key === appId.key)
    const asked = app ? readList(resolveObject(app, known).requiredResourceAccess) : []
    if (!asked.some((one) => readProperty(one, 'resourceAppId') === api)) return []
    const name = principal.symbols[0]?.split('/').at(-1) ?? principal.key
    return makeHookObject('oauth2PermissionGrants', `${name} ${displayName}`, (now) => ({
      clientId: idOf(principal.key, name, now),
      consentType: 'AllPrincipals',
      resourceId: idOf(`servicePrincipals/${api}`, displayName, now),
      scope: permissions.map(({ value }) => value).join(' '),
    }))
  })
}

/** Entra gives it: unknown until the object is there. */
function idOf(key: string, name: string, known: Known): Value {
  const id = known.get(key)?.id
  return typeof id === 'string' ? id : unknownOf(name, ['id'], { isNew: known.isAbsent(key), key })
}
