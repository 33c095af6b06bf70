import { randomUUID } from 'node:crypto'
import { Router } from 'express'
import { z } from 'zod'
import type { Application, FederatedIdentityCredential } from '../directory-objects.ts'
import { applicationOf, ownApplicationOf } from './application-of.ts'
import { nullable, parseBody } from './body.ts'
import {
  type Call,
  created,
  done,
  endpoint,
  type Graph,
  list,
  one,
  prefersCreation,
  type Reply,
} from './endpoint.ts'
import { GraphError, notFound, requestError, sameKey } from './errors.ts'
import type { Filterable } from './filter.ts'
import { keyOf } from './keys.ts'
import { indexed, mustFind, remove } from './lookup.ts'

const KIND = 'federatedIdentityCredential'
const LIMIT = 20
const FILTERS: Filterable = { name: ['eq'], subject: ['eq'], issuer: ['eq'] }
const SUBJECT = { resource: 'FederatedIdentityCredential', readOnly: ['id'] }

const Patch = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(120)
    .regex(/^[\w-]+$/)
    .optional(),
  issuer: z.url().max(600).optional(),
  subject: z.string().min(1).max(600).optional(),
  audiences: z.array(z.string().min(1).max(600)).length(1).optional(),
  description: nullable(z.string().max(600)),
})
type Patch = z.infer<typeof Patch>

const Complete = z.object({
  name: z.string(),
  issuer: z.string(),
  subject: z.string(),
  audiences: z.array(z.string()),
})

function checkUnique(app: Application, candidate: FederatedIdentityCredential): void {
  const { issuer, subject } = candidate
  const others = app.federatedIdentityCredentials.filter(({ id }) => id !== candidate.id)
  if (others.some(({ name }) => name === candidate.name))
    throw sameKey(`FederatedIdentityCredential with name ${candidate.name} already exists.`)
  if (!others.some((one) => one.issuer === issuer && one.subject === subject)) return
  throw new GraphError(
    400,
    'InvalidFederatedIdentityCredentialValue',
    `The combination of issuer and subject must be unique for the application. Issuer ${issuer} and Subject: ${subject} already exist. paramName: FederatedIdentityCredential.Subject, paramValue: ${subject}, objectType: Microsoft.Online.DirectoryServices.Application`,
  )
}

function create(graph: Graph, app: Application, patch: Patch): Reply {
  const complete = Complete.safeParse(patch)
  if (!complete.success)
    throw requestError(
      `A value is required for property '${String(complete.error.issues[0]?.path[0])}' of resource 'FederatedIdentityCredential'.`,
    )
  if (app.federatedIdentityCredentials.length >= LIMIT)
    throw new GraphError(
      400,
      'InvalidFederatedIdentityCredentialValue',
      `No more than ${LIMIT} federated identity credentials can be added to an application.`,
    )
  const credential = { id: randomUUID(), description: patch.description ?? null, ...complete.data }
  checkUnique(app, credential)
  app.federatedIdentityCredentials.push(credential)
  graph.replication.created(KIND, credential.id)
  return created(credential)
}

function change(
  graph: Graph,
  app: Application,
  credential: FederatedIdentityCredential,
  patch: Patch,
): Reply {
  if (patch.name !== undefined && patch.name !== credential.name)
    throw requestError("Property 'name' is read-only and cannot be set.")
  const { description, issuer, subject, audiences } = patch
  const after = {
    ...credential,
    ...(description === undefined ? {} : { description }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(subject === undefined ? {} : { subject }),
    ...(audiences === undefined ? {} : { audiences }),
  }
  checkUnique(app, after)
  graph.replication.changed(KIND, { ...credential })
  Object.assign(credential, after)
  return done
}

function upsert(graph: Graph, call: Call): Reply {
  const app = ownApplicationOf(graph, call)
  const key = namedBy(call.param('credential'), app)
  const patch = parseBody(Patch, call.body, SUBJECT)
  const credentials = app.federatedIdentityCredentials
  if (!prefersCreation(call)) return change(graph, app, mustFind(graph, KIND, credentials, key), patch)
  const credential = indexed(credentials, key)
  if (credential) return change(graph, app, credential, patch)
  if (key.property !== 'name') throw notFound(key.value)
  return create(graph, app, { ...patch, name: key.value })
}

/** By id or by name, as the path says it. */
const namedBy = (segment: string, { federatedIdentityCredentials: all }: Application) => {
  const key = keyOf(segment)
  return key.property === 'id' && !indexed(all, key) ? { property: 'name', value: segment } : key
}

/** /applications/{app}/federatedIdentityCredentials */
export function federatedCredentialRoutes(graph: Graph): Router {
  const path = '/applications/:key/federatedIdentityCredentials'
  const isOne = (item: object): item is FederatedIdentityCredential => 'issuer' in item
  const found = (call: Call, app: Application) =>
    mustFind(graph, KIND, app.federatedIdentityCredentials, namedBy(call.param('credential'), app))
  const router = Router()
  router
    .route(path)
    .get(
      endpoint(graph, (call) => {
        const app = applicationOf(graph, call)
        const listed = graph.replication.listed(KIND, app.federatedIdentityCredentials, isOne)
        return list(graph, call, listed, FILTERS, 'FederatedIdentityCredential')
      }),
    )
    .post(
      endpoint(graph, (call) => {
        const app = ownApplicationOf(graph, call)
        return create(graph, app, parseBody(Patch, call.body, SUBJECT))
      }),
    )
  router
    .route(`${path}/:credential`)
    .get(endpoint(graph, (call) => one(call, found(call, applicationOf(graph, call)))))
    .patch(endpoint(graph, (call) => upsert(graph, call)))
    .delete(
      endpoint(graph, (call) => {
        const app = ownApplicationOf(graph, call)
        const credential = found(call, app)
        graph.replication.changed(KIND, { ...credential })
        remove(app.federatedIdentityCredentials, credential)
        return done
      }),
    )
  return router
}
