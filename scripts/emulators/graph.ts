import express, { type Response, Router } from 'express'
import { z } from 'zod'
import { type ApiRefusal, asRefusal, inTrouble } from './api.ts'
import type { Entra } from './entra/entra.ts'
import { callerOf } from './graph/access.ts'
import { APP_ROLE_ASSIGNMENT_ROUTES } from './graph/app-role-assignments.ts'
import { APPLICATION_ROUTES, APPLICATIONS } from './graph/applications.ts'
import { batch } from './graph/batch.ts'
import { parseBody } from './graph/body.ts'
import { done, type Graph, ok, type Routes, routerOf } from './graph/endpoint.ts'
import { writable } from './graph/entity-set.ts'
import {
  badRequest,
  nameRequest,
  outage,
  passwordLifeRefused,
  passwordsRefused,
  requestError,
  sendGraphError,
  unknownSegment,
} from './graph/errors.ts'
import { FEDERATED_CREDENTIAL_ROUTES, oneCredentialWriteAtATime } from './graph/federated-credentials.ts'
import { GROUP_ROUTES } from './graph/groups.ts'
import { alternateKeys, remove } from './graph/lookup.ts'
import { ME_ROUTES, PEOPLE_ROUTES } from './graph/people.ts'
import { PERMISSION_GRANT_ROUTES } from './graph/permission-grants.ts'
import type { GraphSettings } from './graph/query.ts'
import { RECYCLE_BIN } from './graph/recycle-bin.ts'
import { SERVICE_PRINCIPAL_ROUTES } from './graph/service-principals.ts'

const DAY = 24 * 60 * 60 * 1000
const SUBJECT = { resource: 'PasswordCredential', readOnly: ['secretText', 'keyId', 'hint'] }

const Added = z.strictObject({
  passwordCredential: z
    .strictObject({
      displayName: z.string().max(90).nullish(),
      startDateTime: z.iso.datetime().optional(),
      endDateTime: z.iso.datetime().optional(),
    })
    .default({}),
})
const Removed = z.strictObject({ keyId: z.guid() })

/** Source: "Application management policies" in the Graph reference; the codes are those that its clients handle. */
function checkPolicy({ directory, entra }: Graph, start: string | undefined, end: Date): void {
  const { passwordAddition, passwordLifetimeDays } = directory.appManagementPolicy
  if (passwordAddition === 'refused') throw passwordsRefused()
  if (passwordLifetimeDays === null) return
  const life = end.getTime() - (start ? Date.parse(start) : entra.now())
  if (life > passwordLifetimeDays * DAY) throw passwordLifeRefused()
}

/** The only way to a secret: Graph makes it up and shows it once, in this answer. */
const PASSWORD_ROUTES: Routes = {
  '/applications/:key/addPassword': {
    post: (call) => {
      const { directory, entra } = call
      const app = writable(call, APPLICATIONS)
      const { passwordCredential: wanted } = parseBody(Added, call.body, SUBJECT)
      // Two years, when nothing is said.
      const end = wanted.endDateTime ? new Date(wanted.endDateTime) : new Date(entra.now() + 730 * DAY)
      checkPolicy(call, wanted.startDateTime, end)
      const credential = directory.addPassword(app, wanted.displayName ?? '', end)
      return ok({ customKeyIdentifier: null, ...credential })
    },
  },
  '/applications/:key/removePassword': {
    post: (call) => {
      const app = writable(call, APPLICATIONS)
      const { keyId } = parseBody(Removed, call.body, { ...SUBJECT, readOnly: [] })
      const credential = app.passwordCredentials.find((one) => one.keyId === keyId)
      if (!credential) throw requestError(`No password credential found with keyId ${keyId}.`)
      remove(app.passwordCredentials, credential)
      return done
    },
  },
}

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

/** What the endpoints share; `url` is the base URL without a version. */
export function graphOf(entra: Entra, url: string, settings: GraphSettings): Graph {
  return { entra, directory: entra.directory, url, settings, replication: entra.interventions.replicas }
}

/** Microsoft Graph over the tenant's directory: what the server asks, and what deploys and cleans up. */
export function graphRoutes(graph: Graph): Router {
  const { entra } = graph
  const api = {
    name: 'graph',
    send: (response: Response, refusal: ApiRefusal) => sendGraphError(response, refusal, entra.now()),
    outage,
    unreadable: () => badRequest('Unable to read JSON request payload.'),
  } as const
  const v1 = Router()
  v1.use(entra.interventions.watch, alternateKeys, oneCredentialWriteAtATime(graph), inTrouble(entra, api))
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
  router.use(asRefusal(api))
  return router
}
