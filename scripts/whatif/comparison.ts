/** Compares one declared value with the live one, in Microsoft Graph's terms. */

import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import { elementsOf, sameText } from './elements.ts'
import { isObject, isProperties, type WantedProperties } from './open.ts'

export type Action = 'add' | 'remove' | 'change'

export interface Difference {
  action: Action
  /** For people: `api.oauth2PermissionScopes[user_impersonation].value`. */
  path: string
  /** The same without what is in brackets: what rules are written for. */
  place: string
  before?: Value | undefined
  /** What only the deployment knows is Unknown. */
  after?: Value | undefined
}

/** Neither a change nor no change. */
export interface Undecided {
  path: string
  /** The known parts, the others in braces. */
  text: string
  /** A live value that fits, on a host of which a part is not known: it may be another one. */
  taken?: string | undefined
}

export interface Compared {
  differences: Difference[]
  undecided: Undecided[]
}

export interface Where {
  path: string
  place: string
  /** Words for the ids in brackets. */
  nameOf: (id: string | Unknown) => string | undefined
  /** The object does not exist yet. */
  isNew: boolean
  /** Live extras stay. */
  isAppended?: boolean
}

/** Graph never shows what is secret in these, so they cannot be compared. */
const WRITE_ONLY = ['secretText', 'key', 'hint']
/** Entra compares these character by character. */
const EXACT = ['subject', 'issuer', 'audiences']

/** Without what is secret or a part of it: the hint of a password is its beginning. */
function shown<T>(value: T): T
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  if (!isObject(value)) return value
  const open = Object.entries(value).filter(([name]) => !WRITE_ONLY.includes(name))
  return Object.fromEntries(open.map(([name, one]) => [name, shown(one)]))
}

export const below = (where: Where, name: string): Where => ({
  ...where,
  path: where.path === '' ? name : `${where.path}.${name}`,
  place: where.place === '' ? name : `${where.place}.${name}`,
})

/** Only what is declared is compared. */
export function compare(wanted: Value, live: Json | undefined, where: Where, into: Compared): void {
  if (wanted instanceof Unknown) compareUnknown(wanted, live, where, into)
  else if (Array.isArray(wanted)) compareLists(wanted, live, where, into)
  else if (isProperties(wanted)) compareProperties(wanted, live, where, into)
  else if (!isSame(wanted, live ?? null, where.place))
    into.differences.push(differenceOf(wanted, live, where))
}

const isSame = (wanted: Value, live: Json, place: string) =>
  EXACT.includes(place) ? wanted === live : sameText(wanted, live)

export function differenceOf(after: Value, live: Json | undefined, { path, place }: Where): Difference {
  if (live === undefined || live === null) return { action: 'add', path, place, after }
  if (after === null) return { action: 'remove', path, place, before: live }
  return { action: 'change', path, place, before: live, after }
}

function compareUnknown(wanted: Unknown, live: Json | undefined, where: Where, into: Compared): void {
  const fits = wanted.fits(live)
  if (fits) return void (wanted.isHostUnknown && into.undecided.push(takenFor(wanted, live, where)))
  if (fits === undefined && !where.isNew) into.undecided.push({ path: where.path, text: wanted.text })
  else into.differences.push(differenceOf(wanted, live, where))
}

const takenFor = (wanted: Unknown, live: unknown, { path }: Where): Undecided => ({
  path,
  text: wanted.text,
  taken: String(live),
})

export function compareProperties(
  wanted: WantedProperties,
  live: Json | undefined,
  where: Where,
  into: Compared,
): void {
  const present = isLiveObject(live) ? live : {}
  for (const [name, value] of Object.entries(wanted)) {
    if (!WRITE_ONLY.includes(name)) compare(value, present[name], below(where, name), into)
  }
}

const isLiveObject = (live: Json | undefined): live is { [key: string]: Json } => isObject(live)

function compareLists(wanted: Value[], live: Json | undefined, where: Where, into: Compared): void {
  // null is not []: the deployment writes an empty list. For a new object that says nothing.
  const isCleared = !Array.isArray(live) && wanted.length === 0 && !where.isNew
  if (isCleared) into.differences.push(differenceOf([], live, where))
  const { added, removed, pairs, undecided, taken } = elementsOf(
    wanted,
    Array.isArray(live) ? live : [],
    where,
  )
  const pathOf = (label: string | undefined) => (label === undefined ? where.path : `${where.path}[${label}]`)
  const { place } = where
  for (const { label, value } of added)
    into.differences.push({ action: 'add', path: pathOf(label), place, after: shown(value) })
  for (const { wanted: one, live: other, label } of pairs)
    compare(one, other, { ...where, path: pathOf(label) }, into)
  for (const text of undecided) into.undecided.push({ path: where.path, text })
  for (const { wanted: open, live: one } of taken) into.undecided.push(takenFor(open, one, where))
  for (const { label, value } of where.isAppended ? [] : removed)
    into.differences.push({ action: 'remove', path: pathOf(label), place, before: shown(value) })
}
