/** Every object of this azd environment in the directory, alive or in the recycle bin. */
import { z } from 'zod'
import type { Directory } from '../graph/directory.ts'
import { ifAllowed } from '../graph/directory-error.ts'
import { Application, Deleted, Group, quoted, ServicePrincipal, select } from '../graph/graph-objects.ts'
import { WORDS } from '../whatif/actual-state.ts'
import type { Names } from './names.ts'

export const KINDS = ['servicePrincipal', 'application', 'group'] as const
export type Kind = (typeof KINDS)[number]

export const Belonging = z.object({
  kind: z.enum(KINDS),
  id: z.string(),
  displayName: z.string().nullish(),
  appId: z.string().nullish(),
  uniqueName: z.string().nullish(),
  /** Whether it carries a mark of this environment; a unique name alone somebody else may have given. */
  isMarked: z.boolean(),
})
export type Belonging = z.infer<typeof Belonging>

/** What each type has; Graph refuses to select a property that a type has not. */
const DELETED: Record<Kind, string> = {
  servicePrincipal: 'id,appId,displayName,tags',
  application: 'id,appId,displayName,uniqueName,tags',
  group: 'id,displayName,description,uniqueName',
}

const belonging = (kind: Kind, one: Omit<Belonging, 'kind' | 'isMarked'>, isMarked: boolean) =>
  Belonging.parse({ ...one, kind, isMarked })

/** Both tags: two subscriptions of one tenant may have environments of the same name. */
export const isTagged = ({ tags }: Partial<Pick<Deleted, 'tags'>>, names: Names): boolean =>
  names.tags.every((tag) => tags?.includes(tag))

type Marks = Partial<Pick<Deleted, 'tags' | 'description'>>
/** Both tags; a group, which has none, says in its description whose it is. */
const isMarkedBy = (marks: Marks, names: Names): boolean =>
  isTagged(marks, names) || Boolean(marks.description?.includes(names.token))

/** Those of a collection that have one of these unique names; one that somebody else made is among them. */
export async function findNamed<T>(
  directory: Directory,
  collection: 'applications' | 'groups',
  names: readonly string[],
  shape: z.ZodObject & z.ZodType<T>,
): Promise<T[]> {
  const path = (name: string) => `/${collection}(uniqueName=${quoted(name)})?${select(shape)}`
  const found = await Promise.all(names.map((name) => directory.get(path(name), shape)))
  return found.filter((one) => one !== undefined)
}

export const appsByName = (directory: Directory, { api, client, dev }: Names): Promise<Application[]> =>
  findNamed(directory, 'applications', [api, client, dev], Application)

export const groupsByName = (directory: Directory, { admins, users }: Names): Promise<Group[]> =>
  findNamed(directory, 'groups', [admins, users], Group)

/** Alive: found by unique name or by both tags, never by display name. */
export async function living(directory: Directory, names: Names): Promise<Belonging[]> {
  const tagged = `$filter=tags/any(t:t eq ${quoted(names.tags[1])})`
  const [named, byTag, groups, principalsByTag] = await Promise.all([
    appsByName(directory, names),
    directory.list(`/applications?${tagged}&${select(Application)}`, Application),
    groupsByName(directory, names),
    directory.list(`/servicePrincipals?${tagged}&${select(ServicePrincipal)}`, ServicePrincipal),
  ])
  const apps = unique([...named, ...byTag.filter((app) => isTagged(app, names))])
  const path = (appId: string) => `/servicePrincipals(appId=${quoted(appId)})?${select(ServicePrincipal)}`
  const principals = await Promise.all(apps.map(({ appId }) => directory.get(path(appId), ServicePrincipal)))
  const ours = principalsByTag.filter((principal) => isTagged(principal, names))
  // A service principal is whose its app is.
  const isOurs = (one: ServicePrincipal) =>
    isTagged(one, names) || apps.some((app) => app.appId === one.appId && isTagged(app, names))
  return [
    ...unique([...principals.filter((one) => one !== undefined), ...ours]).map((one) =>
      belonging('servicePrincipal', one, isOurs(one)),
    ),
    ...apps.map((one) => belonging('application', one, isTagged(one, names))),
    ...groups.map((one) => belonging('group', one, isMarkedBy(one, names))),
  ]
}

/** What lies in the recycle bin, and the kinds whose part of it this caller may not see. */
export interface Binned {
  items: Belonging[]
  unseen: Kind[]
}

const binOf = (directory: Directory, kind: Kind) =>
  ifAllowed(
    directory.list(
      `/directory/deletedItems/microsoft.graph.${kind}?$select=${DELETED[kind]}&$top=999`,
      Deleted,
    ),
  )

/** In the recycle bin, where an object keeps its unique name for 30 days. */
export async function deleted(directory: Directory, names: Names): Promise<Binned> {
  const bins = await Promise.all(KINDS.map(async (kind) => ({ kind, bin: await binOf(directory, kind) })))
  const all = bins.flatMap(({ kind, bin = [] }) => bin.map((item) => ({ kind, item })))
  const own = [names.api, names.client, names.dev, names.admins, names.users]
  const named = all.filter(({ item }) => own.includes(item.uniqueName ?? '') || isTagged(item, names))
  const appIdsOf = (some: typeof all) => some.flatMap(({ item }) => item.appId ?? [])
  const appIds = appIdsOf(named)
  const markedAppIds = appIdsOf(named.filter(({ item }) => isMarkedBy(item, names)))
  // A service principal has no unique name, and its tags may have been taken away.
  const ours = all.filter((one) => named.includes(one) || appIds.includes(one.item.appId ?? 'none'))
  const isMarked = (item: Deleted) => isMarkedBy(item, names) || markedAppIds.includes(item.appId ?? 'none')
  return {
    items: ours.map(({ kind, item }) => belonging(kind, item, isMarked(item))),
    unseen: bins.filter(({ bin }) => bin === undefined).map(({ kind }) => kind),
  }
}

/** By id; the first of several counts. */
export const unique = <T extends { id: string }>(items: readonly T[]): T[] =>
  items.filter(({ id }, index) => items.findIndex((other) => other.id === id) === index)

type Titled = Pick<Belonging, 'kind' | 'displayName' | 'id'>
export const titled = ({ kind, displayName, id }: Titled) =>
  `${WORDS[`${kind}s`]} "${displayName ?? id}" (${id})`

export const listed = (objects: readonly Titled[]) =>
  objects.map((object) => `    ${titled(object)}`).join('\n')
