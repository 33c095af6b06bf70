import { type Request, Router } from 'express'
import { APPLICATION_FILTERS, applicationView } from './application-schema.ts'
import { type Call, done, endpoint, type Graph, list, ok, one, type Reply } from './endpoint.ts'
import { notFound } from './errors.ts'
import type { Filterable } from './filter.ts'
import { GROUP_FILTERS, groupView } from './group-schema.ts'
import { byId, find, remove } from './lookup.ts'
import {
  type DeletedApplication,
  type DeletedGroup,
  type DeletedServicePrincipal,
  restoreApplication,
  restoreGroup,
  restoreServicePrincipal,
} from './recycle-bin.ts'
import { demandBinReading, demandBinRight } from './rights.ts'
import { PRINCIPAL_FILTERS, principalView } from './service-principal-schema.ts'

/** One lid for the three kinds of things in the bin. */
interface Binned {
  id: string
  part: 'applications' | 'groups'
  owners: string[]
  view: () => object
  restore: () => object
  purge: () => void
}

const typed = (type: string, view: object, deletedDateTime: string) => ({
  '@odata.type': `#microsoft.graph.${type}`,
  ...view,
  deletedDateTime,
})

function ofApplication(graph: Graph, deleted: DeletedApplication): Binned {
  const { deletedDateTime, ...app } = deleted
  return {
    id: deleted.id,
    part: 'applications',
    owners: deleted.owners,
    view: () => typed('application', applicationView(app), deletedDateTime),
    restore: () => applicationView(restoreApplication(graph, deleted)),
    purge: () => remove(graph.directory.deletedItems.applications, deleted),
  }
}

function ofPrincipal(graph: Graph, deleted: DeletedServicePrincipal): Binned {
  const { deletedDateTime, oauth2PermissionGrants: _, appRoleAssignments: __, ...principal } = deleted
  return {
    id: deleted.id,
    part: 'applications',
    owners: deleted.owners ?? [],
    view: () => typed('servicePrincipal', principalView(graph.directory, principal), deletedDateTime),
    restore: () => principalView(graph.directory, restoreServicePrincipal(graph, deleted)),
    purge: () => remove(graph.directory.deletedItems.servicePrincipals, deleted),
  }
}

function ofGroup(graph: Graph, deleted: DeletedGroup): Binned {
  const { deletedDateTime, oauth2PermissionGrants: _, appRoleAssignments: __, ...group } = deleted
  return {
    id: deleted.id,
    part: 'groups',
    owners: deleted.owners,
    view: () => typed('group', groupView(group), deletedDateTime),
    restore: () => groupView(restoreGroup(graph, deleted)),
    purge: () => remove(graph.directory.deletedItems.groups, deleted),
  }
}

const KINDS: Record<string, { filters: Filterable; resource: string; of: (graph: Graph) => Binned[] }> = {
  'microsoft.graph.application': {
    filters: APPLICATION_FILTERS,
    resource: 'Application',
    of: (graph) => graph.directory.deletedItems.applications.map((one) => ofApplication(graph, one)),
  },
  'microsoft.graph.servicePrincipal': {
    filters: PRINCIPAL_FILTERS,
    resource: 'ServicePrincipal',
    of: (graph) => graph.directory.deletedItems.servicePrincipals.map((one) => ofPrincipal(graph, one)),
  },
  'microsoft.graph.group': {
    filters: GROUP_FILTERS,
    resource: 'Group',
    of: (graph) => graph.directory.deletedItems.groups.map((one) => ofGroup(graph, one)),
  },
}

function found(graph: Graph, call: Call): Binned {
  const id = call.param('id')
  const all = Object.values(KINDS).flatMap(({ of }) => of(graph))
  const binned = find(graph, 'deletedItem', all, byId(id))
  if (!binned) throw notFound(id)
  demandBinReading(graph.directory, call.caller, binned.part)
  return binned
}

function mine(graph: Graph, call: Call): Binned {
  const binned = found(graph, call)
  demandBinRight(graph.directory, call.caller, binned.part, binned.owners)
  return binned
}

function binOf(graph: Graph, call: Call, kind: string): Reply {
  const known = KINDS[kind]
  if (!known) throw notFound(kind)
  demandBinReading(graph.directory, call.caller, kind.endsWith('group') ? 'groups' : 'applications')
  const visible = known.of(graph).filter(({ id }) => !graph.replication.isHidden('deletedItem', id))
  return list(
    graph,
    call,
    visible.map(({ view }) => view()),
    known.filters,
    known.resource,
  )
}

const isKind = ({ params }: Request) => String(params.id).startsWith('microsoft.graph.')

/** /directory/deletedItems: thirty days in which a name stays taken. */
export function deletedItemRoutes(graph: Graph): Router {
  const router = Router()
  router
    .route('/directory/deletedItems/:id')
    .get(
      endpoint(graph, (call) =>
        isKind(call.request) ? binOf(graph, call, call.param('id')) : one(call, found(graph, call).view()),
      ),
    )
    .delete(
      endpoint(graph, (call) => {
        mine(graph, call).purge()
        return done
      }),
    )
  router.post(
    '/directory/deletedItems/:id/restore',
    endpoint(graph, (call) => ok(mine(graph, call).restore())),
  )
  return router
}
