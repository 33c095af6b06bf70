import { z } from 'zod'
import { runBatch } from './batch.ts'
import { DocumentOperation, perform } from './documents.ts'
import { notFound, Refusal, unsupported } from './refusal.ts'
import type { CosmosRequest } from './request.ts'
import { resourcesOf, ridOf } from './resources.ts'
import { search } from './search.ts'
import { parseQuery } from './sql.ts'
import type { Storage } from './storage.ts'

export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

type Names = Readonly<{ database: string; container: string; pageSize?: number }>

const Primitive = z.union([z.string(), z.number(), z.boolean(), z.null()])
const PartitionKey = z.tuple([Primitive])
const defaultPage = 100
const largestPage = 1_000

/** A Cosmos account: a database, its container, documents, and what can be asked of them. */
export class Account {
  readonly #storage: Storage
  readonly #url: string
  readonly #resources: ReturnType<typeof resourcesOf>
  readonly #pageSize: number
  /** Handed out by queries and point reads. */
  documentsRead = 0

  /**
   * @param url the address that the account advertises
   * @param options `pageSize`: most documents in one page of a query, whatever the client asks for
   */
  constructor(storage: Storage, url: string, { database, container, pageSize = largestPage }: Names) {
    this.#storage = storage
    this.#url = url
    this.#resources = resourcesOf(database, container)
    this.#pageSize = pageSize
  }

  /** @throws Refusal when the request cannot be carried out; then it has had no effect */
  answer(request: CosmosRequest): Answer {
    const { operation, link } = request
    if (operation === 'account') return { status: 200, body: accountAt(this.#url) }
    const known = this.#resources[operation === 'database' ? 'database' : 'container']
    if (known._self !== `${link}/`) throw notFound()
    if (operation === 'database' || operation === 'container') return { status: 200, body: known }
    // The SDK then sends the query as it is.
    if (operation === 'plan') throw unsupported('query plans')
    const answer = operation === 'query' ? this.#query(request) : this.#write(request)
    return { ...answer, headers: { ...this.#progress(link), ...answer.headers } }
  }

  #write({ operation, link: container, name, body, header }: CosmosRequest): Answer {
    const partition = partitionOf(header)
    if (partition === undefined) throw new Refusal(400, 'The partition key header is missing.')
    const at = { container, partition }
    if (operation === 'batch') {
      const { status, results } = runBatch(this.#storage, at, body)
      return { status, body: results }
    }
    // As a batch names it: `create` is its `Create`.
    const operationType = operation.charAt(0).toUpperCase() + operation.slice(1)
    const parsed = DocumentOperation.parse({
      operationType,
      id: name,
      resourceBody: body,
      ifMatch: header('if-match'),
    })
    const { status, document, etag } = perform(this.#storage, at, parsed)
    if (operation === 'read') this.documentsRead += 1
    return { status, body: document, ...(etag && { headers: { etag } }) }
  }

  #query({ link: container, body, header }: CosmosRequest): Answer {
    const asked = Number(header('x-ms-max-item-count') ?? defaultPage)
    const size = Math.min(asked > 0 ? asked : defaultPage, this.#pageSize, largestPage)
    const scope = { container, partition: partitionOf(header) }
    const page = search(this.#storage, scope, parseQuery(body), size, header('x-ms-continuation'))
    this.documentsRead += page.documents.length
    const headers = {
      'x-ms-item-count': String(page.documents.length),
      ...(page.continuation && { 'x-ms-continuation': page.continuation }),
    }
    const feed = { _rid: ridOf(container), Documents: page.documents, _count: page.documents.length }
    return { status: 200, body: feed, headers }
  }

  #progress(container: string) {
    const { lsn = '0' } = this.#storage.row('SELECT lsn FROM progress') ?? {}
    return {
      'x-ms-session-token': `0:-1#${lsn}`,
      'x-ms-alt-content-path': encodeURI(container),
      'x-ms-content-path': ridOf(container),
    }
  }
}

const partitionOf = (header: CosmosRequest['header']) => {
  const text = header('x-ms-documentdb-partitionkey')
  if (text === undefined) return undefined
  try {
    return JSON.stringify(PartitionKey.parse(JSON.parse(text)))
  } catch {
    throw new Refusal(400, 'Partition key supplied is not valid.')
  }
}

// The SDK ignores locations of an account that calls itself localhost.
const accountAt = (url: string) => {
  const locations = [{ name: 'Loopback', databaseAccountEndpoint: url }]
  return {
    id: 'emulator',
    _rid: 'emulator',
    writableLocations: locations,
    readableLocations: locations,
    enableMultipleWriteLocations: false,
    userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
  }
}
