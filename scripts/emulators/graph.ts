import { type RequestHandler, type Response, Router } from 'express'
import { type ApiRefusal, asRefusal, inTrouble } from './api.ts'
import { callerOf } from './graph/access.ts'
import { endpoint, type Graph } from './graph/endpoint.ts'
import { nameRequest, outage, sendGraphError, unknownSegment } from './graph/errors.ts'
import { ME } from './graph/me.ts'

/** More of Graph than the server asks for. */
export type FurtherGraph = (graph: Graph) => {
  /** These see every call as it arrives, before anything happens to it. */
  arriving: RequestHandler[]
  /** Answers what it knows and throws an ApiRefusal, which is sent as Graph's; the rest is as without it. */
  routes: RequestHandler
}

/** Microsoft Graph over the tenant's directory: what the server asks. Any other address is an unknown segment. */
export function graphRoutes(graph: Graph, further?: FurtherGraph): Router {
  const { entra } = graph
  const api = {
    name: 'graph',
    send: (response: Response, refusal: ApiRefusal) => sendGraphError(response, refusal, entra.now()),
    outage,
  } as const
  const more = further?.(graph)
  const v1 = Router()
  v1.use(...(more?.arriving ?? []), inTrouble(entra, api))
  if (more) v1.use(more.routes)
  for (const [path, read] of Object.entries(ME)) v1.get(path, endpoint(graph, read))
  const router = Router()
  router.use((request, response, next) => {
    nameRequest(request, response)
    next()
  })
  router.use('/v1.0', v1)
  router.use(async (request) => {
    await callerOf(entra, request.get('authorization'))
    throw unknownSegment(request.path.split('/').at(-1) ?? '')
  })
  router.use(asRefusal(api))
  return router
}
