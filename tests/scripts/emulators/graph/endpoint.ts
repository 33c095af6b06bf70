import { type Request, type RequestHandler, type Response, Router } from 'express'
import { type Caller, callerOf } from '../../../../scripts/emulators/graph/access.ts'
import * as server from '../../../../scripts/emulators/graph/endpoint.ts'
import { outage, sendGraphError } from '../../../../scripts/emulators/graph/errors.ts'
import type { Filterable } from '../../../../scripts/emulators/graph/filter.ts'
import * as query from '../../../../scripts/emulators/graph/query.ts'
import { noting } from './journal.ts'
import type { ManagedDirectory } from './managed-directory.ts'
import type { Replication } from './replication.ts'

/** What every endpoint for those who manage the directory works with. */
export interface Graph extends server.Graph {
  readonly directory: ManagedDirectory
  readonly replication: Replication
}

export interface Call extends Graph {
  readonly caller: Caller
  readonly request: Request
  readonly body: unknown
  /** A parameter of the route. */
  readonly param: (name: string) => string
}

/** The body of a 200; 201 and 204 say so. */
export type Reply = { status: 200 | 201; body: object } | { status: 204 }

export const ok = (body: object): Reply => ({ status: 200, body })
export const created = (body: object): Reply => ({ status: 201, body })
export const done: Reply = { status: 204 }

const METHODS = ['get', 'post', 'patch', 'delete'] as const

/** What is answered to which method, by path. Handlers are synchronous: a write is one step. */
export type Routes = Readonly<Record<string, { [M in (typeof METHODS)[number]]?: (call: Call) => Reply }>>

export function routerOf(graph: Graph, routes: Routes): Router {
  const router = Router()
  for (const [path, handlers] of Object.entries(routes))
    for (const method of METHODS) {
      const handle = handlers[method]
      if (handle) router[method](path, endpoint(graph, handle))
    }
  return router
}

/** Authenticates, lets the handler work and sends the answer. */
function endpoint(graph: Graph, handle: (call: Call) => Reply): RequestHandler {
  const { directory, entra, replication } = graph
  return async (request, response) => {
    const caller = await callerOf(entra, request.get('authorization'))
    const param = (name: string) => String(request.params[name] ?? '')
    const call = { ...graph, caller, request, body: request.body, param }
    const work = () => replication.around(directory, () => handle(call))
    send(graph, response, noting(response, directory, work))
  }
}

function send(graph: Graph, response: Response, reply: Reply): void {
  const late: unknown = response.locals.lateStatus
  if (typeof late === 'number') {
    sendGraphError(response, outage(late), graph.entra.now())
    return
  }
  response.status(reply.status)
  if (reply.status === 204) response.end()
  else response.json(server.withContext(graph, reply.body))
}

/** A list: filtered, paged, with only the properties asked for. */
export function list(call: Call, items: readonly object[], filterable: Filterable, resource: string): Reply {
  const asked = query.listQuery(call.request, filterable, resource)
  return ok(query.page(items, asked, call.settings, server.addressOf(call)))
}

/** One object, with only the properties asked for. */
export const one = ({ request }: Call, item: object): Reply => ok(query.one(item, request))

export const prefersCreation = ({ request }: Call) =>
  (request.get('prefer') ?? '').split(/,\s*/).includes('create-if-missing')

/** The tenant's clock, as Graph writes it. */
export const timestamp = ({ entra }: server.Graph) => new Date(entra.now()).toISOString()
