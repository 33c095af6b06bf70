/** Live objects of this environment that the template no longer declares. */

import type { GraphType } from '../bicep/declared.ts'
import type { Value } from '../bicep/value.ts'
import type { Change } from './changes.ts'
import type { LiveProperties } from './keys.ts'
import type { WantedProperties } from './open.ts'

export interface Orphan {
  type: GraphType
  id: string
  title: string
  uniqueName: string | undefined
  /** Key of the object that is created in its place: a unique name cannot change. */
  renamedTo: string | undefined
}

/** The tags that mark this environment: on every tagged declared object, one with the environment's name. */
export function environmentTags(declared: readonly WantedProperties[], environment: string): string[] {
  const lists = declared.flatMap(({ tags }) => (Array.isArray(tags) && tags.length > 0 ? [tags] : []))
  const [first = [], ...others] = lists
  const shared = first.filter((tag: Value) => others.every((list) => list.includes(tag)))
  const texts = shared.filter((tag) => typeof tag === 'string')
  return texts.some((tag) => tag.split(/[:=]/).includes(environment)) ? texts : []
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
const hasAll = ({ tags }: LiveProperties, wanted: readonly string[]) =>
  Array.isArray(tags) && wanted.every((tag) => tags.includes(tag))

/** `declaredIds`: the live objects that are declared. */
export function orphansOf(
  apps: readonly LiveProperties[],
  principals: readonly LiveProperties[],
  tags: readonly string[],
  declaredIds: ReadonlySet<string>,
): Orphan[] {
  const isOrphan = (one: LiveProperties) => hasAll(one, tags) && !declaredIds.has(String(one.id))
  const orphanApps = apps.filter(isOrphan)
  const withApp = new Set(orphanApps.map(({ appId }) => appId))
  // A service principal goes with its app.
  const alone = principals.filter((one) => isOrphan(one) && !withApp.has(one.appId ?? null))
  const orphan = (type: GraphType) => (one: LiveProperties) => ({
    type,
    id: String(one.id),
    title: text(one.displayName) ?? String(one.id),
    uniqueName: text(one.uniqueName),
    renamedTo: undefined,
  })
  return [...orphanApps.map(orphan('applications')), ...alone.map(orphan('servicePrincipals'))]
}

/** A new app and an orphaned one that are called the same, or are the only ones, are a rename. */
export function withRenames(orphans: readonly Orphan[], changes: readonly Change[]): Orphan[] {
  const created = changes.filter(({ action, type }) => action === 'create' && type === 'applications')
  const taken = new Set<string>()
  return orphans.map((orphan) => {
    const free = created.filter(({ type, key }) => type === orphan.type && !taken.has(key))
    const only =
      orphans.filter(({ type }) => type === orphan.type).length === 1 && free.length === 1
        ? free[0]
        : undefined
    const heir = free.find(({ title }) => title === orphan.title) ?? only
    if (!heir) return orphan
    taken.add(heir.key)
    return { ...orphan, renamedTo: heir.key }
  })
}
