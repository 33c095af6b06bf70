/** Reads the live objects. What can be asked for at once travels in one `$batch`, and nothing is ever written. */
import { z } from 'zod'
import { Unknown } from '../bicep/value.ts'
import type { Directory } from '../graph/directory.ts'
import { DirectoryError } from '../graph/directory-error.ts'
import {
  accessLists,
  type LiveProperties,
  type Lookup,
  lookupOf,
  relationshipLookups,
  surroundingLists,
} from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import type { WantedProperties } from './open.ts'
import { MissingRight, missingRights } from './rights.ts'
import { isOurs, propertiesOf, type WantedObject } from './wanted.ts'

const Live = z.record(z.string(), z.json())

/** Every path is read once. */
export class Reader {
  readonly #directory: Pick<Directory, 'get' | 'list'>
  readonly #lists = new Map<string, Promise<LiveProperties[]>>()

  constructor(directory: Pick<Directory, 'get' | 'list'>) {
    this.#directory = directory
  }

  get(path: string): Promise<LiveProperties | undefined> {
    return named(path, this.#directory.get(path, Live))
  }

  list(path: string): Promise<LiveProperties[]> {
    const known = this.#lists.get(path)
    if (known) return known
    const fresh = named(path, this.#directory.list(path, Live))
    this.#lists.set(path, fresh)
    return fresh
  }

  /** How many federated credentials the app of this one has; they have been read already. */
  async countBeside(one: WantedObject, wanted: WantedProperties): Promise<number> {
    if (one.type !== 'applications/federatedIdentityCredentials') return 0
    const path = lookupOf(one, wanted)?.path
    return path === undefined ? 0 : (await this.list(path)).length
  }
}

async function named<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof DirectoryError && error.isForbidden) throw new MissingRight(path)
    throw error
  }
}

/** All of them, or one Problem that names every missing right. */
export async function together(readings: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(readings)
  const failed = settled.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : []))
  const missing = failed.filter((error) => error instanceof MissingRight)
  if (missing.length > 0) throw missingRights(missing)
  if (failed.length > 0) throw failed[0]
}

const idOf = ({ id }: LiveProperties) => (typeof id === 'string' ? [id] : [])

async function readOne(reader: Reader, knowledge: Knowledge, one: WantedObject, { path, pick }: Lookup) {
  const relationships = relationshipLookups(one.type, propertiesOf(one, knowledge))
  const surroundings = isOurs(one) && !pick ? surroundingLists(one.type, path) : []
  const access = async (object: LiveProperties | undefined) => {
    const [id] = object && isOurs(one) && one.type === 'servicePrincipals' ? idOf(object) : []
    if (id !== undefined) await readLists(reader, knowledge, one.key, accessLists(id))
    return object
  }
  const [object, related] = await Promise.all([
    pick ? reader.list(path).then((all) => all.find(pick)) : reader.get(path).then(access),
    Promise.all(relationships.map(([, list]) => reader.list(list))),
    readLists(reader, knowledge, one.key, surroundings),
  ])
  for (const [index, [name]] of relationships.entries()) {
    const list = related[index] ?? []
    for (const item of list) knowledge.name(item)
    if (object) object[name] = list.flatMap(idOf)
  }
  return object
}

const readLists = (
  reader: Reader,
  knowledge: Knowledge,
  key: string,
  lists: [name: string, path: string][],
) => together(lists.map(async ([name, path]) => knowledge.setAround(key, name, await reader.list(path))))

/**
 * Reads object after object as their keys become known: apps first, then the principals that their ids lead to, then
 * what hangs on those. `others`: readings that go along with the first round.
 */
export async function readLive(
  reader: Reader,
  objects: readonly WantedObject[],
  knowledge: Knowledge,
  others: readonly (() => Promise<unknown>)[],
): Promise<void> {
  let first = others.map((read) => read())
  const left = new Set(objects)
  for (;;) {
    const due = [...left].flatMap((one) => {
      const lookup = lookupOf(one, propertiesOf(one, knowledge))
      return lookup ? [{ one, lookup }] : []
    })
    if (due.length === 0 && first.length === 0) break
    const found = new Map<string, LiveProperties | undefined>()
    const readings = due.map(async ({ one, lookup }) => {
      found.set(one.key, await readOne(reader, knowledge, one, lookup))
    })
    await together([...first, ...readings])
    first = []
    for (const { one } of due) {
      left.delete(one)
      knowledge.set(one.key, found.get(one.key))
    }
  }
  settle([...left], knowledge)
}

/** What hangs on an object that is not there is not there either. */
function settle(left: WantedObject[], knowledge: Knowledge): void {
  for (let count = -1; count !== left.length; ) {
    count = left.length
    for (const one of [...left]) {
      if (!hasFreshKey(one, knowledge)) continue
      knowledge.set(one.key, undefined)
      left.splice(left.indexOf(one), 1)
    }
  }
}

const KEYS = ['appId', 'resourceId', 'principalId', 'clientId', 'uniqueName', 'name']

function hasFreshKey(one: WantedObject, knowledge: Knowledge): boolean {
  const properties = propertiesOf(one, knowledge)
  return KEYS.some((name) => {
    const value = properties[name]
    return value instanceof Unknown && value.isNew
  })
}
