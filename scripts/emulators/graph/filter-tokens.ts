import { unsupportedQuery } from './errors.ts'

export const badFilter = () => unsupportedQuery('Invalid filter clause.')

const TOKEN = /\s*('(?:[^']|'')*'|[A-Za-z_][\w]*|\d+|[(),:/])/y

export type Literal = string | number | boolean | null

/** The words of a `$filter`, taken one by one. Throws Graph's 400 for what is none. */
export class FilterTokens {
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string) {
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.trimEnd().length) {
      const match = TOKEN.exec(text)
      if (!match) throw badFilter()
      this.#tokens.push(match[0].trim())
    }
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  next(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw badFilter()
    this.#at += 1
    return token
  }

  take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  demand(token: string): void {
    if (!this.take(token)) throw badFilter()
  }

  literal(): Literal {
    const token = this.next()
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
    if (/^\d+$/.test(token)) return Number(token)
    if (token === 'null') return null
    if (token === 'true' || token === 'false') return token === 'true'
    throw badFilter()
  }
}
