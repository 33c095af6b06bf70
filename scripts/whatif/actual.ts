/** Reads the actual state. What can be asked for at once travels in one `$batch`, and nothing is ever written. */
import { z } from 'zod'
import { Unknown } from '../bicep/value.ts'
import { Problem } from '../cli/problem.ts'
import type { Directory } from '../graph/directory.ts'
import { isForbidden } from '../graph/directory-error.ts'
import { quoted } from '../graph/graph-objects.ts'
import {
  findLookup,
  type Lists,
  type Lookup,
  listAccess,
  listRelationships,
  listSurroundings,
} from './actual-lookup.ts'
import type { ActualState } from './actual-state.ts'
import { type DesiredObject, isOurs, resolveObject } from './desired.ts'
import { type ActualProperties, GUID, isObject, readList, readProperty } from './properties.ts'

const Actual = z.record(z.string(), z.json())

/** Which right a reading needs, to name the one that is missing. */
const RIGHTS: readonly [path: RegExp, right: string][] = [
  [/^\/oauth2PermissionGrants/, 'DelegatedPermissionGrant.Read.All'],
  [/^\/groups.*\/(members|owners)|^\/groups|\.group/, 'Group.Read.All'],
  [/^\/users/, 'User.Read.All'],
  [/^\/(applications|servicePrincipals|directory)/, 'Application.Read.All'],
]

/** A reading that Graph refused with 403. */
class MissingRight extends Error {
  override name = 'MissingRight'
  readonly right: string

  constructor(path: string) {
    const right = RIGHTS.find(([pattern]) => pattern.test(path))?.[1] ?? 'Directory.Read.All'
    super(`Reading ${path.split('?')[0]} needs ${right}.`)
    this.right = right
  }
}

function missingRights(missing: readonly MissingRight[]): Problem {
  const rights = [...new Set(missing.map(({ right }) => right))].toSorted()
  return new Problem({
    what: `The what-if may not read the directory: ${rights.join(' and ')} ${rights.length > 1 ? 'are' : 'is'} missing.`,
    why: `${missing.map(({ message }) => message).join(' ')} Nothing was changed, and nothing is known.`,
    fix: `Grant ${rights.join(', ')} (read-only; an application permission in a pipeline) to whoever is signed in, or: azd auth login`,
  })
}

/** All of them, or one Problem that names every missing right. */
async function together(readings: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(readings)
  const failed = settled.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
  const missing = failed.filter((error) => error instanceof MissingRight)
  if (missing.length > 0) throw missingRights(missing)
  if (failed.length > 0) throw failed[0]
}

const nameRight = (path: string) => (error: unknown) => {
  throw isForbidden(error) ? new MissingRight(path) : error
}

type Reader = ReturnType<typeof readerOf>

/** Every list is read once. */
function readerOf(directory: Pick<Directory, 'get' | 'list'>) {
  const lists = new Map<string, Promise<ActualProperties[]>>()
  return {
    get: (path: string) => directory.get(path, Actual).catch(nameRight(path)),
    list: (path: string) => {
      const reading = lists.get(path) ?? directory.list(path, Actual).catch(nameRight(path))
      lists.set(path, reading)
      return reading
    },
  }
}

const idOf = ({ id }: ActualProperties) => (typeof id === 'string' ? [id] : [])

async function readObject(reader: Reader, state: ActualState, one: DesiredObject, { path, pick }: Lookup) {
  if (pick) {
    const all = await reader.list(path)
    state.setAround(one.key, 'siblings', all)
    return all.find(pick)
  }
  const readLists = (lists: Lists) =>
    together(lists.map(async ([name, list]) => state.setAround(one.key, name, await reader.list(list))))
  const readAccess = async (object: ActualProperties | undefined) => {
    const [id] = object && isOurs(one) && one.type === 'servicePrincipals' ? idOf(object) : []
    if (id !== undefined) await readLists(listAccess(id))
    return object
  }
  const relationships = listRelationships(one.type, resolveObject(one, state), path)
  const [object] = await Promise.all([
    reader.get(path).then(readAccess),
    readLists([...relationships, ...(isOurs(one) ? listSurroundings(one.type, path) : [])]),
  ])
  const related = relationships.map(([name]) => [name, state.around(one.key, name).flatMap(idOf)])
  return object && { ...object, ...Object.fromEntries(related) }
}

/**
 * Reads object after object as their keys become known: apps first, then the principals that their ids lead to, then
 * what hangs on those. `others`: readings that go along with the first round.
 */
async function readObjects(
  reader: Reader,
  objects: readonly DesiredObject[],
  state: ActualState,
  others: readonly Promise<void>[],
): Promise<void> {
  let first = others
  const left = new Set(objects)
  for (;;) {
    const due = [...left].flatMap((one) => {
      const lookup = findLookup(one, resolveObject(one, state))
      return lookup ? [{ one, lookup }] : []
    })
    if (due.length === 0 && first.length === 0) break
    const readings = due.map(async ({ one, lookup }) => {
      state.set(one.key, await readObject(reader, state, one, lookup))
    })
    await together([...first, ...readings])
    first = []
    for (const { one } of due) left.delete(one)
  }
  settle([...left], state)
}

