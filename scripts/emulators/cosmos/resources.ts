import { hash } from 'node:crypto'

/** The top-level property that holds the partition key. */
export const PARTITION_KEY = 'user_id'

/** The database and its container. They come with a deployment, so no request creates or deletes one. */
export function resourcesOf(database: string, container: string) {
  const link = `dbs/${database}/colls/${container}`
  const partitionKey = { paths: [`/${PARTITION_KEY}`], kind: 'Hash', version: 2 }
  return {
    database: resource(`dbs/${database}`, { id: database }),
    container: resource(link, { id: container, partitionKey }),
  }
}

const resource = (link: string, body: object) => ({
  ...body,
  _rid: ridOf(link),
  _ts: Math.floor(Date.now() / 1_000),
  _self: `${link}/`,
})

/** Four bytes of a database's id and four of its container's, as the SDK expects them. */
export const ridOf = (link: string): string => {
  const levels = link.split('/').length === 2 ? [link] : [link.split('/').slice(0, 2).join('/'), link]
  const bytes = levels.map((level) => hash('sha256', level, 'buffer').subarray(0, 4))
  return Buffer.concat(bytes).toString('base64').replaceAll('/', '-')
}
