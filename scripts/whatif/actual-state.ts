/** The actual state: what has been read of the directory so far, and how people call it. */
import type { GraphType } from '../bicep/declared.ts'
import type { Json } from '../bicep/template.ts'
import { placeOf, resourceOf, type Source } from '../bicep/term.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import { type DesiredObject, type Known, resolveObject } from './desired.ts'
import type { ActualProperties, Properties } from './properties.ts'

export class ActualState implements Known {
  readonly #keys = new Map<string, string>()
  /** By key of the desired object; null: it is not there. */
  readonly #objects = new Map<string, ActualProperties | null>()
  /** What azd's environment records of Azure's resources, by their place: outputs of the last deployment. */
  readonly #azure = new Map<string, ActualProperties>()
  readonly #answers: Readonly<Record<string, ActualProperties>>
  readonly #around = new Map<string, ActualProperties[]>()
  /** Display names by object id and by app id. */
  readonly names = new Map<string, string>()

  /** `answers`: what the cloud and the one who asks say: `environment()`, `deployer()`. */
  constructor(objects: readonly DesiredObject[], answers: Readonly<Record<string, ActualProperties>> = {}) {
    this.#answers = answers
    for (const { key, symbols } of objects) for (const symbol of symbols) this.#keys.set(symbol, key)
  }

  readonly keyOf = (source: Source): string | undefined => this.#keys.get(placeOf(source))

  readonly lookup = (source: Source): ActualProperties | undefined => {
    const { module, symbol } = source
    if (module === undefined && symbol in this.#answers) return this.#answers[symbol]
    const key = this.keyOf(source)
    if (key !== undefined) return this.get(key)
    const type = resourceOf(source)?.type ?? ''
    const recorded = this.#azure.get(placeOf(source))
    // A managed identity is in the tenant of its subscription.
    return type.startsWith('Microsoft.ManagedIdentity/')
      ? { ...this.#answers['tenant()'], ...recorded }
      : recorded
  }

  /** A property of an Azure resource, as an output has said it; deeper ones are not recorded. */
  record(source: Source, value: Json): void {
    const [name, ...deeper] = source.path
    if (name === undefined || deeper.length > 0 || this.keyOf(source) !== undefined) return
    this.#azure.set(placeOf(source), { ...this.#azure.get(placeOf(source)), [name]: value })
  }

  /** Domains that this environment has made: what is under them is its own. */
  get domains(): string[] {
    return [...this.#azure.values()]
      .flatMap((one) => Object.values(one))
      .filter((value) => typeof value === 'string')
      .filter((value) => /^[\w-]+(\.[\w-]+)+$/.test(value))
  }

  get(key: string): ActualProperties | undefined {
    return this.#objects.get(key) ?? undefined
  }

  set(key: string, actual: ActualProperties | undefined): void {
    this.#objects.set(key, actual ?? null)
    if (actual) this.name(actual)
  }

  isRead(key: string): boolean {
    return this.#objects.has(key)
  }

  isAbsent(key: string): boolean {
    return this.#objects.get(key) === null
  }

  /** App id of a service principal that has been read. */
  appIdOf(principalId: string): string | undefined {
    const found = [...this.#objects.values()].find((one) => one?.id === principalId)
    return typeof found?.appId === 'string' ? found.appId : undefined
  }

  /** What hangs on an object that is there: its owners, credentials, assignments and grants; `siblings`: the list that it is in. */
  around(key: string, list: string): readonly ActualProperties[] {
    return this.#around.get(`${key} ${list}`) ?? []
  }

  setAround(key: string, list: string, found: ActualProperties[]): void {
    this.#around.set(`${key} ${list}`, found)
    // Related objects have names; assignments and grants have none of their own.
    for (const one of found) this.name(one)
  }

  /** What the app calls a role; its id where that is not known. */
  roleName(resourceId: string, roleId: string): string {
    const roles = this.around(`roles/${resourceId}`, 'appRoles')
    const value = roles.find(({ id }) => id === roleId)?.value
    return typeof value === 'string' ? value : roleId
  }

  name({ id, appId, displayName }: ActualProperties): void {
    if (typeof displayName !== 'string') return
    for (const one of [id, appId]) if (typeof one === 'string') this.names.set(one.toLowerCase(), displayName)
  }
}

export const WORDS: Record<GraphType, string> = {
  applications: 'app registration',
  servicePrincipals: 'service principal',
  groups: 'group',
  'applications/federatedIdentityCredentials': 'federated credential',
  oauth2PermissionGrants: 'consent',
  appRoleAssignedTo: 'assignment',
  users: 'user',
}

/** Of a type that this version may not know. */
export const wordOf = (type: string): string =>
  Object.entries(WORDS).find(([known]) => known === type)?.[1] ?? type

/** Clients of Microsoft that are the same in every tenant, for maps that show them being removed. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'aebc6443-996d-45c2-90f0-388ff96faa56': 'Visual Studio Code',
  '04b07795-8ddb-461a-bbee-02f9e1bf7b46': 'Azure CLI',
  '00000003-0000-0000-c000-000000000000': 'Microsoft Graph',
}

export type Names = ReturnType<typeof nameObjects>

/** How people call the objects. `clients`: names by app id, as permissions.json gives them. */
export function nameObjects(
  objects: readonly DesiredObject[],
  state: ActualState,
  clients: ReadonlyMap<string, string>,
) {
  const declared = new Map(objects.map((one) => [one.key, one]))

  /** Of an object id or an app id; undefined for a stranger. */
  const ofId = (id: string | Unknown): string | undefined => {
    if (id instanceof Unknown) return id.key === undefined ? undefined : ofKey(id.key)
    const known = id.toLowerCase()
    return clients.get(known) ?? state.names.get(known) ?? WELL_KNOWN[known]
  }

  const of = (value: Value | undefined): string => {
    if (value instanceof Unknown) return ofId(value) ?? value.text
    return typeof value === 'string' ? (ofId(value) ?? value) : 'unknown'
  }

  /** The declared display name, or that of another's app that is not in the tenant yet; undefined without one. */
  const ofKey = (key: string): string | undefined => {
    const one = declared.get(key)
    const { displayName: name, appId } = one ? resolveObject(one, state) : {}
    if (typeof name === 'string') return name
    // A service principal is called as its app is.
    const isOther = typeof appId === 'string' || (appId instanceof Unknown && appId.key !== key)
    return isOther ? ofId(appId) : clients.get(key.replace(/^servicePrincipals\//, '').toLowerCase())
  }

  const titleOf = (type: GraphType, properties: Properties): string => {
    const { displayName, uniqueName, appId, name, principalId, resourceId, clientId } = properties
    if (type === 'appRoleAssignedTo') return `${of(principalId)} → ${of(resourceId)}`
    // Consent of one person is another one than consent for all.
    const ofOne = principalId === undefined || principalId === null ? '' : ` (${of(principalId)})`
    if (type === 'oauth2PermissionGrants') return `${of(clientId)} → ${of(resourceId)}${ofOne}`
    if (type === 'applications/federatedIdentityCredentials') return String(name)
    return typeof displayName === 'string' ? displayName : of(uniqueName ?? appId)
  }
  return { ofId, of, titleOf }
}

/** Both sides: what is desired, and what is there. */
export interface States {
  objects: readonly DesiredObject[]
  state: ActualState
  names: Names
}
