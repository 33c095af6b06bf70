import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import {
  type Application,
  type FederatedIdentityCredential,
  FederatedIdentityProperties,
} from '../../../../scripts/emulators/directory-objects.ts'
import { refuse, sendGraphError } from '../../../../scripts/emulators/graph/errors.ts'
import type { Filterable } from '../../../../scripts/emulators/graph/filter.ts'
import { APPLICATIONS } from './applications.ts'
import { parseBody, said } from './body.ts'
import {
  type Call,
  created,
  done,
  type Graph,
  list,
  one,
  prefersCreation,
  type Reply,
  type Routes,
} from './endpoint.ts'
import { readable, writable } from './entity-set.ts'
import { concurrencyViolation, notFound, requestError, sameKey } from './errors.ts'
import { indexed, keyOf, mustFind, remove } from './lookup.ts'

const KIND = 'federatedIdentityCredential'
const LIMIT = 20
const FILTERS: Filterable = { name: 'eq', subject: 'eq', issuer: 'eq' }
const SUBJECT = { resource: 'FederatedIdentityCredential', readOnly: ['id'] }

const Patch = FederatedIdentityProperties.partial()

function checkUnique(app: Application, candidate: FederatedIdentityCredential): void {
  const { issuer, subject } = candidate
  const others = app.federatedIdentityCredentials.filter(({ id }) => id !== candidate.id)
  if (others.some(({ name }) => name === candidate.name))
    throw sameKey(`FederatedIdentityCredential with name ${candidate.name} already exists.`)
  if (!others.some((one) => one.issuer === issuer && one.subject === subject)) return
  throw refuse`400 InvalidFederatedIdentityCredentialValue: The combination of issuer and subject must be unique for the application. Issuer ${issuer} and Subject: ${subject} already exist. paramName: FederatedIdentityCredential.Subject, paramValue: ${subject}, objectType: Microsoft.Online.DirectoryServices.Application`
}

function create(call: Call, app: Application, key: Record<string, string> = {}): Reply {
  const { description = null, ...wanted } = parseBody(FederatedIdentityProperties, call.body, SUBJECT, key)
  if (app.federatedIdentityCredentials.length >= LIMIT)
    throw refuse`400 InvalidFederatedIdentityCredentialValue: No more than ${LIMIT} federated identity credentials can be added to an application.`
  const credential = { id: randomUUID(), description, ...wanted }
  checkUnique(app, credential)
  app.federatedIdentityCredentials.push(credential)
  return created(credential)
}

function change(call: Call, app: Application, credential: FederatedIdentityCredential): Reply {
  const patch = parseBody(Patch, call.body, SUBJECT)
  if (patch.name !== undefined && patch.name !== credential.name)
    throw requestError("Property 'name' is read-only and cannot be set.")
  const after = { ...credential, ...said(patch) }
  checkUnique(app, after)
  Object.assign(credential, after)
  return done
}

function upsert(call: Call): Reply {
  const app = writable(call, APPLICATIONS)
  if (!prefersCreation(call)) return change(call, app, found(call, app))
  const key = namedBy(call.param('credential'), app)
  const credential = indexed(app.federatedIdentityCredentials, key)
  if (credential) return change(call, app, credential)
  if (key.property !== 'name') throw notFound(key.value)
  return create(call, app, { name: key.value })
}

/** By id or by name, as the path says it. */
const namedBy = (segment: string, { federatedIdentityCredentials: all }: Application) => {
  const key = keyOf(segment)
  return key.property === 'id' && !indexed(all, key) ? { property: 'name', value: segment } : key
}

const found = (call: Call, app: Application) =>
  mustFind(call, KIND, app.federatedIdentityCredentials, namedBy(call.param('credential'), app))

const PATH = '/applications/:key/federatedIdentityCredentials'

export const FEDERATED_CREDENTIAL_ROUTES: Routes = {
  [PATH]: {
    get: (call) => {
      const { federatedIdentityCredentials } = readable(call, APPLICATIONS)
      const listed = call.replication.listed(KIND, federatedIdentityCredentials)
      return list(call, listed, FILTERS, SUBJECT.resource)
    },
    post: (call) => create(call, writable(call, APPLICATIONS)),
  },
  [`${PATH}/:credential`]: {
    get: (call) => one(call, found(call, readable(call, APPLICATIONS))),
    patch: upsert,
    delete: (call) => {
      const app = writable(call, APPLICATIONS)
      const credential = found(call, app)
      remove(app.federatedIdentityCredentials, credential)
      return done
    },
  },
}

const WRITTEN = /\/applications\/([^/]+)\/federatedIdentityCredentials/

/**
 * Two writes to the credentials of one app must not be under way at once. A write counts from its arrival to its
 * answer, so this stands before everything that may take time.
 */
export function oneCredentialWriteAtATime({ directory, entra }: Graph): RequestHandler {
  const busy = new Set<string>()
  return (request, response, next) => {
    const [, segment] = request.method === 'GET' ? [] : (WRITTEN.exec(request.path) ?? [])
    if (segment === undefined) return next()
    const app = indexed(directory.applications, keyOf(decodeURIComponent(segment)))?.id ?? segment
    if (busy.has(app)) return sendGraphError(response, concurrencyViolation(), entra.now())
    busy.add(app)
    const free = () => busy.delete(app)
    response.once('finish', free).once('close', free)
    next()
  }
}
