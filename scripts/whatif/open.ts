/** Declared values, as far as they are known before the deployment. */
import { Unknown, type Value } from '../bicep/value.ts'

export type WantedProperties = Record<string, Value>

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unknown)

/** Declared properties of two passes over one object: the later one wins, objects are merged. */
export function merged(earlier: WantedProperties, later: WantedProperties): WantedProperties {
  const result = { ...earlier }
  for (const [name, value] of Object.entries(later)) {
    const before = result[name]
    result[name] = isProperties(before) && isProperties(value) ? merged(before, value) : value
  }
  return result
}

export const isProperties = (value: Value | undefined): value is WantedProperties => isObject(value)
