/** Which elements of two lists belong together: lists of Microsoft Graph are sets. */

import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import { isObject, isProperties } from './open.ts'

interface Labelled<T> {
  value: T
  /** undefined: the value says everything itself. */
  label: string | undefined
}

export interface Elements {
  added: Labelled<Value>[]
  removed: Labelled<Json>[]
  pairs: { wanted: Value; live: Json; label: string }[]
  /** Texts of wanted elements of which nothing is known. */
  undecided: string[]
  /** Values whose host is known in part only, with the live ones that fit them. */
  taken: { wanted: Unknown; live: Json }[]
}

/** By which property the objects of a list are told apart. */
const IDS: Record<string, string> = {
  oauth2PermissionScopes: 'id',
  appRoles: 'id',
  resourceAccess: 'id',
  preAuthorizedApplications: 'appId',
  requiredResourceAccess: 'resourceAppId',
  passwordCredentials: 'keyId',
  keyCredentials: 'keyId',
}
const USUAL_IDS = ['id', 'keyId', 'appId', 'name']

interface Where {
  place: string
  nameOf: (id: string | Unknown) => string | undefined
}

function idProperty(wanted: readonly Value[], place: string): string | undefined {
  const known = IDS[place.split('.').at(-1) ?? '']
  const objects = wanted.filter(isProperties)
  if (known) return known
  return USUAL_IDS.find((name) => objects.length > 0 && objects.every((one) => name in one))
}

const propertyOf = (value: unknown, name: string): unknown =>
  isObject(value) ? Object.entries(value).find(([one]) => one === name)?.[1] : undefined

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Ids are written in any case; every other text counts letter by letter. */
export const sameText = (wanted: unknown, live: unknown): boolean =>
  wanted === live ||
  (typeof wanted === 'string' &&
    typeof live === 'string' &&
    GUID.test(wanted) &&
    wanted.toLowerCase() === live.toLowerCase())

function labelOf(value: unknown, id: string, { nameOf }: Where): string {
  const key = propertyOf(value, id)
  if (key instanceof Unknown) return nameOf(key) ?? key.text
  const text = String(key)
  const said = [propertyOf(value, 'value'), nameOf(text), propertyOf(value, 'displayName')]
  return said.find((one): one is string => typeof one === 'string' && one !== '') ?? text
}

/** Pairs by id, or by equality where the elements have none; an Unknown one takes a live one that fits it. */
export function elementsOf(wanted: readonly Value[], live: readonly Json[], where: Where): Elements {
  const isOfObjects = [...wanted, ...live].some(isObject)
  const id = isOfObjects ? idProperty(wanted, where.place) : undefined
  const keyOf = (value: unknown) => (id === undefined ? value : propertyOf(value, id))
  const label = (value: unknown) => (id === undefined ? undefined : labelOf(value, id, where))
  const left = [...live]
  const result: Elements = { added: [], removed: [], pairs: [], undecided: [], taken: [] }
  const take = (fits: (key: unknown) => boolean) => {
    const at = left.findIndex((one) => fits(keyOf(one)))
    return at < 0 ? undefined : left.splice(at, 1)[0]
  }
  // What is known chooses first: an open value must not take what belongs to another one.
  for (const one of wanted.toSorted((a, b) => rank(keyOf(a)) - rank(keyOf(b)))) {
    const key = keyOf(one)
    const found = take((other) => fitsKey(key, other))
    if (found !== undefined) {
      if (id !== undefined) result.pairs.push({ wanted: one, live: found, label: labelOf(found, id, where) })
    } else if (key instanceof Unknown && !key.isNew && key.fits('') === undefined)
      result.undecided.push(key.text)
    else result.added.push({ value: one, label: label(one) })
  }
  result.taken = wanted.flatMap((one) => takenIn(one, live))
  // Any of them may be what is not known yet.
  if (result.undecided.length === 0) result.removed = left.map((value) => ({ value, label: label(value) }))
  return result
}

/** A value on a host of which a part is open takes any live one that fits. */
function takenIn(one: Value, live: readonly Json[]): Elements['taken'] {
  const found =
    one instanceof Unknown && one.isHostUnknown ? live.find((other) => one.fits(other)) : undefined
  return one instanceof Unknown && found !== undefined ? [{ wanted: one, live: found }] : []
}

const rank = (key: unknown) => (key instanceof Unknown ? 1 : 0)

const fitsKey = (key: unknown, live: unknown): boolean =>
  key instanceof Unknown ? key.fits(live) === true : sameText(key, live) || isDeepStrictEqual(key, live)
