import { randomBytes } from 'node:crypto'
import { Router } from 'express'
import { z } from 'zod'
import { DEFAULT_ACCESS, type Directory } from '../directory.ts'
import type { AppRoleAssignment, ServicePrincipal } from '../directory-objects.ts'
import { GRAPH_APP_ID } from '../microsoft-apps.ts'
import { parseBody } from './body.ts'
import { type Call, created, done, endpoint, type Graph, list, type Reply } from './endpoint.ts'
import { requestError } from './errors.ts'
import type { Filterable } from './filter.ts'
import { byId, find, mustFind, remove } from './lookup.ts'
import { objectWith } from './objects.ts'
import { demandReading, demandRight } from './rights.ts'
import { principalOf } from './service-principal-of.ts'

const KIND = 'appRoleAssignment'
/** The principal's id is not among them: whoever looks for one reads the list. */
const FILTERS: Filterable = { resourceId: ['eq'], principalDisplayName: ['eq', 'startswith'] }

const Body = z.strictObject({ principalId: z.guid(), resourceId: z.guid(), appRoleId: z.guid() })

const TYPES = { user: 'User', group: 'Group', servicePrincipal: 'ServicePrincipal' } as const

function view(directory: Directory, assignment: AppRoleAssignment) {
  const nameOf = (id: string) => objectWith(directory, id)?.object.displayName ?? null
  return {
    ...assignment,
    createdDateTime: assignment.createdDateTime ?? null,
    deletedDateTime: null,
    principalDisplayName: nameOf(assignment.principalId),
    resourceDisplayName: nameOf(assignment.resourceId),
  }
}

/** What is not replicated yet cannot be referred to; Graph answers it with a 400, not with a 404. */
function principalType(graph: Graph, principalId: string): AppRoleAssignment['principalType'] {
  const found = objectWith(graph.directory, principalId)
  const visible =
    found && (found.kind === 'user' || find(graph, found.kind, [found.object], byId(found.object.id)))
  if (!visible) throw requestError('Not a valid reference update.')
  return TYPES[found.kind]
}

function checkRole(directory: Directory, resource: ServicePrincipal, appRoleId: string, type: string): void {
  const roles = directory.application(resource.appId)?.appRoles.filter(({ isEnabled }) => isEnabled) ?? []
  const member = type === 'ServicePrincipal' ? 'Application' : 'User'
  const assignable = roles.filter(({ allowedMemberTypes }) => allowedMemberTypes.includes(member))
  const known =
    appRoleId === DEFAULT_ACCESS
      ? assignable.length === 0 || member === 'Application'
      : assignable.some(({ id }) => id === appRoleId)
  if (!known) throw requestError('Permission being assigned was not found on application.')
}

function assign(graph: Graph, call: Call): Reply {
  const { directory, replication } = graph
  const resource = principalOf(graph, call)
  const right = resource.appId === GRAPH_APP_ID ? 'assignGraphRole' : 'assignAppRole'
  demandRight(directory, call.caller, right, right === 'assignAppRole' ? resource.owners : [])
  const subject = { resource: 'AppRoleAssignment', readOnly: ['id', 'createdDateTime', 'principalType'] }
  const wanted = parseBody(Body, call.body, subject)
  if (wanted.resourceId !== resource.id) throw requestError('Not a valid reference update.')
  const type = principalType(graph, wanted.principalId)
  checkRole(directory, resource, wanted.appRoleId, type)
  const same = (one: AppRoleAssignment) =>
    one.principalId === wanted.principalId &&
    one.resourceId === wanted.resourceId &&
    one.appRoleId === wanted.appRoleId
  if (directory.appRoleAssignments.some(same))
    throw requestError('Permission being assigned already exists on the object')
  const assignment = {
    id: randomBytes(32).toString('base64url'),
    ...wanted,
    principalType: type,
    createdDateTime: new Date(graph.entra.now()).toISOString(),
  }
  directory.appRoleAssignments.push(assignment)
  replication.created(KIND, assignment.id)
  return created(view(directory, assignment))
}

function unassign(graph: Graph, call: Call): Reply {
  const { directory } = graph
  const resource = principalOf(graph, call)
  demandRight(directory, call.caller, 'assignAppRole', resource.owners)
  const assignments = directory.appRoleAssignments.filter(({ resourceId }) => resourceId === resource.id)
  const assignment = mustFind(graph, KIND, assignments, byId(call.param('assignment')))
  graph.replication.changed(KIND, { ...assignment })
  remove(directory.appRoleAssignments, assignment)
  return done
}

/** /servicePrincipals/{id}/appRoleAssignedTo, and appRoleAssignments of whoever holds them. */
export function appRoleAssignmentRoutes(graph: Graph): Router {
  const { directory, replication } = graph
  const isOne = (item: object): item is AppRoleAssignment => 'appRoleId' in item
  const listOf = (side: 'resourceId' | 'principalId') =>
    endpoint(graph, (call) => {
      const { id } = principalOf(graph, call)
      demandReading(call.caller, 'appRoleAssignments')
      const listed = replication.listed(KIND, directory.appRoleAssignments, isOne)
      const views = listed.filter((one) => one[side] === id).map((one) => view(directory, one))
      return list(graph, call, views, FILTERS, 'AppRoleAssignment')
    })
  const path = '/servicePrincipals/:key/appRoleAssignedTo'
  const router = Router()
  router
    .route(path)
    .get(listOf('resourceId'))
    .post(endpoint(graph, (call) => assign(graph, call)))
  router.delete(
    `${path}/:assignment`,
    endpoint(graph, (call) => unassign(graph, call)),
  )
  router.get('/servicePrincipals/:key/appRoleAssignments', listOf('principalId'))
  return router
}
