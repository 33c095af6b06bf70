/** Declared values, as far as they are known before the deployment. */
import { escaped } from '../bicep/expression.ts'

/** A value that only the deployment knows. */
export class Open {
  /** Known parts as text, the others in braces: `https://ca-x.{host.defaultDomain}/mcp`. */
  readonly text: string
  readonly #matcher: RegExp | undefined
  /** It belongs to an object that does not exist yet, so no live value can be it. */
  readonly isFresh: boolean
  /** Key of the wanted object that it is read from, when it is nothing but that. */
  readonly source: string | undefined

  constructor(
    parts: readonly (string | { name: string })[],
    { isFresh = false, source }: { isFresh?: boolean; source?: string | undefined } = {},
  ) {
    this.text = parts.map((part) => (typeof part === 'string' ? part : `{${part.name}}`)).join('')
    const known = parts.some((part) => typeof part === 'string' && part !== '')
    const pattern = parts.map((part) => (typeof part === 'string' ? escaped(part) : '.+'))
    this.#matcher = known ? new RegExp(`^${pattern.join('')}$`, 's') : undefined
    this.isFresh = isFresh
    this.source = source
  }

  /** May this live value be it? undefined: nothing of it is known. */
  fits(live: unknown): boolean | undefined {
    if (this.isFresh) return false
    return this.#matcher && (typeof live === 'string' ? this.#matcher.test(live) : false)
  }

  toJSON(): string {
    return this.text
  }
}

export type Wanted = string | number | boolean | null | Open | Wanted[] | { [key: string]: Wanted }
export type WantedProperties = Record<string, Wanted>

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Open)

/** Declared properties of two passes over one object: the later one wins, objects are merged. */
export function merged(earlier: WantedProperties, later: WantedProperties): WantedProperties {
  const result = { ...earlier }
  for (const [name, value] of Object.entries(later)) {
    const before = result[name]
    result[name] = isProperties(before) && isProperties(value) ? merged(before, value) : value
  }
  return result
}

export const isProperties = (value: Wanted | undefined): value is WantedProperties => isObject(value)
