/** Declared values, as far as they are known before the deployment. */
import { escaped } from '../bicep/expression.ts'

/** Known parts as text, the others by name; `isMade`: of an object that the deployment makes. */
export type Part = string | { name: string; isMade?: boolean }

const isText = (part: Part): part is string => typeof part === 'string'

/** Within `https://…/` only a part of a host name can be what is open. */
function patternOf(parts: readonly Part[]): RegExp {
  let before = ''
  const pattern = parts.map((part) => {
    const isInHost = /^[a-z][\w+.-]*:\/\/[^/]*$/i.test(before)
    before += isText(part) ? part : 'x'
    return isText(part) ? escaped(part) : isInHost ? '[\\w.-]+' : '.+'
  })
  return new RegExp(`^${pattern.join('')}$`, 's')
}

/** A value that only the deployment knows. */
export class Open {
  /** Known parts as text, the others in braces: `https://ca-x.{environment.defaultDomain}/mcp`. */
  readonly text: string
  readonly #matcher: RegExp | undefined
  /** It belongs to an object that does not exist yet, so no live value can be it. */
  readonly isFresh: boolean
  /** Key of the wanted object that it is read from, when it is nothing but that. */
  readonly source: string | undefined
  /** Everything open in it belongs to objects that this deployment makes. */
  readonly isMade: boolean
  /** A part of a host is open: what fits need not be it. */
  readonly isHostOpen: boolean

  constructor(
    parts: readonly Part[],
    { isFresh = false, source }: { isFresh?: boolean; source?: string | undefined } = {},
  ) {
    this.text = parts.map((part) => (isText(part) ? part : `{${part.name}}`)).join('')
    this.#matcher = parts.some((part) => isText(part) && part !== '') ? patternOf(parts) : undefined
    this.isFresh = isFresh
    this.source = source
    this.isMade = parts.every((part) => isText(part) || part.isMade === true)
    this.isHostOpen = /^https?:\/\/[^/]*\{/i.test(this.text)
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
