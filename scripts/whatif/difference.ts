/** The difference between one desired object and the actual one, in Microsoft Graph's terms. */
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import { describeBytes, findCertificate, thumbprintOf } from './certificates.ts'
import type { DesiredObject } from './desired.ts'
import {
  type ActualProperties,
  GUID,
  isObject,
  type Properties,
  readProperty,
  splitWords,
} from './properties.ts'

export interface Difference {
  action: 'add' | 'remove' | 'change'
  /** For people: `api.oauth2PermissionScopes[user_impersonation].value`. */
  path: string
  /** The same without what is in brackets: what rules are written for. */
  place: string
  before?: Value | undefined
  after?: Value | undefined
}

/** Neither a change nor no change. */
export interface PendingValue {
  path: string
  /** The same without what is in brackets. */
  place: string
  /** The known parts, the others in braces. */
  text: string
  /** Actual values whose place it may take, in words. */
  instead?: string[]
  /** An actual value that fits, on a host of which a part is not known: it may be another one. */
  assumed?: string | undefined
  /** It is known what is wanted, and Graph does not show what is there: no finding, or it would be one for ever. */
  isUnseen?: boolean
  /** Of an assumed one: what is unknown of its host belongs to what the template makes. */
  isMade?: boolean
}

export interface Compared {
  differences: Difference[]
  pending: PendingValue[]
}

interface Where {
  path: string
  place: string
  /** What is found. */
  into: Compared
  /** Words for the ids in brackets. */
  nameOf: (id: string | Unknown) => string | undefined
  /** The object does not exist yet. */
  isNew: boolean
  /** Actual extras stay. */
  isAppended?: boolean
}

/** Graph never shows what is secret in these, so they cannot be compared. */
const WRITE_ONLY = ['secretText', 'key', 'hint', 'logo']
/** Version 1.0 of Graph does not show it. */
const BETA_ONLY = ['claimsMatchingExpression']
/** Entra compares these character by character. */
const EXACT = ['subject', 'issuer', 'audiences']
/** Who may sign in, and to what: a known part that the actual value has says nothing of the rest. */
const WHOLE = [...EXACT, 'claimsMatchingExpression.value', 'scope']

/** They find the object, so they cannot differ; an assignment keeps one to be shown by. */
const KEYS = ['uniqueName', 'appId', 'clientId', 'resourceId', 'consentType', 'principalId']

const isKey = (name: string, { type }: DesiredObject) =>
  KEYS.includes(name) || (name === 'name' && type === 'applications/federatedIdentityCredentials')

/** Relationships and scopes are sets, and actual extras may stay; undefined for everything else. */
function setOf(one: DesiredObject, name: string, value: Value) {
  if (name === 'scope' && one.type === 'oauth2PermissionGrants' && !(value instanceof Unknown))
    return { all: splitWords(value), isAppended: one.by === 'hook' }
  if (!isObject(value) || !Array.isArray(value.relationships)) return undefined
  return { all: value.relationships, isAppended: value.relationshipSemantics !== 'replace' }
}

/** `actual` is undefined for an object that is not there. */
export function compareObject(
  one: DesiredObject,
  properties: Properties,
  actual: ActualProperties | undefined,
  nameOf: Where['nameOf'],
): Compared {
  const desired: Properties = {}
  const appended: Properties = {}
  const present = { ...actual }
  for (const [name, value] of Object.entries(properties)) {
    if (isKey(name, one)) continue
    const set = setOf(one, name, value)
    if (set?.isAppended) appended[name] = set.all
    else desired[name] = set?.all ?? value
    if (set && typeof present[name] === 'string') present[name] = splitWords(present[name])
  }
  const into: Compared = { differences: [], pending: [] }
  const where = { path: '', place: '', isNew: actual === undefined, nameOf, into }
  compareProperties(desired, present, where)
  compareProperties(appended, present, { ...where, isAppended: true })
  return into
}

