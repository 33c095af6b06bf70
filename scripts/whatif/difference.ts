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
  instead?: string[] | undefined
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
    return { all: splitWords(value), isAppended: one.isMerged }
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
  const where = { path: '', place: '', isNew: actual === undefined, nameOf }
  compareProperties(desired, present, where, into)
  compareProperties(appended, present, { ...where, isAppended: true }, into)
  return into
}

/** Only what is declared is compared. */
export function compareProperties(
  desired: Properties,
  actual: Json | undefined,
  where: Where,
  into: Compared,
): void {
  const present = isObject(actual) ? actual : {}
  for (const [name, value] of Object.entries(desired)) {
    const inner = below(where, name)
    if (name === 'logo' && where.isNew && typeof value === 'string')
      into.differences.push(differenceOf(describeBytes(value), undefined, inner))
    else if (BETA_ONLY.includes(name) && !where.isNew && present[name] === undefined)
      into.pending.push({
        ...leaveOpen('cannot be told: Microsoft Graph v1.0 does not show it', inner),
        isUnseen: true,
      })
    else if (!WRITE_ONLY.includes(name)) compareValue(value, present[name], inner, into)
  }
}

const below = (where: Where, name: string): Where => ({
  ...where,
  path: where.path === '' ? name : `${where.path}.${name}`,
  place: where.place === '' ? name : `${where.place}.${name}`,
})

function compareValue(desired: Value, actual: Json | undefined, where: Where, into: Compared): void {
  if (desired instanceof Unknown) compareUnknown(desired, actual, where, into)
  else if (Array.isArray(desired)) compareLists(desired, actual, where, into)
  else if (isObject(desired)) compareProperties(desired, actual, where, into)
  else if (!isSame(desired, actual ?? null, EXACT.includes(where.place)))
    into.differences.push(differenceOf(desired, actual, where))
}

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/
const isSameTime = (one: string, other: string) =>
  TIME.test(one) && TIME.test(other) && Date.parse(one) === Date.parse(other)

/** Ids are written in any case; every other text counts letter by letter. */
const isSame = (desired: Value | undefined, actual: Value | undefined, isExact = false): boolean =>
  desired === actual ||
  (typeof desired === 'string' && typeof actual === 'string' && isSameTime(desired, actual)) ||
  (!isExact &&
    typeof desired === 'string' &&
    typeof actual === 'string' &&
    GUID.test(desired) &&
    desired.toLowerCase() === actual.toLowerCase())

function differenceOf(after: Value, before: Json | undefined, { path, place }: Where): Difference {
  if (before === undefined || before === null) return { action: 'add', path, place, after }
  if (after === null) return { action: 'remove', path, place, before }
  return { action: 'change', path, place, before, after }
}

function compareUnknown(desired: Unknown, actual: Json | undefined, where: Where, into: Compared): void {
  const fits = desired.fits(actual)
  const isOpen = fits === undefined || (fits && WHOLE.includes(where.place))
  if (isOpen && !where.isNew)
    into.pending.push(leaveOpen(desired.text, where, ...(Array.isArray(actual) ? actual : [actual])))
  else if (!fits) into.differences.push(differenceOf(desired, actual, where))
  else if (desired.isHostUnknown) into.pending.push(assume(desired, actual, where))
}

const leaveOpen = (text: string, { path, place }: Where, ...actual: (Json | undefined)[]): PendingValue => {
  const instead = actual.flatMap((one) =>
    typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? [String(one)] : [],
  )
  return { path, place, text, ...(instead.length > 0 && { instead }) }
}

const assume = (
  { text, isMade }: Unknown,
  actual: Json | undefined,
  { path, place }: Where,
): PendingValue => ({
  path,
  place,
  text,
  assumed: String(actual),
  isMade,
})

function compareLists(desired: Value[], actual: Json | undefined, where: Where, into: Compared): void {
  // null is not []: the deployment writes an empty list. For a new object that says nothing.
  const isCleared = !Array.isArray(actual) && desired.length === 0 && !where.isNew
  if (isCleared) into.differences.push(differenceOf([], actual, where))
  const present = Array.isArray(actual) ? actual : []
  const { place } = where
  const id = [...desired, ...present].some(isObject) ? idProperty(desired, place) : undefined
  const pathOf = (value: Value) =>
    id === undefined ? where.path : `${where.path}[${labelOf(value, id, where)}]`
  const { added, removed, pairs, unknown, replaceable } =
    place === 'keyCredentials' ? pairCertificates(desired, present) : pairElements(desired, present, id)
  for (const value of added)
    into.differences.push({ action: 'add', path: pathOf(value), place, after: withoutSecrets(value) })
  // Elements without an id are paired by equality: nothing is left to compare.
  for (const [one, other] of id === undefined ? [] : pairs) {
    compareValue(one, other, { ...where, path: pathOf(other) }, into)
    if (place === 'keyCredentials') compareContent(one, other, { ...where, path: pathOf(other) }, into)
  }
  addUnknown(unknown, replaceable, { where, id }, into)
  into.pending.push(...findAssumed(desired, present, where))
  for (const value of where.isAppended ? [] : removed)
    into.differences.push({ action: 'remove', path: pathOf(value), place, before: withoutSecrets(value) })
}

