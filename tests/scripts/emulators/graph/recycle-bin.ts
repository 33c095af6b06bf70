import type { Filterable } from '../../../../scripts/emulators/graph/filter.ts'
import { APPLICATIONS } from './applications.ts'
import { type Call, done, list, ok, one, type Routes } from './endpoint.ts'
import type { EntitySet, SetKind } from './entity-set.ts'
import { notFound } from './errors.ts'
import { GROUPS } from './groups.ts'
import { byId, find, remove } from './lookup.ts'
import type { Deleted } from './managed-directory.ts'
import type { Objects } from './replication.ts'
import { demandBinReading, demandBinRight } from './rights.ts'
import { SERVICE_PRINCIPALS } from './service-principals.ts'

/** One lid for the three kinds of things in the bin. */
interface Binned {
  id: string
  part: 'applications' | 'groups'
  owners: string[]
  view: () => object
  restore: () => object
  purge: () => void
}

interface Bin {
  part: 'applications' | 'groups'
  filters: Filterable
  resource: string
  items: (call: Call) => Binned[]
}

/** The object as it was before it was deleted. */
function original<T extends object>(deleted: Deleted<T>): T {
  const object: Deleted<T> = { ...deleted }
  for (const name of ['deletedDateTime', 'oauth2PermissionGrants', 'appRoleAssignments'])
    Reflect.deleteProperty(object, name)
  return object
}

const binOf = <K extends SetKind, C, P>(set: EntitySet<K, C, P>): Bin => ({
  part: set.rights.read,
  filters: set.filters,
  resource: set.resource,
  items: ({ directory }) =>
    set.deleted(directory).map((deleted) => {
      const object: Objects[K] = original(deleted)
      const { oauth2PermissionGrants = [], appRoleAssignments = [], deletedDateTime } = deleted
      const type = { '@odata.type': `#microsoft.graph.${set.kind}` }
      const purge = () => remove(set.deleted(directory), deleted)
      return {
        id: deleted.id,
        part: set.rights.read,
        owners: deleted.owners ?? [],
        view: () => ({ ...type, ...set.view(object, directory), deletedDateTime }),
        restore: () => {
          set.checkRestored?.(directory, object)
          purge()
          set.all(directory).push(object)
          directory.oauth2PermissionGrants.push(...oauth2PermissionGrants)
          directory.appRoleAssignments.push(...appRoleAssignments)
          return set.view(object, directory)
        },
        purge,
      }
    }),
})

const BINS: Readonly<Record<string, Bin>> = {
  'microsoft.graph.application': binOf(APPLICATIONS),
  'microsoft.graph.servicePrincipal': binOf(SERVICE_PRINCIPALS),
  'microsoft.graph.group': binOf(GROUPS),
}

function found(call: Call): Binned {
  const id = call.param('id')
  const all = Object.values(BINS).flatMap(({ items }) => items(call))
  const binned = find(call, 'deletedItem', all, byId(id))
  if (!binned) throw notFound(id)
  demandBinReading(call, binned.part)
  return binned
}

function mine(call: Call): Binned {
  const binned = found(call)
  demandBinRight(call, binned.part, binned.owners)
  return binned
}

function listOf(call: Call, kind: string) {
  const bin = BINS[kind]
  if (!bin) throw notFound(kind)
  demandBinReading(call, bin.part)
  const visible = bin.items(call).filter(({ id }) => !call.replication.isHidden('deletedItem', id))
  const views = visible.map(({ view }) => view())
  return list(call, views, bin.filters, bin.resource)
}

/** /directory/deletedItems: thirty days in which a name stays taken. */
export const RECYCLE_BIN: Routes = {
  '/directory/deletedItems/:id': {
    get: (call) => {
      const id = call.param('id')
      return id.startsWith('microsoft.graph.') ? listOf(call, id) : one(call, found(call).view())
    },
    delete: (call) => {
      mine(call).purge()
      return done
    },
  },
  '/directory/deletedItems/:id/restore': { post: (call) => ok(mine(call).restore()) },
}
