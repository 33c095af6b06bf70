import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import type { Entra } from './entra/entra.ts'
import { callerOf } from './graph/access.ts'
import { applicationRoutes } from './graph/applications.ts'
import { batch } from './graph/batch.ts'
import { oneCredentialWriteAtATime } from './graph/credential-lock.ts'
import { deletedItemRoutes } from './graph/deleted-items.ts'
import { type Graph, keepJournal } from './graph/endpoint.ts'
import {
  badRequest,
  GraphError,
  nameRequest,
  outage,
  sendGraphError,
  unknownSegment,
} from './graph/errors.ts'
import { groupRoutes } from './graph/groups.ts'
import { Journal } from './graph/journal.ts'
import { alternateKeys } from './graph/keys.ts'
import { meRoutes } from './graph/me.ts'
import { peopleRoutes } from './graph/people.ts'
import { permissionGrantRoutes } from './graph/permission-grants.ts'
import type { GraphSettings } from './graph/query.ts'
import { Replication } from './graph/replication.ts'
import { servicePrincipalRoutes } from './graph/service-principals.ts'

export type { GraphSettings } from './graph/query.ts'

/** What the endpoints share; `url` is the base URL without a version. */
export function graphOf(entra: Entra, url: string, settings: GraphSettings): Graph {
  return {
    entra,
    directory: entra.directory,
    url,
    settings,
    replication: new Replication(entra.now),
    journal: new Journal(),
  }
}

/** Microsoft Graph over the tenant's directory: what the server asks, and what deploys and cleans up. */
export function graphRoutes(graph: Graph): Router {
  const { entra } = graph
  const v1 = Router()
  v1.use(keepJournal(graph), alternateKeys, oneCredentialWriteAtATime(graph), meetFaults(entra))
  v1.use(express.json({ limit: '4mb' }))
  v1.post('/$batch', batch(graph, new URL(graph.url).pathname))
  v1.use(meRoutes(graph), peopleRoutes(graph), applicationRoutes(graph), servicePrincipalRoutes(graph))
  v1.use(groupRoutes(graph), permissionGrantRoutes(graph), deletedItemRoutes(graph))
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
  router.use(asGraphError(entra))
  return router
}

function meetFaults({ faults, now }: Entra): RequestHandler {
  return async (request, response, next) => {
    const over = await faults.hit('graph', request, response, (status) =>
      sendGraphError(response, outage(status), now()),
    )
    if (!over) next()
  }
}

function asGraphError({ now }: Entra): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const isBody = error instanceof SyntaxError
    const known =
      error instanceof GraphError
        ? error
        : isBody
          ? badRequest('Unable to read JSON request payload.')
          : undefined
    // Ours, not the caller's: a stand-in that hides its own faults cannot be trusted.
    if (!known) console.error(error)
    sendGraphError(response, known ?? outage(500), now())
  }
}
