/** Properties of one object, declared or read: both are values in Microsoft Graph's terms. */
import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'

export type Properties = Record<string, Value>
/** What Microsoft Graph shows. */
export type ActualProperties = Record<string, Json>

/** In any case. */
export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Neither a list nor a value that is unknown as a whole. */
export const isObject = (value: Value | undefined): value is Properties =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown)

/** Declared properties of two passes over one object: the later one wins, objects are merged. */
export function mergePasses(earlier: Properties, later: Properties): Properties {
  const result = { ...earlier }
  for (const [name, value] of Object.entries(later)) {
    const before = result[name]
    result[name] = isObject(before) && isObject(value) ? mergePasses(before, value) : value
  }
  return result
}

/** undefined: there is no such property, or it is no object. */
export const readProperty = (value: Value | undefined, name: string): Value | undefined =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

/** The elements; none of what is no list. */
export const readList = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : [])

/** The elements that are objects. */
export const readObjects = (value: Value | undefined): Properties[] =>
  readList(value).filter((one) => isObject(one))

/** Scopes and the like: a list that Microsoft Graph writes as one text. */
export const splitWords = (text: unknown): string[] =>
  typeof text === 'string' ? text.split(' ').filter(Boolean) : []

/** Nothing is said: null, false, no text, or a list or an object of nothing else. */
export const isEmpty = (value: Value | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && !(value instanceof Unknown) && Object.values(value).every(isEmpty))
