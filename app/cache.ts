import { LRUCache } from 'lru-cache'

/** What was loaded, and for how many milliseconds it may be used (at least 1). */
export type Loaded<Value> = Readonly<{ value: Value; milliseconds: number }>

/** How much a cache may hold: so many entries, or so many bytes of what `sizeOf` says about each. */
export type Bound<Value> = number | Readonly<{ bytes: number; sizeOf: (value: Value) => number }>

/** A bounded cache: many callers at the same time cause one load, a failure is passed on and not kept. */
export class Cache<Value extends string | boolean | object, Context> {
  readonly #entries: LRUCache<string, Value, { context: Context }>

  constructor(bound: Bound<Value>, load: (context: Context) => Promise<Loaded<Value>>) {
    this.#entries = new LRUCache<string, Value, { context: Context }>({
      ...(typeof bound === 'number'
        ? { max: bound }
        : { maxSize: bound.bytes, sizeCalculation: bound.sizeOf }),
      perf: { now: () => Date.now() },
      ttlResolution: 0,
      ignoreFetchAbort: true,
      fetchMethod: async (_key, _stale, { context, options }) => {
        const { value, milliseconds } = await load(context.context)
        // 0 would mean "for ever".
        options.ttl = Math.max(1, milliseconds)
        return value
      },
    })
  }

  known(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  async get(key: string, context: Context): Promise<Value> {
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const value = await this.#entries.fetch(key, { context: { context } })
    if (value === undefined) throw new Error('The cache loaded nothing.')
    return value
  }
}