/** Of a new object they come; of one that is there nobody can say whether they are what is there. */
function addUnknown(
  unknown: readonly Unknown[],
  replaceable: readonly Json[],
  { where, id }: { where: Where; id: string | undefined },
  into: Compared,
): void {
  const there = replaceable.map((value) => (id === undefined ? value : labelOf(value, id, where)))
  for (const one of unknown) {
    if (where.isNew) into.differences.push(differenceOf(one, undefined, where))
    else into.pending.push(leaveOpen(one.text, where, ...(where.isAppended ? [] : there)))
  }
}

/** What is on a host of which a part is unknown, with the actual values that fit. */
const findAssumed = (desired: Value[], present: Json[], where: Where): PendingValue[] =>
  desired.flatMap((one) => {
    if (!(one instanceof Unknown && one.isHostUnknown)) return []
    const found = present.find((other) => one.fits(other))
    return found === undefined ? [] : [assume(one, found, where)]
  })

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

function labelOf(value: Value, id: string, { nameOf }: Where): string {
  const key = readProperty(value, id)
  if (key instanceof Unknown) return nameOf(key) ?? key.text
  const text = String(key ?? thumbprintOf(value) ?? 'nameless')
  const said = [readProperty(value, 'value'), nameOf(text), readProperty(value, 'displayName')]
  return said.find((one): one is string => typeof one === 'string' && one !== '') ?? text
}

interface Elements {
  added: Value[]
  removed: Json[]
  pairs: [desired: Value, actual: Json][]
  /** Desired elements of which nothing is known. */
  unknown: Unknown[]
  /** Actual elements of which nobody can say whether they are these or go. */
  replaceable: Json[]
}

/** Lists of Graph are sets. Pairs by `id`, else by equality; an unknown element takes an actual one that fits it. */
function pairElements(desired: readonly Value[], actual: readonly Json[], id: string | undefined): Elements {
  const keyOf = (value: Value) => (id === undefined ? value : readProperty(value, id))
  const left = [...actual]
  const result: Elements = { added: [], removed: [], pairs: [], unknown: [], replaceable: [] }
  // What is known chooses first: an unknown value must not take what belongs to another one.
  const rank = (one: Value) => (keyOf(one) instanceof Unknown ? 1 : 0)
  for (const one of desired.toSorted((a, b) => rank(a) - rank(b))) {
    const key = keyOf(one)
    const at = left.findIndex((other) => isMatch(key, keyOf(other)))
    const [found] = at < 0 ? [] : left.splice(at, 1)
    if (found !== undefined) result.pairs.push([one, found])
    else if (key instanceof Unknown && !key.isNew && key.fits('') === undefined) result.unknown.push(key)
    else result.added.push(one)
  }
  // Any of them may be what is not known yet.
  if (result.unknown.length === 0) result.removed = left
  else result.replaceable = left
  return result
}

function pairCertificates(desired: readonly Value[], actual: readonly Json[]): Elements {
  const left = [...actual]
  const result: Elements = { added: [], removed: left, pairs: [], unknown: [], replaceable: [] }
  const isThere = (one: Value) => actual.some((other) => thumbprintOf(other) === thumbprintOf(one))
  // Who is there must not be taken for a renewed one of the same name.
  for (const one of desired.toSorted((a, b) => Number(isThere(b)) - Number(isThere(a)))) {
    const at = findCertificate(one, left)
    const [found] = at < 0 ? [] : left.splice(at, 1)
    if (found === undefined) result.added.push(one)
    else result.pairs.push([one, found])
  }
  return result
}

function compareContent(desired: Value, actual: Json, where: Where, into: Compared): void {
  const [after, before] = [thumbprintOf(desired), thumbprintOf(actual)]
  if (after === undefined || before === undefined || after === before) return
  const { path, place } = below(where, 'thumbprint')
  into.differences.push({ action: 'change', path, place, before, after })
}

const isMatch = (key: Value | undefined, actual: Value | undefined): boolean =>
  key instanceof Unknown ? key.fits(actual) === true : isSame(key, actual) || isDeepStrictEqual(key, actual)
