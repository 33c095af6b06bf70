/** Reads that are asked for in the same turn of the event loop travel together, 20 in a `$batch`. */
import { z } from 'zod'

const LARGEST_BATCH = 20

const Part = z.object({
  id: z.string(),
  status: z.number(),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
})
export const Parts = z.object({ responses: z.array(Part) })
export type Part = z.infer<typeof Part>

interface Waiting {
  path: string
  resolve: (body: unknown) => void
  reject: (error: unknown) => void
}

export interface Transport {
  /** One GET of its own, repeated where that helps. */
  one: (path: string) => Promise<unknown>
  /** The parts of one `$batch`, in any order; `id` is the index of the path. */
  batch: (paths: string[]) => Promise<Part[]>
  /** The body of a part, or its error; undefined: ask again alone. */
  bodyOf: (path: string, part: Part) => { body: unknown } | undefined
}

export class ReadQueue {
  readonly #transport: Transport
  #waiting: Waiting[] = []

  constructor(transport: Transport) {
    this.#transport = transport
  }

  read(path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ path, resolve, reject })
      if (this.#waiting.length === 1) setImmediate(() => this.#send())
    })
  }

  #send(): void {
    const all = this.#waiting
    this.#waiting = []
    for (let at = 0; at < all.length; at += LARGEST_BATCH) void this.#group(all.slice(at, at + LARGEST_BATCH))
  }

  async #group(group: Waiting[]): Promise<void> {
    const alone = ({ path, resolve, reject }: Waiting) => this.#transport.one(path).then(resolve, reject)
    const [only, ...others] = group
    if (only && others.length === 0) return void alone(only)
    try {
      const parts = await this.#transport.batch(group.map(({ path }) => path))
      for (const [index, waiting] of group.entries()) {
        const part = parts.find(({ id }) => id === String(index))
        try {
          const answer = part && this.#transport.bodyOf(waiting.path, part)
          if (answer) waiting.resolve(answer.body)
          else void alone(waiting)
        } catch (error) {
          waiting.reject(error)
        }
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}
