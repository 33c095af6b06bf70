import { randomUUID } from 'node:crypto'
import { Router } from 'express'
import type { Application } from '../directory-objects.ts'
import { blankApplication } from '../microsoft-apps.ts'
import { applicationOf, ownApplicationOf } from './application-of.ts'
import { checkApplication } from './application-rules.ts'
import {
  APPLICATION,
  APPLICATION_FILTERS,
  ApplicationPatch,
  applicationView,
  patched,
} from './application-schema.ts'
import { parseBody } from './body.ts'
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
import { notFound, requestError } from './errors.ts'
import { federatedCredentialRoutes } from './federated-credentials.ts'
import { keyOf } from './keys.ts'
import { indexed, mustFind } from './lookup.ts'
import { passwordRoutes } from './passwords.ts'
import { deleteApplication } from './recycle-bin.ts'
import { relationshipRoutes } from './relationships.ts'
import { demandReading, demandRight } from './rights.ts'

function create(graph: Graph, { caller, body }: Call, key: { uniqueName?: string } = {}): Reply {
  demandRight(graph.directory, caller, 'createApplication')
  const { directory } = graph
  const patch = { ...parseBody(ApplicationPatch, body, APPLICATION), ...key }
  if (patch.displayName === undefined)
    throw requestError("A value is required for property 'displayName' of resource 'Application'.")
  const blank = blankApplication(randomUUID(), randomUUID(), patch.displayName)
  const app = {
    ...patched(blank, patch),
    createdDateTime: new Date(graph.entra.now()).toISOString(),
    owners: [caller.id],
  }
  checkApplication({ directory, tenantId: graph.entra.tenantId, before: undefined, after: app, patch })
  directory.applications.push(app)
  graph.replication.created('application', app.id)
  return created(applicationView(app))
}

function change(graph: Graph, call: Call, app: Application): Reply {
  const { directory, replication } = graph
  demandRight(directory, call.caller, 'changeApplication', app.owners)
  const patch = parseBody(ApplicationPatch, call.body, APPLICATION)
  const after = patched(app, patch)
  checkApplication({ directory, tenantId: graph.entra.tenantId, before: app, after, patch })
  replication.changed('application', structuredClone(app))
  Object.assign(app, after)
  return done
}

/** PATCH, and with `Prefer: create-if-missing` also the creation under a unique name. */
function upsert(graph: Graph, call: Call): Reply {
  const key = keyOf(call.param('key'))
  const { applications } = graph.directory
  if (!prefersCreation(call)) return change(graph, call, mustFind(graph, 'application', applications, key))
  // A unique name is looked up in its index, which is not replicated late.
  const app = indexed(applications, key)
  if (app) return change(graph, call, app)
  if (key.property !== 'uniqueName') throw notFound(key.value)
  return create(graph, call, { uniqueName: key.value })
}

/** /applications and what hangs on one. */
export function applicationRoutes(graph: Graph): Router {
  const { directory, replication } = graph
  const isApplication = (item: object): item is Application => 'identifierUris' in item
  const router = Router()
  router
    .route('/applications')
    .get(
      endpoint(graph, (call) => {
        demandReading(call.caller, 'applications')
        const listed = replication.listed('application', directory.applications, isApplication)
        return list(graph, call, listed.map(applicationView), APPLICATION_FILTERS, 'Application')
      }),
    )
    .post(endpoint(graph, (call) => create(graph, call)))
  router
    .route('/applications/:key')
    .get(endpoint(graph, (call) => one(call, applicationView(applicationOf(graph, call)))))
    .patch(endpoint(graph, (call) => upsert(graph, call)))
    .delete(
      endpoint(graph, (call) => {
        deleteApplication(graph, ownApplicationOf(graph, call))
        return done
      }),
    )
  const owners = {
    read: (call: Call) => applicationOf(graph, call),
    write: (call: Call) => ownApplicationOf(graph, call),
    kinds: ['user', 'servicePrincipal'] as const,
  }
  router.use(passwordRoutes(graph), federatedCredentialRoutes(graph))
  router.use(relationshipRoutes(graph, '/applications/:key', 'owners', owners))
  return router
}
