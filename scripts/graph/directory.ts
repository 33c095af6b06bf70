/** Microsoft Graph, as far as the scripts need it. */
import { z } from 'zod'
import { DirectoryError } from './directory-error.ts'
import { type GraphOptions, PASSING, send, versioned } from './graph-request.ts'
import { type Part, Parts, ReadQueue } from './read-queue.ts'

export type DirectoryOptions = Omit<GraphOptions, 'pause'> & Partial<Pick<GraphOptions, 'pause'>>

const Page = z.object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() })

const steadily = (attempt: number) => Math.min(250 * 2 ** (attempt - 1), 10_000)
const sleep = (time: number) => new Promise<void>((resolve) => void setTimeout(resolve, time))

/**
 * A small client: paging, `$batch`, repetition of what passes (429 with Retry-After, 5xx, replication, concurrent
 * writes) within a bound. Every refusal is a DirectoryError with Graph's text and request id.
 */
export class Directory {
  readonly #options: GraphOptions
  readonly #reads: ReadQueue

  constructor(options: DirectoryOptions) {
    this.#options = { pause: steadily, ...options }
    this.#reads = new ReadQueue({
      one: (path) => send(this.#options, { method: 'get', path }),
      batch: (paths) => this.#batch(paths),
      bodyOf: (path, part) => this.#bodyOf(path, part),
    })
  }

  /** undefined: there is none. Reads that are asked for at once travel together. */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const body = await this.#reads.read(path)
    return body === undefined ? undefined : schema.parse(body)
  }

  /** Every page; an empty list where the collection's owner is not there. */
  async list<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
    return this.#pages(await this.#reads.read(path), schema, {})
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

  async #batch(paths: string[]): Promise<Part[]> {
    const requests = paths.map((url, index) => ({ id: String(index), method: 'GET', url }))
    const answer = await send(this.#options, { method: 'post', path: '/$batch', body: { requests } })
    return Parts.parse(answer).responses
  }

  #bodyOf(path: string, { status, headers, body }: Part): { body: unknown } | undefined {
    if (status === 200) return { body }
    if (status === 404) return { body: undefined }
    // Alone the request is repeated with Graph's own timing.
    if (PASSING.includes(status)) return undefined
    throw new DirectoryError(`GET ${path.split('?')[0]}`, status, body, headers['request-id'])
  }
}
