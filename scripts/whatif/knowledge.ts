/** What has been read of the directory so far, as references are resolved with it. */
import type { Json } from '../bicep/template.ts'
import type { Source } from '../bicep/term.ts'
import type { LiveProperties } from './keys.ts'
import { Open, type Wanted } from './open.ts'
import type { Known } from './resolution.ts'
import type { WantedObject } from './wanted.ts'

export class Knowledge implements Known {
  readonly #keys = new Map<string, string>()
  /** By key of the wanted object; null: it is not there. */
  readonly #objects = new Map<string, LiveProperties | null>()
  /** Display names by object id and by app id. */
  readonly names = new Map<string, string>()

  constructor(objects: readonly WantedObject[]) {
    for (const { key, symbols } of objects) for (const symbol of symbols) this.#keys.set(symbol, key)
  }

  readonly lookup = (source: Source): Record<string, Json> | undefined => {
    const key = this.keyOf(source)
    return key === undefined ? undefined : this.live(key)
  }

  readonly keyOf = ({ module, symbol }: Source): string | undefined =>
    this.#keys.get([...(module?.path ?? []), symbol].join('/'))

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

  /** A property that Entra gives an object, like `id`; open until the object is there. */
  given(key: string, property: string, name: string): Wanted {
    const value = this.live(key)?.[property]
    if (typeof value === 'string') return value
    return new Open([{ name: `${name}.${property}` }], { isFresh: this.isAbsent(key), source: key })
  }
}
