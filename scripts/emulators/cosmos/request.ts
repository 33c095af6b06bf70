import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { Refusal } from './refusal.ts'
import type { Signed } from './signature.ts'

/** What the emulator tells apart. */
export type Operation =
  | 'account'
  | 'database'
  | 'container'
  | 'ranges'
  | 'plan'
  | 'query'
  | 'batch'
  | 'create'
  | 'upsert'
  | 'read'
  | 'replace'
  | 'patch'
  | 'delete'

/** A request of the SDK, taken apart but not yet trusted. */
export interface CosmosRequest {
  operation: Operation
  /** Link of the container, the database or nothing that the request is about. */
  parent: string
  /** The name after the resource type, when there is one: `dbs/x/colls/y/docs/NAME`. */
  name: string | undefined
  type: string
  signed: Signed
  header: (name: string) => string | undefined
  body: unknown
}

// The documented limit of a request body.
const longestBody = 2 * 1024 * 1024

/** @throws Refusal 400 or 413 for a body that cannot be read, 404 or 405 for a route that is not served */
export const readRequest = async (message: IncomingMessage): Promise<CosmosRequest> => {
  const header = (name: string) => {
    const value = message.headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  const method = message.method ?? 'GET'
  const segments = segmentsOf(message.url ?? '/')
  const hasName = segments.length % 2 === 0
  const type = segments.at(hasName ? -2 : -1) ?? ''
  const parent = segments.slice(0, hasName ? -2 : -1).join('/')
  const name = hasName ? segments.at(-1) : undefined
  const resourceLink = hasName ? segments.join('/') : parent
  const authorization = header('authorization')
  const signed = { method, resourceType: type, resourceLink, date: header('x-ms-date'), authorization }
  const operation = operationOf(`${method} ${type}${type && hasName ? '/' : ''}`, header)
  return { operation, parent, name, type, signed, header, body: await jsonOf(message) }
}

const segmentsOf = (url: string) => {
  const [path = ''] = url.split('?')
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw new Refusal(400, 'The path is not well-formed.')
  }
}

// Method and resource type; a slash stands for the name of one resource.
const routes = new Map<string, Operation>([
  ['GET ', 'account'],
  ['POST dbs', 'database'],
  ['GET dbs/', 'database'],
  ['DELETE dbs/', 'database'],
  ['POST colls', 'container'],
  ['GET colls/', 'container'],
  ['DELETE colls/', 'container'],
  ['GET pkranges', 'ranges'],
  ['GET docs/', 'read'],
  ['PUT docs/', 'replace'],
  ['PATCH docs/', 'patch'],
  ['DELETE docs/', 'delete'],
])

const operationOf = (route: string, header: (name: string) => string | undefined): Operation => {
  const operation = route === 'POST docs' ? collectionOperation(header) : routes.get(route)
  if (!operation) throw new Refusal(405, 'The emulator does not serve this route.')
  return operation
}

const collectionOperation = (header: (name: string) => string | undefined): Operation => {
  const says = (name: string) => header(name)?.toLowerCase() === 'true'
  if (says('x-ms-cosmos-is-query-plan-request')) return 'plan'
  if (says('x-ms-documentdb-isquery')) return 'query'
  if (says('x-ms-cosmos-is-batch-request')) return 'batch'
  return says('x-ms-documentdb-is-upsert') ? 'upsert' : 'create'
}

const jsonOf = async (message: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of message) {
    const bytes = z.instanceof(Buffer).parse(chunk)
    length += bytes.length
    // Read to its end all the same: a client that is still sending would not see the answer.
    if (length <= longestBody) chunks.push(bytes)
  }
  if (length > longestBody) throw new Refusal(413, 'Request size is too large.')
  if (length === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Refusal(400, 'The request payload is invalid. Ensure to provide a valid request payload.')
  }
}
