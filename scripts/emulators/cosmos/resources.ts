import { createHash } from 'node:crypto'
import { z } from 'zod'
import { notFound } from './refusal.ts'
import type { Storage } from './storage.ts'

// Databases and containers, each a JSON body under its name-based link (`dbs/x`, `dbs/x/colls/y`). They come with a
// deployment, so no request creates or deletes one.

/** A container's link and the top-level property that holds the partition key. */
export interface ContainerRef {
  link: string
  keyName: string
}

const Container = z.object({ partitionKey: z.object({ paths: z.tuple([z.string()]) }) })

/** Creates what is not there yet; what is there stays as it is. */
export const provide = (
  storage: Storage,
  database: string,
  container: string,
  partitionKey: string,
): void => {
  const partitioned = { id: container, partitionKey: { paths: [partitionKey], kind: 'Hash', version: 2 } }
  put(storage, `dbs/${database}`, { id: database })
  put(storage, `dbs/${database}/colls/${container}`, partitioned)
}

const put = (storage: Storage, link: string, body: object): void => {
  const _ts = Math.floor(Date.now() / 1_000)
  const text = JSON.stringify({ ...body, _rid: ridOf(link), _ts, _self: `${link}/` })
  storage.run('INSERT OR IGNORE INTO resources VALUES (?, ?)', link, text)
}

/** @throws Refusal 404 when there is no such database or container */
export const resourceAt = (storage: Storage, link: string): unknown => {
  const row = storage.row('SELECT body FROM resources WHERE link = ?', link)
  if (row?.body === undefined) throw notFound()
  return JSON.parse(row.body)
}

/** @throws Refusal 404 when there is no such container */
export const containerAt = (storage: Storage, link: string): ContainerRef => {
  const [path] = Container.parse(resourceAt(storage, link)).partitionKey.paths
  return { link, keyName: path.slice(1) }
}

/** Four bytes of a database's id and four of its container's, as the SDK expects them. */
export const ridOf = (link: string): string => {
  const levels = link.split('/').length === 2 ? [link] : [link.split('/').slice(0, 2).join('/'), link]
  const bytes = levels.map((level) => createHash('sha256').update(level).digest().subarray(0, 4))
  return Buffer.concat(bytes).toString('base64').replaceAll('/', '-')
}
