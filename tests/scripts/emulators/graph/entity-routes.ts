import { parseBody } from './body.ts'
import { type Call, created, done, list, one, prefersCreation, type Reply, type Routes } from './endpoint.ts'
import { discard, type EntitySet, named, readable, type SetKind, writable } from './entity-set.ts'
import { notFound } from './errors.ts'
import { indexed, keyOf } from './lookup.ts'
import { relationshipRoutes } from './relationships.ts'
import type { Objects } from './replication.ts'
import { demandReading, demandRight } from './rights.ts'

/** List, creation, one object, PATCH as change or upsert, deletion, and its relationships. */
export function entityRoutes<K extends SetKind, C, P>(set: EntitySet<K, C, P>): Routes {
  const path = `/${set.name}/:key`
  const access = {
    readable: (call: Call) => readable(call, set),
    writable: (call: Call) => writable(call, set),
  }
  const { members, owners } = set.relationships
  return {
    [`/${set.name}`]: {
      get: (call) => {
        demandReading(call, set.rights.read)
        const listed = call.replication.listed(set.kind, set.all(call.directory))
        const views = listed.map((object) => set.view(object, call.directory))
        return list(call, views, set.filters, set.resource)
      },
      post: (call) => create(set, call),
    },
    [path]: {
      get: (call) => one(call, set.view(readable(call, set), call.directory)),
      patch: (call) => upsert(set, call),
      delete: (call) => {
        discard(call, set, writable(call, set))
        return done
      },
    },
    ...(members ? relationshipRoutes(path, 'members', { kinds: members, ...access }) : {}),
    ...relationshipRoutes(path, 'owners', { kinds: owners, ...access }),
  }
}

function create<K extends SetKind, C, P>(
  set: EntitySet<K, C, P>,
  call: Call,
  key: Record<string, string> = {},
): Reply {
  if (set.rights.create) demandRight(call, set.rights.create)
  const object = set.create(call, parseBody(set.creation, call.body, set, key))
  set.all(call.directory).push(object)
  return created(set.view(object, call.directory))
}

function change<K extends SetKind, C, P>(set: EntitySet<K, C, P>, call: Call, object: Objects[K]): Reply {
  demandRight(call, set.rights.change, object.owners)
  const after = set.change(call, object, parseBody(set.patch, call.body, set))
  Object.assign(object, after)
  return done
}

/** PATCH, and with `Prefer: create-if-missing` also the creation under an alternate key. */
function upsert<K extends SetKind, C, P>(set: EntitySet<K, C, P>, call: Call): Reply {
  if (!prefersCreation(call)) return change(set, call, named(call, set))
  const { property, value } = keyOf(call.param('key'))
  // An alternate key is looked up in its index, which is not replicated late.
  const object = indexed(set.all(call.directory), { property, value })
  if (object) return change(set, call, object)
  if (property !== set.key) throw notFound(value)
  return create(set, call, { [property]: value })
}
