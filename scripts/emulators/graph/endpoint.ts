import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Directory } from '../directory.ts'
import type { Entra } from '../entra/entra.ts'
import type { Replicas } from '../interventions.ts'
import { type Caller, callerOf } from './access.ts'
import { outage, sendGraphError } from './errors.ts'
import type { Filterable } from './filter.ts'
import { type GraphSettings, listQuery, page, selected, selectOf } from './query.ts'

/** What every endpoint of Graph works with. */
export interface Graph {
  readonly entra: Entra
  readonly directory: Directory
  /** Base URL, without a version. */
  readonly url: string
  readonly settings: GraphSettings
  readonly replication: Replicas
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
  return async (request, response) => {
    const caller = await callerOf(graph.entra, request.get('authorization'))
    const param = (name: string) => String(request.params[name] ?? '')
    const call = { ...graph, caller, request, body: request.body, param }
    send(
      graph,
      response,
      graph.entra.interventions.around(response, () => handle(call)),
    )
  }
}

function send({ entra, url }: Graph, response: Response, reply: Reply): void {
  const late: unknown = response.locals.lateStatus
  if (typeof late === 'number') {
    sendGraphError(response, outage(late), entra.now())
    return
  }
  response.status(reply.status)
  if (reply.status === 204) response.end()
  else response.json({ '@odata.context': `${url}/v1.0/$metadata`, ...reply.body })
}

/** A list: filtered, paged, with only the properties asked for. */
export function list(call: Call, items: readonly object[], filterable: Filterable, resource: string): Reply {
  return ok(page(items, listQuery(call.request, filterable, resource), call.settings, addressOf(call)))
}

/** The address of this list as the caller wrote it. */
export const addressOf = ({ url, request }: Call) =>
  new URL(url + request.originalUrl.replace(/^.*?(?=\/v1\.0)/, ''))

/** One object, with only the properties asked for. */
export const one = ({ request }: Call, item: object): Reply => ok(selected(item, selectOf(request)))

export const prefersCreation = ({ request }: Call) =>
  (request.get('prefer') ?? '').split(/,\s*/).includes('create-if-missing')

/** The tenant's clock, as Graph writes it. */
export const timestamp = ({ entra }: Graph) => new Date(entra.now()).toISOString()
