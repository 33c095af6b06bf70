import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { DEFAULT_ACCESS, type Directory } from '../../../../scripts/emulators/directory.ts'
import type { AppRoleAssignment, ServicePrincipal } from '../../../../scripts/emulators/directory-objects.ts'
import type { Filterable } from '../../../../scripts/emulators/graph/filter.ts'
import { GRAPH_APP_ID } from '../../../../scripts/emulators/microsoft-apps.ts'
import { parseBody } from './body.ts'
import { type Call, created, done, list, type Reply, type Routes, timestamp } from './endpoint.ts'
import { readable } from './entity-set.ts'
import { requestError } from './errors.ts'
import { byId, mustFind, remove } from './lookup.ts'
import { objectWith, referable } from './relationships.ts'
import { demandReading, demandRight } from './rights.ts'
import { SERVICE_PRINCIPALS } from './service-principals.ts'

const KIND = 'appRoleAssignment'
/** The principal's id is not among them: whoever looks for one reads the list. */
const FILTERS: Filterable = { resourceId: 'eq', principalDisplayName: 'eq' }

const SUBJECT = { resource: 'AppRoleAssignment', readOnly: ['id', 'createdDateTime', 'principalType'] }
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

function assign(call: Call): Reply {
  const { directory } = call
  const resource = readable(call, SERVICE_PRINCIPALS)
  const right = resource.appId === GRAPH_APP_ID ? 'assignGraphRole' : 'assignAppRole'
  demandRight(call, right, right === 'assignAppRole' ? resource.owners : [])
  const wanted = parseBody(Body, call.body, SUBJECT)
  const { principalId, resourceId, appRoleId } = wanted
  // What is not replicated yet cannot be referred to; Graph answers it with a 400, not with a 404.
  const principal = resourceId === resource.id && referable(call, principalId)
  if (!principal) throw requestError('Not a valid reference update.')
  const principalType = TYPES[principal.kind]
  checkRole(directory, resource, appRoleId, principalType)
  const same = (one: AppRoleAssignment) =>
    one.principalId === principalId && one.resourceId === resourceId && one.appRoleId === appRoleId
  if (directory.appRoleAssignments.some(same))
    throw requestError('Permission being assigned already exists on the object')
  const id = randomBytes(32).toString('base64url')
  const assignment = { id, ...wanted, principalType, createdDateTime: timestamp(call) }
  directory.appRoleAssignments.push(assignment)
  return created(view(directory, assignment))
}

function unassign(call: Call): Reply {
  const { directory } = call
  const resource = readable(call, SERVICE_PRINCIPALS)
  demandRight(call, 'assignAppRole', resource.owners)
  const assignments = directory.appRoleAssignments.filter(({ resourceId }) => resourceId === resource.id)
  const assignment = mustFind(call, KIND, assignments, byId(call.param('assignment')))
  remove(directory.appRoleAssignments, assignment)
  return done
}

const listOf = (side: 'resourceId' | 'principalId') => (call: Call) => {
  const { id } = readable(call, SERVICE_PRINCIPALS)
  demandReading(call, 'appRoleAssignments')
  const listed = call.replication.listed(KIND, call.directory.appRoleAssignments)
  const views = listed.filter((one) => one[side] === id).map((one) => view(call.directory, one))
  return list(call, views, FILTERS, SUBJECT.resource)
}

const PATH = '/servicePrincipals/:key/appRoleAssignedTo'

/** Of the resource, and of whoever holds them. */
export const APP_ROLE_ASSIGNMENT_ROUTES: Routes = {
  [PATH]: { get: listOf('resourceId'), post: assign },
  [`${PATH}/:assignment`]: { delete: unassign },
  '/servicePrincipals/:key/appRoleAssignments': { get: listOf('principalId') },
}