/** Only what is declared is compared. */
export function compareProperties(desired: Properties, actual: Json | undefined, where: Where): void {
  const present = isObject(actual) ? actual : {}
  for (const [name, value] of Object.entries(desired)) {
    const inner = below(where, name)
    if (name === 'logo' && where.isNew && typeof value === 'string')
      addDifference(describeBytes(value), undefined, inner)
    else if (BETA_ONLY.includes(name) && !where.isNew && present[name] === undefined)
      where.into.pending.push({
        ...{ path: inner.path, place: inner.place, isUnseen: true },
        text: 'cannot be told: Microsoft Graph v1.0 does not show it',
      })
    else if (!WRITE_ONLY.includes(name)) compareValue(value, present[name], inner)
  }
}

const below = (where: Where, name: string): Where => ({
  ...where,
  path: where.path === '' ? name : `${where.path}.${name}`,
  place: where.place === '' ? name : `${where.place}.${name}`,
})

function compareValue(desired: Value, actual: Json | undefined, where: Where): void {
  if (desired instanceof Unknown) compareUnknown(desired, actual, where)
  else if (Array.isArray(desired)) compareLists(desired, actual, where)
  else if (isObject(desired)) compareProperties(desired, actual, where)
  else if (!isSame(desired, actual ?? null, EXACT.includes(where.place)))
    addDifference(desired, actual, where)
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/

/** Ids are written in any case, times in any zone; every other text counts letter by letter. */
function isSame(desired: Value | undefined, actual: Value | undefined, isExact = false): boolean {
  if (desired === actual) return true
  if (typeof desired !== 'string' || typeof actual !== 'string') return false
  if (TIME.test(desired) && TIME.test(actual)) return Date.parse(desired) === Date.parse(actual)
  return !isExact && GUID.test(desired) && desired.toLowerCase() === actual.toLowerCase()
}

function addDifference(after: Value, before: Json | undefined, { path, place, into }: Where): void {
  if (before === undefined || before === null) into.differences.push({ action: 'add', path, place, after })
  else if (after === null) into.differences.push({ action: 'remove', path, place, before })
  else into.differences.push({ action: 'change', path, place, before, after })
}

function compareUnknown(desired: Unknown, actual: Json | undefined, where: Where): void {
  const fits = desired.fits(actual)
  const isOpen = fits === undefined || (fits && WHOLE.includes(where.place))
  if (isOpen && !where.isNew) leaveOpen(desired.text, where, Array.isArray(actual) ? actual : [actual])
  else if (!fits) addDifference(desired, actual, where)
  else assume(desired, actual, where)
}

function leaveOpen(text: string, { path, place, into }: Where, there: readonly (Json | undefined)[]): void {
  const instead = there.filter((one) => ['string', 'number', 'boolean'].includes(typeof one)).map(String)
  into.pending.push({ path, place, text, instead })
}

/** What is on a host of which a part is unknown fits, and may be another one. */
function assume(desired: Unknown, actual: Json | undefined, { path, place, into }: Where): void {
  const { text, isMade, isHostUnknown } = desired
  if (isHostUnknown) into.pending.push({ path, place, text, assumed: String(actual), isMade })
}

function compareLists(desired: Value[], actual: Json | undefined, where: Where): void {
  // null is not []: the deployment writes an empty list. For a new object that says nothing.
  if (!Array.isArray(actual) && desired.length === 0 && !where.isNew) addDifference([], actual, where)
  const present = Array.isArray(actual) ? actual : []
  const { place, into, isAppended } = where
  const id = [...desired, ...present].some(isObject) ? idProperty(desired, place) : undefined
  const keyOf = (value: Value) => keyIn(value, id, place)
  const pathOf = (value: Value) => elementPath(value, id, where)
  const { pairs, alone, left } =
    place === 'keyCredentials' ? pairCertificates(desired, present) : pairElements(desired, present, keyOf)
  const unknown = alone.map(keyOf).filter(isOpen)
  for (const value of alone.filter((one) => !isOpen(keyOf(one))))
    into.differences.push({ action: 'add', path: pathOf(value), place, after: withoutSecrets(value) })
  for (const [one, other] of pairs) {
    const inner = { ...where, path: pathOf(other) }
    // Elements without an id are paired by equality: nothing is left to compare.
    if (id !== undefined) compareValue(one, other, inner)
    else if (one instanceof Unknown) assume(one, other, where)
    compareContent(one, other, inner)
  }
  addUnknown(unknown, left, { where, id })
  // Any of them may be what is not known yet.
  const isKept = isAppended || unknown.length > 0
  for (const value of isKept ? [] : left)
    into.differences.push({ action: 'remove', path: pathOf(value), place, before: withoutSecrets(value) })
}

/** Of a new object they come; of one that is there nobody can say whether they are what is there. */
function addUnknown(
  unknown: readonly Unknown[],
  left: readonly Json[],
  { where, id }: { where: Where; id: string | undefined },
): void {
  const there = left.map((value) => (id === undefined ? value : labelOf(value, id, where)))
  for (const one of unknown) {
    if (where.isNew) addDifference(one, undefined, where)
    else leaveOpen(one.text, where, where.isAppended ? [] : there)
  }
}

/** Nor a part of a secret: the hint of a password is its beginning. */
function withoutSecrets(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (!isObject(value)) return value
  const shown = Object.entries(value).filter(([name]) => !WRITE_ONLY.includes(name))
  return Object.fromEntries(shown.map(([name, one]) => [name, withoutSecrets(one)]))
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

function idProperty(desired: readonly Value[], place: string): string | undefined {
  const known = IDS[place.split('.').at(-1) ?? '']
  if (known) return known
  const objects = desired.filter((one) => isObject(one))
  return USUAL_IDS.find((name) => objects.length > 0 && objects.every((one) => name in one))
}

function keyIn(value: Value, id: string | undefined, place: string): Value | undefined {
  if (place === 'keyCredentials') return thumbprintOf(value)
  return id === undefined ? value : readProperty(value, id)
}

const elementPath = (value: Value, id: string | undefined, where: Where): string =>
  id === undefined ? where.path : `${where.path}[${labelOf(value, id, where)}]`

function labelOf(value: Value, id: string, { nameOf }: Where): string {
  const key = readProperty(value, id)
  if (key instanceof Unknown) return nameOf(key) ?? key.text
  const text = String(key ?? thumbprintOf(value) ?? 'nameless')
  const said = [readProperty(value, 'value'), nameOf(text), readProperty(value, 'displayName')]
  return said.find((one): one is string => typeof one === 'string' && one !== '') ?? text
}

/** Nothing of it is known. */
const isOpen = (key: Value | undefined): key is Unknown =>
  key instanceof Unknown && !key.isNew && key.fits('') === undefined

/**
 * Lists of Graph are sets: each desired element takes the actual one that `find` tells of those that are left, and
 * those of a lower rank choose first.
 */
function pair(
  desired: readonly Value[],
  actual: readonly Json[],
  rank: (one: Value) => number,
  find: (one: Value, left: readonly Json[]) => number,
) {
  const left = [...actual]
  const pairs: [desired: Value, actual: Json][] = []
  const alone: Value[] = []
  for (const one of desired.toSorted((a, b) => rank(a) - rank(b))) {
    const at = find(one, left)
    const [found] = at < 0 ? [] : left.splice(at, 1)
    if (found === undefined) alone.push(one)
    else pairs.push([one, found])
  }
  return { pairs, alone, left }
}

/** By key; an unknown one takes an actual one that fits it. */
function pairElements(
  desired: readonly Value[],
  actual: readonly Json[],
  keyOf: (value: Value) => Value | undefined,
) {
  // What is known chooses first: an unknown value must not take what belongs to another one.
  const rank = (one: Value) => Number(keyOf(one) instanceof Unknown)
  return pair(desired, actual, rank, (one, left) =>
    left.findIndex((other) => isMatch(keyOf(one), keyOf(other))),
  )
}

function pairCertificates(desired: readonly Value[], actual: readonly Json[]) {
  const isThere = (one: Value) => actual.some((other) => thumbprintOf(other) === thumbprintOf(one))
  // Who is there must not be taken for a renewed one of the same name.
  return pair(desired, actual, (one) => Number(!isThere(one)), findCertificate)
}

function compareContent(desired: Value, actual: Json, where: Where): void {
  if (where.place !== 'keyCredentials') return
  const [after, before] = [thumbprintOf(desired), thumbprintOf(actual)]
  if (after !== undefined && before !== undefined && after !== before)
    addDifference(after, before, below(where, 'thumbprint'))
}

const isMatch = (key: Value | undefined, actual: Value | undefined): boolean =>
  key instanceof Unknown ? key.fits(actual) === true : isSame(key, actual) || isDeepStrictEqual(key, actual)