/** What hangs on an object that is not there is not there either. */
function settle(left: readonly DesiredObject[], state: ActualState): void {
  const gone = left.filter((one) => hasNewKey(one, state))
  const rest = left.filter((one) => !gone.includes(one))
  for (const { key } of gone) state.set(key, undefined)
  if (gone.length > 0) settle(rest, state)
}

const KEYS = ['appId', 'resourceId', 'principalId', 'clientId', 'uniqueName', 'name']

function hasNewKey(one: DesiredObject, state: ActualState): boolean {
  const properties = resolveObject(one, state)
  return KEYS.some((name) => properties[name] instanceof Unknown && properties[name].isNew)
}

/** Service principals that consent and application permissions name, and that nobody declares. */
function findStrangers(objects: readonly DesiredObject[], state: ActualState): string[] {
  const ids = objects.filter(isOurs).flatMap(({ key }) => {
    const grants = ['grantsAsClient', 'grantsAsResource'].flatMap((list) => state.around(key, list))
    const assigned = state.around(key, 'appRoleAssignments')
    return [
      ...grants.flatMap(({ clientId, resourceId }) => [clientId, resourceId]),
      ...assigned.map(({ resourceId }) => resourceId),
    ]
  })
  return [...new Set(ids.filter((id) => typeof id === 'string'))].filter((id) => !state.names.has(id))
}

/** People whom the template names by their ids. */
function findPeople(objects: readonly DesiredObject[], state: ActualState): string[] {
  const ids = objects.filter(isOurs).flatMap((one) => {
    const { members, owners, principalId } = resolveObject(one, state)
    return [
      principalId,
      ...[members, owners].flatMap((list) => readList(readProperty(list, 'relationships'))),
    ]
  })
  return [...new Set(ids.filter((id) => typeof id === 'string'))].filter((id) => GUID.test(id))
}

/** What is read besides the declared objects. */
export interface Surroundings {
  /** Apps and service principals with this environment's tags. */
  apps: ActualProperties[]
  principals: ActualProperties[]
  /** The recycle bin. */
  deleted: ActualProperties[]
  /** What could not be told, in words. */
  notes: string[]
}

/** Fills the state with the declared objects and what hangs on them. Throws a Problem that names the missing rights. */
export async function readActual(
  directory: Pick<Directory, 'get' | 'list'>,
  objects: readonly DesiredObject[],
  state: ActualState,
  tags: readonly string[],
): Promise<Surroundings> {
  const reader = readerOf(directory)
  const around: Surroundings = { apps: [], principals: [], deleted: [], notes: [] }
  const readBin = async (kind: 'application' | 'group') => {
    if (!objects.some(({ type }) => type === `${kind}s`)) return
    const path = `/directory/deletedItems/microsoft.graph.${kind}?$select=id,displayName,uniqueName&$top=999`
    try {
      around.deleted.push(...(await reader.list(path)))
    } catch (error) {
      // Without a directory role the bin is closed: no reason to say nothing of everything else.
      if (!(error instanceof MissingRight)) throw error
      around.notes.push(
        `Whether a deleted ${kind} still has one of the unique names cannot be told: you may not read the recycle bin.`,
      )
    }
  }
  // The rarest tag is the longest one; the others are compared later.
  const tag = tags.toSorted((a, b) => b.length - a.length)[0]
  const readTagged = async (noun: string, select: string, into: ActualProperties[]) => {
    if (tag === undefined) return
    into.push(...(await reader.list(`/${noun}?$filter=tags/any(t:t eq ${quoted(tag)})&$select=${select}`)))
  }
  // For titles alone: who may not read people sees their ids.
  const readPerson = async (id: string) => {
    const found = await reader.get(`/users/${id}?$select=id,displayName`).catch((error: unknown) => {
      if (error instanceof MissingRight) return undefined
      throw error
    })
    if (found) state.name(found)
  }
  await readObjects(reader, objects, state, [
    ...findPeople(objects, state).map(readPerson),
    readBin('application'),
    readBin('group'),
    readTagged('applications', 'id,appId,displayName,uniqueName,tags', around.apps),
    readTagged('servicePrincipals', 'id,appId,displayName,tags', around.principals),
  ])
  await together(
    findStrangers(objects, state).map(async (id) => {
      const found = await reader.get(`/servicePrincipals/${id}?$select=id,appId,displayName,appRoles`)
      if (found) state.name(found)
      if (Array.isArray(found?.appRoles))
        state.setAround(
          `roles/${id}`,
          'appRoles',
          found.appRoles.filter((role) => isObject(role)),
        )
    }),
  )
  return around
}
