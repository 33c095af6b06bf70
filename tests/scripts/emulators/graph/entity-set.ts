import type { z } from 'zod'
import type { Filterable } from '../../../../scripts/emulators/graph/filter.ts'
import type { Subject } from './body.ts'
import { type Call, timestamp } from './endpoint.ts'
import { requestError, takenValue } from './errors.ts'
import { keyOf, mustFind, remove } from './lookup.ts'
import type { Attachments, Deleted, ManagedDirectory } from './managed-directory.ts'
import type { ObjectKind } from './relationships.ts'
import type { Objects } from './replication.ts'
import { demandReading, demandRight, type RightName } from './rights.ts'

export type SetKind = 'application' | 'servicePrincipal' | 'group'

/** What Graph knows of one kind of object that is created, changed, owned, deleted and restored. */
export interface EntitySet<K extends SetKind, Creation, Patch> extends Subject {
  kind: K
  /** The segment of its path. */
  name: string
  /** The alternate key: finds an object, and with `Prefer: create-if-missing` creates it. */
  key: 'uniqueName' | 'appId'
  creation: z.ZodType<Creation>
  patch: z.ZodType<Patch>
  filters: Filterable
  /** Whose rights count; undefined where they depend on what is created. */
  rights: { read: 'applications' | 'groups'; create: RightName | undefined; change: RightName }
  /** What may be related. */
  relationships: { members?: readonly ObjectKind[]; owners: readonly ObjectKind[] }
  all: (directory: ManagedDirectory) => Objects[K][]
  deleted: (directory: ManagedDirectory) => Deleted<Objects[K]>[]
  view: (object: Objects[K], directory: ManagedDirectory) => object
  /** Both throw the refusals of Graph; nothing has been changed yet. */
  create: (call: Call, creation: Creation) => Objects[K]
  change: (call: Call, object: Objects[K], patch: Patch) => Partial<Objects[K]>
  /** What else goes with it, and what keeps it from coming back. */
  onDeletion?: (call: Call, object: Objects[K]) => void
  checkRestored?: (directory: ManagedDirectory, object: Objects[K]) => void
}

type Read<K extends SetKind> = Pick<EntitySet<K, never, never>, 'kind' | 'all' | 'rights'>

/** The object that a path names by id or alternate key. Throws Graph's 404. */
export const named = <K extends SetKind>(call: Call, { kind, all }: Read<K>): Objects[K] =>
  mustFind(call, kind, all(call.directory), keyOf(call.param('key')))

/** The same, for somebody who may at least read it. */
export function readable<K extends SetKind>(call: Call, set: Read<K>): Objects[K] {
  demandReading(call, set.rights.read)
  return named(call, set)
}

/** The same, for somebody who may change it. */
export function writable<K extends SetKind>(call: Call, set: Read<K>): Objects[K] {
  const object = named(call, set)
  demandRight(call, set.rights.change, object.owners)
  return object
}

/** What every new object has. */
export const born = (call: Call) => ({ createdDateTime: timestamp(call), owners: [call.caller.id] })

interface Named {
  id: string
  uniqueName: string | null
}

/** A unique name cannot change, and stays taken in the recycle bin. */
export function checkUniqueName(
  wanted: string | undefined,
  before: Named | undefined,
  others: readonly Named[],
): void {
  if (wanted === undefined || before?.uniqueName === wanted) return
  if (before && before.uniqueName !== null)
    throw requestError("Property 'uniqueName' is immutable and cannot be changed once it is set.")
  if (others.some(({ uniqueName }) => uniqueName === wanted)) throw takenValue('uniqueName')
}

/** What a deletion needs to know. */
type Binned<K extends SetKind> = Pick<EntitySet<K, never, never>, 'kind' | 'all' | 'deleted' | 'onDeletion'>

/** Into the recycle bin, with the grants and assignments that hang on it. The unique name stays taken. */
export function discard<K extends SetKind>(call: Call, set: Binned<K>, object: Objects[K]): void {
  const { directory } = call
  remove(set.all(directory), object)
  const lid: Deleted<object> = { ...detach(directory, object.id), deletedDateTime: timestamp(call) }
  set.deleted(directory).push({ ...object, ...lid })
  set.onDeletion?.(call, object)
}

function detach({ oauth2PermissionGrants, appRoleAssignments }: ManagedDirectory, id: string): Attachments {
  const grants = oauth2PermissionGrants.filter((one) => [one.clientId, one.resourceId].includes(id))
  const assignments = appRoleAssignments.filter((one) => [one.principalId, one.resourceId].includes(id))
  for (const grant of grants) remove(oauth2PermissionGrants, grant)
  for (const assignment of assignments) remove(appRoleAssignments, assignment)
  return { oauth2PermissionGrants: grants, appRoleAssignments: assignments }
}
