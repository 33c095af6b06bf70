/** What has been read of the directory so far, as references are resolved with it. */

import type { Json } from '../bicep/template.ts'
import type { Source } from '../bicep/term.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { LiveProperties } from './keys.ts'
import type { Known } from './resolution.ts'
import type { WantedObject } from './wanted.ts'

const placeOf = ({ module, symbol }: Source) => [...(module?.path ?? []), symbol].join('/')

export class Knowledge implements Known {
  readonly #keys = new Map<string, string>()
  /** By key of the wanted object; null: it is not there. */
  readonly #objects = new Map<string, LiveProperties | null>()
  /** Display names by object id and by app id. */
  readonly names = new Map<string, string>()

  /** What azd's environment records of Azure's resources, by their place: outputs of the last deployment. */
  readonly #azure = new Map<string, Record<string, Json>>()

  constructor(objects: readonly WantedObject[]) {
    for (const { key, symbols } of objects) for (const symbol of symbols) this.#keys.set(symbol, key)
  }

  readonly lookup = (source: Source): Record<string, Json> | undefined => {
    const key = this.keyOf(source)
    return key === undefined ? this.#azure.get(placeOf(source)) : this.live(key)
  }

  /** Domains that this environment has made: what is under them is its own. */
  get domains(): string[] {
    const values = [...this.#azure.values()].flatMap((one) => Object.values(one))
    return values
      .filter((value) => typeof value === 'string')
      .filter((value) => /^[\w-]+(\.[\w-]+)+$/.test(value))
  }

  /** A property of an Azure resource, as an output has said it; deeper ones are not recorded. */
  record(source: Source, value: Json): void {
    const [name, ...deeper] = source.path
    if (name === undefined || deeper.length > 0 || this.keyOf(source) !== undefined) return
    this.#azure.set(placeOf(source), { ...this.#azure.get(placeOf(source)), [name]: value })
  }

  readonly keyOf = (source: Source): string | undefined => this.#keys.get(placeOf(source))

  readonly #around = new Map<string, Map<string, LiveProperties[]>>()

  /** What hangs on a live object: its owners, credentials, assignments and grants. */
  around(key: string, list: string): readonly LiveProperties[] {
    return this.#around.get(key)?.get(list) ?? []
  }

  setAround(key: string, list: string, found: LiveProperties[]): void {
    const lists = this.#around.get(key) ?? new Map<string, LiveProperties[]>()
    this.#around.set(key, lists.set(list, found))
    // Related objects have names; assignments and grants have none of their own.
    for (const one of found) this.name(one)
  }

  /** What the app calls a role; its id where that is not known. */
  roleName(resourceId: string, roleId: string): string {
    const roles = this.around(`roles/${resourceId}`, 'appRoles')
    const value = roles.find(({ id }) => id === roleId)?.value
    return typeof value === 'string' ? value : roleId
  }

  set(key: string, live: LiveProperties | undefined): void {
    this.#objects.set(key, live ?? null)
    if (live) this.name(live)
  }

  name({ id, appId, displayName }: LiveProperties): void {
    if (typeof displayName !== 'string') return
    for (const one of [id, appId]) if (typeof one === 'string') this.names.set(one.toLowerCase(), displayName)
  }

  /** App id of a service principal that has been read. */
  appIdOf(principalId: string): string | undefined {
    const found = [...this.#objects.values()].find((one) => one?.id === principalId)
    return typeof found?.appId === 'string' ? found.appId : undefined
  }

  isRead(key: string): boolean {
    return this.#objects.has(key)
  }

  isAbsent(key: string): boolean {
    return this.#objects.get(key) === null
  }

  live(key: string): LiveProperties | undefined {
    return this.#objects.get(key) ?? undefined
  }

  /** A property that Entra gives an object, like `id`; unknown until the object is there. */
  given(key: string, property: string, name: string): Value {
    const value = this.live(key)?.[property]
    if (typeof value === 'string') return value
    const source = { module: undefined, symbol: name, path: [property] }
    return new Unknown({ kind: 'source', source }, { isNew: this.isAbsent(key), key })
  }
}
