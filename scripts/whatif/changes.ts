/** What a deployment would create and change, object by object. */
import type { GraphType } from '../bicep/declared.ts'
import { type Compared, compareProperties, type Difference, type Undecided } from './comparison.ts'
import type { LiveProperties } from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import type { Naming } from './naming.ts'
import { Open, type Wanted, type WantedProperties } from './open.ts'
import { type Grade, highest, type Risk, riskOf } from './risk.ts'
import { sidesOf } from './sides.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

export interface Graded extends Difference {
  risk: Risk
}

export interface Change {
  action: 'create' | 'update'
  type: GraphType
  /** Of the wanted object: unique within one what-if, and the same in the next one. */
  key: string
  title: string
  symbols: string[]
  by: 'template' | 'hook'
  /** Of the live object. */
  id: string | undefined
  properties: Graded[]
  grade: Grade
}

/** An object of which something is known only after the deployment. */
export interface Pending extends Undecided {
  key: string
  title: string
  type: GraphType
}

function compared(
  one: WantedObject,
  properties: WantedProperties,
  live: LiveProperties | undefined,
  naming: Naming,
) {
  const sides = sidesOf(one, properties, live)
  const into: Compared = { differences: [], undecided: [] }
  const where = { path: '', place: '', isNew: live === undefined, nameOf: naming.ofId }
  compareProperties(sides.wanted, sides.live, where, into)
  compareProperties(sides.appended, sides.live, { ...where, isAppended: true }, into)
  return into
}

/** People get an assignment through a group or themselves; anything else may be an app. */
const isForPeople = (principal: Wanted | undefined) =>
  principal instanceof Open ? principal.source?.startsWith('groups/') === true : false

export interface Around {
  objects: readonly WantedObject[]
  knowledge: Knowledge
  naming: Naming
  tenantId: string
}

/** Groups that are declared, by their live ids. */
const groupIds = ({ objects, knowledge }: Around) =>
  new Set(objects.flatMap(({ type, key }) => (type === 'groups' ? [knowledge.live(key)?.id ?? ''] : [])))

function graded(
  one: WantedObject,
  wanted: WantedProperties,
  differences: Difference[],
  around: Around,
): Graded[] {
  const { knowledge, naming, tenantId } = around
  const live = knowledge.live(one.key)
  const ofPeople = isForPeople(wanted.principalId) || groupIds(around).has(String(wanted.principalId))
  const nameOf = (value: Wanted | undefined) => naming.of(value)
  const fact = { type: one.type, wanted, live, tenantId, isForPeople: ofPeople, nameOf }
  return differences.map((difference) => ({ ...difference, risk: riskOf({ ...fact, difference }) }))
}

function changeOf(one: WantedObject, around: Around): { change?: Change; pending: Pending[] } {
  const { knowledge, naming } = around
  const wanted = propertiesOf(one, knowledge)
  const about = { type: one.type, key: one.key, title: naming.titleOf(one.type, wanted) }
  if (!knowledge.isRead(one.key)) return { pending: [{ ...about, path: '', text: 'which object it is' }] }
  const live = knowledge.live(one.key)
  const { differences, undecided } = compared(one, wanted, live, naming)
  const pending = undecided.map((open) => ({ ...about, ...open }))
  if (live && differences.length === 0) return { pending }
  const properties = graded(one, wanted, differences, around)
  const change: Change = {
    action: live ? 'update' : 'create',
    ...about,
    symbols: one.symbols,
    by: one.by,
    id: typeof live?.id === 'string' ? live.id : undefined,
    properties,
    grade: highest(properties.map(({ risk }) => risk)),
  }
  return { change, pending }
}

export function changesOf(around: Around): { changes: Change[]; pending: Pending[] } {
  const all = around.objects.map((one) => changeOf(one, around))
  return {
    changes: all.flatMap(({ change }) => (change ? [change] : [])),
    pending: all.flatMap(({ pending }) => pending),
  }
}
