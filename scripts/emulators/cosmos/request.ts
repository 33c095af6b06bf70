import type { Request } from 'express'
import { z } from 'zod'
import { Refusal } from './refusal.ts'
import type { Signed } from './signature.ts'

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
  signed: Signed
  header: (name: string) => string | undefined
  body: unknown
}

/** @throws Refusal 400 for a path that cannot be read, 404 or 405 for a route that is not served */
export const readRequest = (message: Request): CosmosRequest => {
  const header = (name: string) => message.get(name)
  const { method, body } = message
  const segments = segmentsOf(message.path)
  const hasName = segments.length % 2 === 0
  const type = segments.at(hasName ? -2 : -1) ?? ''
  const parent = segments.slice(0, hasName ? -2 : -1).join('/')
  const name = hasName ? segments.at(-1) : undefined
  const resourceLink = hasName ? segments.join('/') : parent
  const authorization = header('authorization')
  const signed = { method, resourceType: type, resourceLink, date: header('x-ms-date'), authorization }
  const operation = operationOf(`${method} ${type}${type && hasName ? '/' : ''}`, header)
  return { operation, parent, name, signed, header, body }
}

const segmentsOf = (path: string) => {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    throw new Refusal(400, 'The path is not well-formed.')
  }
}

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

const Unreadable = z.object({ type: z.string(), status: z.literal([400, 413, 415]) })

/** The refusal of a body that express cannot read; undefined: another failure, which is ours. */
export const unreadable = (error: unknown): Refusal | undefined => {
  const { data } = Unreadable.safeParse(error)
  if (data?.status === 413) return new Refusal(413, 'Request size is too large.')
  return (
    data && new Refusal(400, 'The request payload is invalid. Ensure to provide a valid request payload.')
  )
}
