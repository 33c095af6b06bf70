/** What a deployment would create and change, object by object, and what it would leave behind. */
import type { GraphType } from '../bicep/declared.ts'
import type { Surroundings } from './actual.ts'
import type { States } from './actual-state.ts'
import { type About, type DesiredObject, resolveObject } from './desired.ts'
import { type Compared, compareObject, type Difference, type PendingValue } from './difference.ts'
import { type ActualProperties, type Properties, readList } from './properties.ts'
import { findCircumstances, findHighest, type Grade, type Judging, type Risk } from './risk.ts'
import { gradeOpen, gradeRisk, reverse } from './risk-rules.ts'

export type Graded = Difference & { risk: Risk }

export interface Change extends About {
  action: 'create' | 'update'
  symbols: string[]
  by: 'template' | 'hook'
  /** Of the actual object. */
  id: string | undefined
  properties: Graded[]
  grade: Grade
}

/** An object of which something is known only after the deployment: it may be anything, so its place is graded. */
export type Pending = PendingValue & About & { risk: Risk }

/** What differs, graded, and what is known only after the deployment. */
export function findChanges(states: States, judging: Judging): { changes: Change[]; pending: Pending[] } {
  const { objects, state, names } = states
  const changes: Change[] = []
  const pending: Pending[] = []
  for (const one of objects) {
    const { key, type, symbols, by } = one
    const desired = resolveObject(one, state)
    const actual = state.get(key)
    const about = { type, key, title: names.titleOf(type, desired) }
    const isRead = state.isRead(key)
    const compared = isRead ? compareObject(one, desired, actual, names.ofId) : NOT_FOUND_YET
    pending.push(...compared.pending.map((value) => ({ ...about, ...value, risk: gradeOpen(value) })))
    if (!isRead || (actual && compared.differences.length === 0)) continue
    const properties = grade(one, desired, compared.differences, states, judging)
    changes.push({
      action: actual ? 'update' : 'create',
      ...{ ...about, symbols, by, properties },
      id: typeof actual?.id === 'string' ? actual.id : undefined,
      grade: findHighest(properties.map(({ risk }) => risk)),
    })
  }
  return { changes, pending }
}

const NOT_FOUND_YET: Compared = {
  differences: [],
  pending: [{ path: '', place: '', text: 'which object it is' }],
}

const MISSING: Risk = { grade: 'medium', rule: 'missing', reason: 'Is declared and not there.' }

function grade(
  one: DesiredObject,
  desired: Properties,
  differences: Difference[],
  states: States,
  judging: Judging,
): Graded[] {
  const isFound = judging.perspective === 'found'
  const circumstances = findCircumstances(one, desired, states, judging)
  return differences.map((difference) => ({
    ...difference,
    risk:
      isFound && circumstances.isNew
        ? MISSING
        : gradeRisk({ ...circumstances, difference: isFound ? reverse(difference) : difference }),
  }))
}

/** An object of this environment that the template no longer declares. */
export interface Orphan {
  type: GraphType
  id: string
  title: string
  uniqueName: string | undefined
  /** Key of the object that is created in its place: a unique name cannot change. */
  renamedTo: string | undefined
}

/** The tags that mark this environment: on every tagged declared object, one with the environment's name. */
export function findEnvironmentTags(declared: readonly Properties[], environment: string): string[] {
  const lists = declared.map(({ tags }) => readList(tags)).filter(({ length }) => length > 0)
  const [first = [], ...others] = lists
  const shared = first.filter((tag) => others.every((list) => list.includes(tag)))
  const texts = shared.filter((tag) => typeof tag === 'string')
  return environment && texts.some((tag) => tag.split(/[:=]/).includes(environment)) ? texts : []
}

/** Objects with this environment's tags that nobody declares. */
export function findOrphans(
  { objects, state }: States,
  { apps, principals }: Surroundings,
  tags: readonly string[],
  changes: readonly Change[],
): Orphan[] {
  const declared = new Set(objects.map(({ key }) => state.get(key)?.id))
  const isOrphan = (one: ActualProperties) =>
    Array.isArray(one.tags) && tags.every((tag) => readList(one.tags).includes(tag)) && !declared.has(one.id)
  const orphanApps = apps.filter(isOrphan)
  const withApp = new Set(orphanApps.map(({ appId }) => appId))
  // A service principal goes with its app.
  const alone = principals.filter((one) => isOrphan(one) && !withApp.has(one.appId))
  const describe =
    (type: GraphType) =>
    ({ id, displayName, uniqueName }: ActualProperties): Orphan => ({
      type,
      id: String(id),
      title: typeof displayName === 'string' ? displayName : String(id),
      uniqueName: typeof uniqueName === 'string' ? uniqueName : undefined,
      renamedTo: undefined,
    })
  const orphans = [...orphanApps.map(describe('applications')), ...alone.map(describe('servicePrincipals'))]
  return markRenames(orphans, changes)
}

/** A new app and an orphaned one that are called the same, or are the only ones, are a rename. */
function markRenames(orphans: readonly Orphan[], changes: readonly Change[]): Orphan[] {
  const created = changes.filter(({ action, type }) => action === 'create' && type === 'applications')
  const heirs = new Set<string>()
  return orphans.map((orphan) => {
    const free = created.filter(({ type, key }) => type === orphan.type && !heirs.has(key))
    const isOnly = orphans.filter(({ type }) => type === orphan.type).length === 1 && free.length === 1
    const heir = free.find(({ title }) => title === orphan.title) ?? (isOnly ? free[0] : undefined)
    if (!heir) return orphan
    heirs.add(heir.key)
    return { ...orphan, renamedTo: heir.key }
  })
}
