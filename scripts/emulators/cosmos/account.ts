import { z } from 'zod'
import { runBatch } from './batch.ts'
import { DocumentOperation, perform } from './documents.ts'
import { Refusal, unsupported } from './refusal.ts'
import type { CosmosRequest } from './request.ts'
import { type ContainerRef, containerAt, resourceAt, ridOf } from './resources.ts'
import { search } from './search.ts'
import { parseQuery } from './sql.ts'
import type { Storage } from './storage.ts'

export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

const Primitive = z.union([z.string(), z.number(), z.boolean(), z.null()])
const PartitionKey = z.tuple([Primitive])
const defaultPage = 100
const largestPage = 1_000

/** A Cosmos account: databases, containers, documents, and what can be asked of them. */
export class Account {
  readonly #storage: Storage
  readonly #pageSize: number
  /** Handed out by queries and point reads. */
  documentsRead = 0

  /** @param pageSize most documents in one page of a query, whatever the client asks for */
  constructor(storage: Storage, pageSize = largestPage) {
    this.#storage = storage
    this.#pageSize = pageSize
  }

  /** @throws Refusal when the request cannot be carried out; then it has had no effect */
  answer(request: CosmosRequest, url: string): Answer {
    const { operation, parent, signed } = request
    if (operation === 'account') return { status: 200, body: account(url) }
    if (operation === 'database' || operation === 'container')
      return { status: 200, body: resourceAt(this.#storage, signed.resourceLink) }
    const container = containerAt(this.#storage, parent)
    // The SDK then sends the query as it is.
    if (operation === 'plan') throw unsupported('query plans')
    const answer = operation === 'query' ? this.#query(container, request) : this.#write(container, request)
    return { ...answer, headers: { ...this.#progress(container), ...answer.headers } }
  }

  #write(container: ContainerRef, { operation, name, body, header }: CosmosRequest): Answer {
    const partition = partitionOf(header)
    if (partition === undefined) throw new Refusal(400, 'The partition key header is missing.')
    const at = { ...container, partition }
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

  #query(container: ContainerRef, { body, header }: CosmosRequest): Answer {
    const asked = Number(header('x-ms-max-item-count') ?? defaultPage)
    const size = Math.min(asked > 0 ? asked : defaultPage, this.#pageSize, largestPage)
    const scope = { ...container, partition: partitionOf(header) }
    const page = search(this.#storage, scope, parseQuery(body), size, header('x-ms-continuation'))
    this.documentsRead += page.documents.length
    const headers = {
      'x-ms-item-count': String(page.documents.length),
      ...(page.continuation && { 'x-ms-continuation': page.continuation }),
    }
    const feed = { _rid: ridOf(container.link), Documents: page.documents, _count: page.documents.length }
    return { status: 200, body: feed, headers }
  }

  #progress({ link }: ContainerRef) {
    const { lsn = '0' } = this.#storage.row('SELECT lsn FROM progress') ?? {}
    return {
      'x-ms-session-token': `0:-1#${lsn}`,
      'x-ms-alt-content-path': encodeURI(link),
      'x-ms-content-path': ridOf(link),
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
const account = (url: string) => {
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
