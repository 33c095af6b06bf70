import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { Refusal } from './refusal.ts'

/** What the emulator tells apart. */
export type Operation =
  | 'account'
  | 'database'
  | 'container'
  | 'plan'
  | 'query'
  | 'batch'
  | 'create'
  | 'upsert'
  | 'delete'
  | 'read'
  | 'replace'
  | 'patch'

type Headers = (name: string) => string | undefined

/** A request of the SDK, taken apart. */
export interface CosmosRequest {
  operation: Operation
  /** Name-based link of the database or container: of the resource itself, or, for documents, of what holds them. */
  link: string
  /** The name after the resource type, when there is one: `dbs/x/colls/y/docs/NAME`. */
  name: string | undefined
  header: Headers
  body: unknown
}

/**
 * @param key of the account, Base64
 * @throws Refusal 400 for a path that cannot be read, 401 or 403 for a bad signature, 404 or 405 for a route that is not
 * served
 */
export const readRequest = (message: Request, key: string): CosmosRequest => {
  const header: Headers = (name) => message.get(name)
  const { method, body } = message
  const segments = message.path.split('/').filter(Boolean).map(decodedSegment)
  const hasName = segments.length % 2 === 0
  const type = segments.at(hasName ? -2 : -1) ?? ''
  const parent = segments.slice(0, hasName ? -2 : -1).join('/')
  const name = hasName ? segments.at(-1) : undefined
  const resource = hasName ? segments.join('/') : parent
  const operation = operationOf(`${method} ${type}${type && hasName ? '/' : ''}`, header)
  verifySignature(key, `${method}\n${type}\n`.toLowerCase() + resource, header)
  return { operation, link: type === 'docs' ? parent : resource, name, header, body }
}

const decoded = (text: string, otherwise: Refusal) => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw otherwise
  }
}

const decodedSegment = (text: string) => decoded(text, new Refusal(400, 'The path is not well-formed.'))

// Method and resource type; a slash stands for the name of one resource.
const routes = new Map<string, Operation>([
  ['GET ', 'account'],
  ['GET dbs/', 'database'],
  ['GET colls/', 'container'],
  ['GET docs/', 'read'],
  ['PUT docs/', 'replace'],
  ['PATCH docs/', 'patch'],
  ['DELETE docs/', 'delete'],
])

const operationOf = (route: string, header: Headers): Operation => {
  const operation = route === 'POST docs' ? collectionOperation(header) : routes.get(route)
  if (!operation) throw new Refusal(405, 'The emulator does not serve this route.')
  return operation
}

const collectionOperation = (header: Headers): Operation => {
  const says = (name: string) => header(name)?.toLowerCase() === 'true'
  if (says('x-ms-cosmos-is-query-plan-request')) return 'plan'
  if (says('x-ms-documentdb-isquery')) return 'query'
  if (says('x-ms-cosmos-is-batch-request')) return 'batch'
  return says('x-ms-documentdb-is-upsert') ? 'upsert' : 'create'
}

const validForMs = 15 * 60_000
const format = /^type=master&ver=1\.0&sig=([A-Za-z0-9+/]+={0,2})$/

/**
 * Checks a master-key signature, as documented under "Access control in the Azure Cosmos DB SQL API".
 *
 * @param signed method, type and link of the resource, one on each line
 * @throws Refusal 401 when it is missing or wrong, 403 when its date is not within 15 minutes
 */
const verifySignature = (key: string, signed: string, header: Headers): void => {
  const authorization = header('authorization')
  const date = header('x-ms-date')
  if (authorization === undefined) throw new Refusal(401, 'Required Header authorization is missing.')
  if (date === undefined) throw new Refusal(401, 'Required Header x-ms-date is missing.')
  const otherForm = new Refusal(
    401,
    "Authorization header doesn't conform to the required format type=master&ver=1.0.",
  )
  const [, given] = format.exec(decoded(authorization, otherForm)) ?? []
  if (given === undefined) throw otherForm
  const payload = `${signed}\n${date.toLowerCase()}\n\n`
  const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(payload).digest()
  if (!isEqual(Buffer.from(given, 'base64'), expected)) {
    throw new Refusal(
      401,
      "The input authorization token can't serve the request. The wrong key is being used.",
    )
  }
  if (!(Math.abs(Date.now() - Date.parse(date)) < validForMs)) {
    throw new Refusal(403, 'The authorization token is not valid at the current time.')
  }
}

const isEqual = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b)
