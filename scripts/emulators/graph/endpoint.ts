import type { Request, RequestHandler, Response } from 'express'
import type { Directory } from '../directory.ts'
import type { Entra } from '../entra/entra.ts'
import { type Caller, callerOf } from './access.ts'
import { noteStatus, outage, sendGraphError } from './errors.ts'
import type { Filterable } from './filter.ts'
import { fingerprint, type Journal, type Write } from './journal.ts'
import { type GraphSettings, listQuery, page, selected, selectOf } from './query.ts'
import type { Replication } from './replication.ts'

/** What every endpoint of Graph works with. */
export interface Graph {
  readonly entra: Entra
  readonly directory: Directory
  /** Base URL, without a version. */
  readonly url: string
  readonly settings: GraphSettings
  readonly replication: Replication
  readonly journal: Journal
}

export interface Call {
  caller: Caller
  request: Request
  body: unknown
  /** A parameter of the route. */
  param: (name: string) => string
}

/** The body of a 200; 201 and 204 say so. */
export type Reply = { status: 200 | 201; body: object } | { status: 204 }

export const ok = (body: object): Reply => ({ status: 200, body })
export const created = (body: object): Reply => ({ status: 201, body })
export const done: Reply = { status: 204 }

/** POSTs that only ask. */
const QUESTION = /\/(checkMemberGroups|\$batch)$/

/** Authenticates, lets the handler work and sends the answer. Handlers are synchronous: a write is one step. */
export function endpoint(graph: Graph, handle: (call: Call) => Reply): RequestHandler {
  return async (request, response) => {
    const caller = await callerOf(graph.entra, request.get('authorization'))
    const param = (name: string) => String(request.params[name] ?? '')
    const write: Write | undefined = response.locals.write
    const before = write && fingerprint(graph.directory)
    const reply = handle({ caller, request, body: request.body, param })
    if (write) write.changed = fingerprint(graph.directory) !== before
    send(graph, response, reply)
  }
}

/** Notes every call that could write; its status follows. */
export function keepJournal({ journal }: Graph): RequestHandler {
  return ({ method, originalUrl }, response, next) => {
    const path = decodeURIComponent(originalUrl.replace(/^.*?\/v1\.0/, '').replace(/\?.*$/, ''))
    if (method !== 'GET' && !QUESTION.test(path)) {
      const write: Write = { method, path, status: 0, changed: false }
      journal.writes.push(write)
      response.locals.write = write
    }
    next()
  }
}

function send(graph: Graph, response: Response, reply: Reply): void {
  const late: unknown = response.locals.lateStatus
  if (typeof late === 'number') {
    sendGraphError(response, outage(late), graph.entra.now())
    return
  }
  noteStatus(response, reply.status)
  if (reply.status === 204) {
    response.status(204).end()
    return
  }
  response.status(reply.status).json({ '@odata.context': `${graph.url}/v1.0/$metadata`, ...reply.body })
}

/** A list: filtered, paged, with only the properties asked for. */
export function list(
  graph: Graph,
  { request }: Call,
  items: readonly object[],
  filterable: Filterable,
  resource: string,
): Reply {
  const query = listQuery(request, filterable, resource)
  return ok(page(items, query, graph.settings, addressOf(graph, request)))
}

/** The address of this list as the caller wrote it. */
export const addressOf = ({ url }: Graph, { originalUrl }: Request) =>
  new URL(url + originalUrl.replace(/^.*?(?=\/v1\.0)/, ''))

/** One object, with only the properties asked for. */
export const one = ({ request }: Call, item: object): Reply => ok(selected(item, selectOf(request)))

export const prefersCreation = ({ request }: Call) =>
  (request.get('prefer') ?? '').split(/,\s*/).includes('create-if-missing')
