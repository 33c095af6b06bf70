/** Microsoft Graph, as far as the scripts need it. */
import DataLoader from 'dataloader'
import { z } from 'zod'
import { DirectoryError, ignoreThere } from './directory-error.ts'
import { type GraphOptions, PASSING, send, versioned } from './graph-request.ts'

export type DirectoryOptions = Omit<GraphOptions, 'pause'> & Partial<Pick<GraphOptions, 'pause'>>

const LARGEST_BATCH = 20
const Part = z.object({
  id: z.string(),
  status: z.number(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
})
const Parts = z.object({ responses: z.array(Part) })
type Part = z.infer<typeof Part>

const Page = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() })

const steadily = (attempt: number) => Math.min(250 * 2 ** (attempt - 1), 10_000)
const sleep = (time: number) => new Promise<void>((resolve) => void setTimeout(resolve, time))

/** How an object comes to be what it should be. */
interface Wanted<T> {
  read: () => Promise<T | undefined>
  create: () => Promise<unknown>
  /** Left out where whatever is there will do. */
  isRight?: (present: T) => boolean
  correct?: (present: T) => Promise<void>
}

/**
 * A small client: paging, `$batch`, repetition of what passes (429 with Retry-After, 5xx, replication, concurrent
 * writes) within a bound. Every refusal is a DirectoryError with Graph's text and request id.
 */
export class Directory {
  readonly #options: GraphOptions
  /** Reads that are asked for in the same turn of the event loop travel together; undefined: to be asked for alone. */
  readonly #parts: DataLoader<string, Part | undefined>

  constructor(options: DirectoryOptions) {
    this.#options = { pause: steadily, ...options }
    this.#parts = new DataLoader((paths) => this.#batch(paths), {
      cache: false,
      maxBatchSize: LARGEST_BATCH,
      batchScheduleFn: (go) => void setImmediate(go),
    })
  }

  /** undefined: there is none. Reads that are asked for at once travel together. */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const body = await this.#read(path)
    return body === undefined ? undefined : schema.parse(body)
  }

  /** Every page; an empty list where the collection's owner is not there. */
  async list<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
    return this.#pages(await this.#read(path), schema, {})
  }

  /** For what Graph calls advanced queries: casts of memberships, for one. */
  async listAdvanced<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
    const headers = { ConsistencyLevel: 'eventual' }
    return this.#pages(await send(this.#options, { method: 'get', path, headers }), schema, headers)
  }

  async #pages<T>(first: unknown, schema: z.ZodType<T>, headers: Record<string, string>): Promise<T[]> {
    const items: T[] = []
    const base = versioned(this.#options)
    let body = first
    while (body !== undefined) {
      const { value, '@odata.nextLink': next } = Page.parse(body)
      items.push(...z.array(schema).parse(value))
      if (next === undefined) break
      // The token goes to Graph only, whatever a body says.
      if (!next.startsWith(`${base}/`)) throw new Error('Graph names a strange next page.')
      body = await send(this.#options, { method: 'get', path: next.slice(base.length), headers })
    }
    return items
  }

  async create<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await send(this.#options, { method: 'post', path, body }))
  }

  async update(path: string, body: object): Promise<void> {
    await send(this.#options, { method: 'patch', path, body })
  }

  /** false: it was gone already. */
  async remove(path: string): Promise<boolean> {
    try {
      await send(this.#options, { method: 'delete', path })
      return true
    } catch (error) {
      if (error instanceof DirectoryError && error.status === 404) return false
      throw error
    }
  }

  /** Reads again until the value has settled; undefined when patience is over. */
  async until<T>(
    read: () => Promise<T>,
    settled: (value: T) => boolean,
    patienceSeconds = this.#options.patienceSeconds,
  ): Promise<T | undefined> {
    const end = Date.now() + patienceSeconds * 1000
    for (let attempt = 1; ; attempt += 1) {
      const value = await read()
      if (settled(value)) return value
      const pause = this.#options.pause(attempt)
      if (Date.now() + pause > end) return undefined
      await sleep(pause)
    }
  }

  /**
   * Creates what is not there and corrects what is not right, each once, however long lists lag behind it; writes nothing
   * else. undefined: what was written is not readable within patience.
   */
  async ensure<T extends { id: string }>({
    read,
    create,
    isRight = () => true,
    correct,
  }: Wanted<T>): Promise<{ present: T; done: 'created' | 'corrected' | 'nothing' } | undefined> {
    const isDone = (found: T | undefined) => found !== undefined && isRight(found)
    /** By id; undefined: the creation. */
    const written = new Set<string | undefined>()
    const present = await this.until(async () => {
      const found = await read()
      if (isDone(found) || written.has(found?.id)) return found
      written.add(found?.id)
      await (found ? correct?.(found) : create().catch(ignoreThere))
      return found
    }, isDone)
    const isCreated = written.delete(undefined)
    return present && { present, done: written.size > 0 ? 'corrected' : isCreated ? 'created' : 'nothing' }
  }

  async #batch(paths: readonly string[]): Promise<(Part | undefined)[]> {
    if (paths.length === 1) return [undefined]
    const requests = paths.map((url, index) => ({ id: String(index), method: 'GET', url }))
    const answer = await send(this.#options, { method: 'post', path: '/$batch', body: { requests } })
    const { responses } = Parts.parse(answer)
    return requests.map(({ id }) => responses.find((part) => part.id === id))
  }

  async #read(path: string): Promise<unknown> {
    const part = await this.#parts.load(path)
    // Alone the request is repeated with Graph's own timing.
    if (!part || PASSING.includes(part.status)) return send(this.#options, { method: 'get', path })
    if (part.status === 200) return part.body
    if (part.status === 404) return undefined
    throw new DirectoryError(`GET ${path.split('?')[0]}`, part.status, part.body, part.headers['request-id'])
  }
}
