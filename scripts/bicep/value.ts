/** What a compiler's text says: a value, or what it will be made of. */
import { escaped } from './expression.ts'
import { described, elementsOf, entriesOf, type Pattern, patternOf, resourceOf, type Term } from './term.ts'

/** Within `https://…/` only a part of a host name can be what is unknown. */
function matcherOf(pattern: Pattern): RegExp {
  let before = ''
  const parts = pattern.map((part) => {
    const isInHost = /^[a-z][\w+.-]*:\/\/[^/]*$/i.test(before)
    before += typeof part === 'string' ? part : 'x'
    return typeof part === 'string' ? escaped(part) : isInHost ? '[\\w.-]+' : '.+'
  })
  return new RegExp(`^${parts.join('')}$`, 's')
}

/** What a reader of the directory knows of it. */
interface Origin {
  /** It belongs to an object that does not exist yet, so nothing that exists can be it. */
  isNew?: boolean
  /** Key of the object that it is read from, when it is nothing but that. */
  key?: string | undefined
}

/** A value that only the deployment knows. */
export class Unknown {
  readonly term: Term
  readonly pattern: Pattern | undefined
  readonly isNew: boolean
  readonly key: string | undefined

  constructor(term: Term, { isNew = false, key }: Origin = {}) {
    this.term = term
    this.pattern = patternOf(term)
    this.isNew = isNew
    this.key = key
  }

  /** Known parts as text, the others in braces. */
  get text(): string {
    return this.pattern ? String(this) : `{${this}}`
  }

  /** Everything unknown in it belongs to resources that the template makes: neither only read nor of a snapshot alone. */
  get isMade(): boolean {
    const isMade = (part: Pattern[number]) => typeof part === 'string' || resourceOf(part)?.existing === false
    return this.pattern?.every(isMade) === true
  }

  /** A part of a host is unknown: what fits need not be it. */
  get isHostUnknown(): boolean {
    return /^[a-z][\w+.-]*:\/\/[^/]*\{/i.test(this.text)
  }

  toJSON(): string {
    return this.text
  }

  /** For people: `https://ca-x.{environment.defaultDomain}/mcp`. */
  toString(): string {
    return described(this.term)
  }

  /** Could it become this? Undefined when nothing of it is known. */
  fits(value: unknown): boolean | undefined {
    if (this.isNew) return false
    if (!this.pattern?.some((part) => typeof part === 'string')) return undefined
    return typeof value === 'string' && matcherOf(this.pattern).test(value)
  }
}

export type Value = string | number | boolean | null | Unknown | Value[] | { [key: string]: Value }

/** Objects and lists stay what they are as long as their shape is known. */
export function toValue(term: Term): Value {
  if (term.kind === 'known') return term.value
  const entries = entriesOf(term)
  if (entries) return Object.fromEntries([...entries].map(([name, one]) => [name, toValue(one)]))
  return elementsOf(term)?.map(toValue) ?? new Unknown(term)
}
