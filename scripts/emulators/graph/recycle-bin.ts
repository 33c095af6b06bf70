import type { Directory } from '../directory.ts'
import type { Application, Attachments, Group, ServicePrincipal } from '../directory-objects.ts'
import type { Graph } from './endpoint.ts'
import { takenValue } from './errors.ts'
import { remove } from './lookup.ts'

const stamp = ({ entra }: Graph) => ({ deletedDateTime: new Date(entra.now()).toISOString() })

/** Takes the grants and assignments of a principal out of the directory, to lie in the bin with it. */
function detach({ oauth2PermissionGrants, appRoleAssignments }: Directory, id: string): Attachments {
  const grants = oauth2PermissionGrants.filter((one) => [one.clientId, one.resourceId].includes(id))
  const assignments = appRoleAssignments.filter((one) => [one.principalId, one.resourceId].includes(id))
  for (const grant of grants) remove(oauth2PermissionGrants, grant)
  for (const assignment of assignments) remove(appRoleAssignments, assignment)
  return { oauth2PermissionGrants: grants, appRoleAssignments: assignments }
}

function attach(directory: Directory, { oauth2PermissionGrants, appRoleAssignments }: Attachments): void {
  directory.oauth2PermissionGrants.push(...oauth2PermissionGrants)
  directory.appRoleAssignments.push(...appRoleAssignments)
}

/** Into the recycle bin, its service principal with it. The unique name stays taken. */
export function deleteApplication(graph: Graph, app: Application): void {
  const { directory, replication } = graph
  replication.changed('application', structuredClone(app))
  remove(directory.applications, app)
  directory.deletedItems.applications.push({ ...app, ...stamp(graph) })
  replication.created('deletedItem', app.id)
  const principal = directory.servicePrincipal(app.appId)
  if (principal) deleteServicePrincipal(graph, principal)
}

export function deleteServicePrincipal(graph: Graph, principal: ServicePrincipal): void {
  const { directory, replication } = graph
  replication.changed('servicePrincipal', structuredClone(principal))
  remove(directory.servicePrincipals, principal)
  const attachments = detach(directory, principal.id)
  directory.deletedItems.servicePrincipals.push({ ...principal, ...attachments, ...stamp(graph) })
  replication.created('deletedItem', principal.id)
}

export function deleteGroup(graph: Graph, group: Group): void {
  const { directory, replication } = graph
  replication.changed('group', structuredClone(group))
  remove(directory.groups, group)
  const attachments = detach(directory, group.id)
  directory.deletedItems.groups.push({ ...group, ...attachments, ...stamp(graph) })
  replication.created('deletedItem', group.id)
}

export type DeletedApplication = Directory['deletedItems']['applications'][number]
export type DeletedServicePrincipal = Directory['deletedItems']['servicePrincipals'][number]
export type DeletedGroup = Directory['deletedItems']['groups'][number]

/** The app alone: its service principal is restored by itself. */
export function restoreApplication({ directory }: Graph, deleted: DeletedApplication): Application {
  const { deletedDateTime: _, ...app } = deleted
  const uris = directory.applications.flatMap(({ identifierUris }) => identifierUris)
  if (app.identifierUris.some((uri) => uris.includes(uri))) throw takenValue('identifierUris')
  remove(directory.deletedItems.applications, deleted)
  directory.applications.push(app)
  return app
}

export function restoreServicePrincipal({ directory }: Graph, deleted: DeletedServicePrincipal) {
  const { deletedDateTime: _, oauth2PermissionGrants, appRoleAssignments, ...principal } = deleted
  if (directory.servicePrincipal(principal.appId)) throw takenValue('servicePrincipalNames')
  remove(directory.deletedItems.servicePrincipals, deleted)
  directory.servicePrincipals.push(principal)
  attach(directory, { oauth2PermissionGrants, appRoleAssignments })
  return principal
}

export function restoreGroup({ directory }: Graph, deleted: DeletedGroup): Group {
  const { deletedDateTime: _, oauth2PermissionGrants, appRoleAssignments, ...group } = deleted
  remove(directory.deletedItems.groups, deleted)
  directory.groups.push(group)
  attach(directory, { oauth2PermissionGrants, appRoleAssignments })
  return group
}
