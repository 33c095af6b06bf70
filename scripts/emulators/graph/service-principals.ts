import { randomUUID } from 'node:crypto'
import { Router } from 'express'
import type { ServicePrincipal } from '../directory-objects.ts'
import { appRoleAssignmentRoutes } from './app-role-assignments.ts'
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
import { GraphError, notFound, requestError, sameKey } from './errors.ts'
import { keyOf } from './keys.ts'
import { find, indexed, mustFind } from './lookup.ts'
import { deleteServicePrincipal } from './recycle-bin.ts'
import { relationshipRoutes } from './relationships.ts'
import { demandReading, demandRight } from './rights.ts'
import { ownPrincipalOf, principalOf } from './service-principal-of.ts'
import {
  PRINCIPAL_FILTERS,
  PrincipalPatch,
  patchedPrincipal,
  principalView,
  SERVICE_PRINCIPAL,
} from './service-principal-schema.ts'

function create(graph: Graph, { caller }: Call, patch: PrincipalPatch): Reply {
  const { directory, replication } = graph
  const { appId } = patch
  if (appId === undefined)
    throw requestError("A value is required for property 'appId' of resource 'ServicePrincipal'.")
  const key = { property: 'appId', value: appId }
  const app =
    find(graph, 'application', directory.applications, key) ?? indexed(directory.microsoftApplications, key)
  if (!app)
    throw new GraphError(
      400,
      'NoBackingApplicationObject',
      `The appId '${appId}' of the service principal does not reference a valid application object.`,
    )
  const owners = directory.isFirstParty(app.appId) ? [] : app.owners
  demandRight(directory, caller, 'changeApplication', owners)
  if (directory.servicePrincipal(app.appId))
    throw sameKey(
      `The service principal cannot be created, updated, or restored because the service principal name ${app.appId} is already in use.`,
    )
  const blank: ServicePrincipal = {
    id: randomUUID(),
    appId: app.appId,
    displayName: app.displayName,
    servicePrincipalType: 'Application',
    accountEnabled: true,
    appRoleAssignmentRequired: false,
    createdDateTime: new Date(graph.entra.now()).toISOString(),
    owners: [caller.id],
  }
  const principal = patchedPrincipal(blank, patch)
  directory.servicePrincipals.push(principal)
  replication.created('servicePrincipal', principal.id)
  return created(principalView(directory, principal))
}

function change(graph: Graph, call: Call, principal: ServicePrincipal, patch: PrincipalPatch): Reply {
  demandRight(graph.directory, call.caller, 'changeApplication', principal.owners)
  if (patch.appId !== undefined && patch.appId !== principal.appId)
    throw requestError("Property 'appId' is read-only and cannot be set.")
  graph.replication.changed('servicePrincipal', structuredClone(principal))
  Object.assign(principal, patchedPrincipal(principal, patch))
  return done
}

/** PATCH, and with `Prefer: create-if-missing` also the creation by appId. */
function upsert(graph: Graph, call: Call): Reply {
  const { servicePrincipals } = graph.directory
  const key = keyOf(call.param('key'))
  const patch = parseBody(PrincipalPatch, call.body, SERVICE_PRINCIPAL)
  if (!prefersCreation(call))
    return change(graph, call, mustFind(graph, 'servicePrincipal', servicePrincipals, key), patch)
  const principal = indexed(servicePrincipals, key)
  if (principal) return change(graph, call, principal, patch)
  if (key.property !== 'appId') throw notFound(key.value)
  return create(graph, call, { ...patch, appId: key.value })
}

/** /servicePrincipals and what hangs on one. */
export function servicePrincipalRoutes(graph: Graph): Router {
  const { directory, replication } = graph
  const isOne = (item: object): item is ServicePrincipal => 'servicePrincipalType' in item
  const router = Router()
  router
    .route('/servicePrincipals')
    .get(
      endpoint(graph, (call) => {
        demandReading(call.caller, 'applications')
        const listed = replication.listed('servicePrincipal', directory.servicePrincipals, isOne)
        const views = listed.map((principal) => principalView(directory, principal))
        return list(graph, call, views, PRINCIPAL_FILTERS, 'ServicePrincipal')
      }),
    )
    .post(
      endpoint(graph, (call) => create(graph, call, parseBody(PrincipalPatch, call.body, SERVICE_PRINCIPAL))),
    )
  router
    .route('/servicePrincipals/:key')
    .get(endpoint(graph, (call) => one(call, principalView(directory, principalOf(graph, call)))))
    .patch(endpoint(graph, (call) => upsert(graph, call)))
    .delete(
      endpoint(graph, (call) => {
        deleteServicePrincipal(graph, ownPrincipalOf(graph, call))
        return done
      }),
    )
  const owners = {
    read: (call: Call) => principalOf(graph, call),
    write: (call: Call) => ownPrincipalOf(graph, call),
    kinds: ['user', 'servicePrincipal'] as const,
  }
  router.use(appRoleAssignmentRoutes(graph))
  router.use(relationshipRoutes(graph, '/servicePrincipals/:key', 'owners', owners))
  return router
}
