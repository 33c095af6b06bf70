/** What a deployment would create and change, object by object. */

import type { GraphType } from '../bicep/declared.ts'
import type { Value } from '../bicep/value.ts'
import { type Compared, compareProperties, type Difference, type Undecided } from './comparison.ts'
import type { LiveProperties } from './keys.ts'
import type { Knowledge } from './knowledge.ts'
import type { Naming } from './naming.ts'
import { isObject, type WantedProperties } from './open.ts'
import { relationsOf } from './relations.ts'
import { type Fact, type Grade, highest, type Perspective, type Risk, riskOf, turned } from './risk.ts'
import { sidesOf } from './sides.ts'
import { hostOf } from './uris.ts'
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

export interface Around {
  objects: readonly WantedObject[]
  knowledge: Knowledge
  naming: Naming
  tenantId: string
  environmentTags: readonly string[]
  perspective: Perspective
}

const ADDRESSES = ['web', 'spa', 'publicClient']

/** Hosts of every redirect and identifier URI. */
function hostsOf(properties: Record<string, unknown>): Set<string> {
  const lists = [
    properties.identifierUris,
    ...ADDRESSES.map((name) => (isObject(properties[name]) ? properties[name].redirectUris : undefined)),
  ]
  const uris = lists.flatMap((list) => (Array.isArray(list) ? list : []))
  return new Set(uris.flatMap((uri) => (typeof uri === 'string' ? [hostOf(uri)] : [])))
}

/** Of a project that tags its objects: this one is somebody else's, or was. */
const isAdopted = (live: LiveProperties | undefined, tags: readonly string[]): boolean =>
  live !== undefined &&
  tags.length > 0 &&
  Array.isArray(live.tags) &&
  !tags.some((tag) => listed(live.tags, tag))
const listed = (list: unknown, one: string) => Array.isArray(list) && list.includes(one)

type Found = Omit<Fact, 'type' | 'difference' | 'tenantId' | 'nameOf'>

function graded(
  one: WantedObject,
  wanted: WantedProperties,
  differences: Difference[],
  around: Around,
): Graded[] {
  const { knowledge, naming, tenantId, environmentTags, perspective } = around
  const live = knowledge.live(one.key)
  if (!live && perspective === 'found')
    return differences.map((difference) => ({ ...difference, risk: MISSING }))
  const found: Found = {
    wanted,
    hosts: hostsOf((perspective === 'proposed' ? live : wanted) ?? {}),
    isNew: !live,
    domains: knowledge.domains,
    isAdopted: isAdopted(live, environmentTags),
    ...relationsOf(one, wanted, around),
  }
  const nameOf = (value: Value | undefined) => naming.of(value)
  const fact = { type: one.type, tenantId, nameOf, ...found }
  return differences.map((difference) => ({
    ...difference,
    risk: riskOf({ ...fact, difference: perspective === 'proposed' ? difference : turned(difference) }),
  }))
}

const MISSING: Risk = { grade: 'medium', rule: 'missing', reason: 'Is declared and not there.' }

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
