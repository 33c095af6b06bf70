import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import type { Entra } from './entra/entra.ts'
import { callerOf } from './graph/access.ts'
import { APP_ROLE_ASSIGNMENT_ROUTES } from './graph/app-role-assignments.ts'
import { APPLICATION_ROUTES } from './graph/applications.ts'
import { batch } from './graph/batch.ts'
import { type Graph, routerOf } from './graph/endpoint.ts'
import {
  badRequest,
  GraphError,
  nameRequest,
  outage,
  sendGraphError,
  unknownSegment,
} from './graph/errors.ts'
import { FEDERATED_CREDENTIAL_ROUTES, oneCredentialWriteAtATime } from './graph/federated-credentials.ts'
import { GROUP_ROUTES } from './graph/groups.ts'
import { keepJournal } from './graph/journal.ts'
import { alternateKeys } from './graph/lookup.ts'
import { PASSWORD_ROUTES } from './graph/passwords.ts'
import { ME_ROUTES, PEOPLE_ROUTES } from './graph/people.ts'
import { PERMISSION_GRANT_ROUTES } from './graph/permission-grants.ts'
import type { GraphSettings } from './graph/query.ts'
import { RECYCLE_BIN } from './graph/recycle-bin.ts'
import { Replication } from './graph/replication.ts'
import { SERVICE_PRINCIPAL_ROUTES } from './graph/service-principals.ts'

const ROUTES = {
  ...ME_ROUTES,
  ...PEOPLE_ROUTES,
  ...APPLICATION_ROUTES,
  ...PASSWORD_ROUTES,
  ...FEDERATED_CREDENTIAL_ROUTES,
  ...SERVICE_PRINCIPAL_ROUTES,
  ...APP_ROLE_ASSIGNMENT_ROUTES,
  ...GROUP_ROUTES,
  ...PERMISSION_GRANT_ROUTES,
  ...RECYCLE_BIN,
}

export type { GraphSettings } from './graph/query.ts'

/** What the endpoints share; `url` is the base URL without a version. */
export function graphOf(entra: Entra, url: string, settings: GraphSettings): Graph {
  const replication = new Replication(entra.now)
  return { entra, directory: entra.directory, url, settings, replication, journal: [] }
}

/** Microsoft Graph over the tenant's directory: what the server asks, and what deploys and cleans up. */
export function graphRoutes(graph: Graph): Router {
  const { entra } = graph
  const v1 = Router()
  v1.use(keepJournal(graph.journal), alternateKeys, oneCredentialWriteAtATime(graph), meetFaults(entra))
  v1.use(express.json({ limit: '4mb' }))
  v1.post('/$batch', batch(graph, new URL(graph.url).pathname))
  v1.use(routerOf(graph, ROUTES))
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
    const isUnreadable = error instanceof SyntaxError
    const refusal = isUnreadable ? badRequest('Unable to read JSON request payload.') : error
    const known = refusal instanceof GraphError ? refusal : undefined
    // Ours, not the caller's: an emulator that hides its own faults cannot be trusted.
    if (!known) console.error(error)
    sendGraphError(response, known ?? outage(500), now())
  }
}
