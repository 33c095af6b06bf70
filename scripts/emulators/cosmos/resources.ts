import { createHash } from 'node:crypto'
import { z } from 'zod'
import { notFound, Refusal, unsupported } from './refusal.ts'
import type { Storage } from './storage.ts'

const Named = z.looseObject({ id: z.string().regex(/^[^/\\#?]{1,255}$/) })

const ContainerBody = Named.extend({
  partitionKey: z.looseObject({ paths: z.array(z.string().regex(/^\/[A-Za-z_]\w*$/)).length(1) }),
})

/** A container's link and the top-level property that holds the partition key. */
export interface ContainerRef {
  link: string
  keyName: string
}

/** Databases and containers, each a JSON body under its name-based link (`dbs/x`, `dbs/x/colls/y`). */
export class Resources {
  readonly #storage: Storage
  constructor(storage: Storage) {
    this.#storage = storage
  }

  read(link: string): Record<string, unknown> {
    const row = this.#storage.row('SELECT body FROM resources WHERE link = ?', link)
    if (row?.body === undefined) throw notFound()
    return Named.parse(JSON.parse(row.body))
  }

  /** @throws Refusal 404 when there is no such container */
  container(link: string): ContainerRef {
    const [path] = ContainerBody.parse(this.read(link)).partitionKey.paths
    if (path === undefined) throw unsupported('hierarchical partition keys')
    return { link, keyName: path.slice(1) }
  }

  /** @throws Refusal 404 without its database, 409 when it exists, 400 when it is malformed */
  create(parent: string, type: 'dbs' | 'colls', body: unknown): Record<string, unknown> {
    if (parent !== '') this.read(parent)
    const parsed = (type === 'dbs' ? Named : ContainerBody).safeParse(body)
    if (!parsed.success)
      throw new Refusal(400, 'A name, and one top-level partition key path for a container.')
    const link = [parent, type, parsed.data.id].filter(Boolean).join('/')
    const resource = {
      ...parsed.data,
      _rid: ridOf(link),
      _ts: Math.floor(Date.now() / 1_000),
      _self: `${link}/`,
    }
    const text = JSON.stringify(resource)
    if (this.#storage.run('INSERT OR IGNORE INTO resources VALUES (?, ?)', link, text) === 0) {
      throw new Refusal(409, 'Resource with specified id or name already exists.')
    }
    return resource
  }

  /** Removes a database or a container with everything below it. */
  delete(link: string): void {
    this.read(link)
    const below = `${link}/`
    this.#storage.transaction(() => {
      const isInside = '(link = ?1 OR substr(link, 1, length(?2)) = ?2)'
      this.#storage.run(`DELETE FROM resources WHERE ${isInside}`, link, below)
      this.#storage.run(
        `DELETE FROM documents WHERE ${isInside.replaceAll('link', 'container')}`,
        link,
        below,
      )
    })
  }
}

/** Four bytes of a database's id and four of its container's, as the SDK expects them. */
export const ridOf = (link: string): string => {
  const levels = link.split('/').length === 2 ? [link] : [link.split('/').slice(0, 2).join('/'), link]
  const bytes = levels.map((level) => createHash('sha256').update(level).digest().subarray(0, 4))
  return Buffer.concat(bytes).toString('base64').replaceAll('/', '-')
}
