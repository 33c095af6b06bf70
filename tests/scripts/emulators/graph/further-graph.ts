import express, { type ErrorRequestHandler, Router } from 'express'
import { badRequest } from '../../../../scripts/emulators/graph/errors.ts'
import type { FurtherGraph } from '../../../../scripts/emulators/graph.ts'
import { APP_ROLE_ASSIGNMENT_ROUTES } from './app-role-assignments.ts'
import { APPLICATION_ROUTES } from './applications.ts'
import { batch } from './batch.ts'
import { type Graph, type Routes, routerOf } from './endpoint.ts'
import { FEDERATED_CREDENTIAL_ROUTES, oneCredentialWriteAtATime } from './federated-credentials.ts'
import { GROUP_ROUTES } from './groups.ts'
import { keepJournal, type Write } from './journal.ts'
import { alternateKeys } from './lookup.ts'
import { PASSWORD_ROUTES } from './passwords.ts'
import { PEOPLE_ROUTES } from './people.ts'
import { PERMISSION_GRANT_ROUTES } from './permission-grants.ts'
import { RECYCLE_BIN } from './recycle-bin.ts'
import { SERVICE_PRINCIPAL_ROUTES } from './service-principals.ts'

/** By path: what the server never asks. */
export const ROUTES: Routes = {
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

const unreadable: ErrorRequestHandler = (error: unknown, _request, _response, next) =>
  next(error instanceof SyntaxError ? badRequest('Unable to read JSON request payload.') : error)

/** What deploys and cleans up asks of Graph; every write is noted in the journal. */
export const furtherGraph =
  (more: Pick<Graph, 'directory' | 'replication'>, journal: Write[]): FurtherGraph =>
  (served) => {
    const graph: Graph = { ...served, ...more }
    const routes = Router()
    routes.use(express.json({ limit: '4mb' }))
    routes.post('/$batch', batch(graph, new URL(graph.url).pathname))
    routes.use(routerOf(graph, ROUTES), unreadable)
    return { arriving: [keepJournal(journal), alternateKeys, oneCredentialWriteAtATime(graph)], routes }
  }
