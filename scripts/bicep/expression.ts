/** The expressions of ARM templates, parsed and not evaluated: `[format('https://{0}', reference('api').appId)]`. */

export type Expression =
  | { kind: 'known'; value: string | number }
  | { kind: 'call'; name: string; args: Expression[]; path: Expression[] }

const TOKEN = /\s*('(?:[^']|'')*'|[A-Za-z_$][\w$]*|-?\d+|[.,()[\]?])\s*/gy

class Reader {
  readonly #text: string
  readonly #tokens: string[]
  #at = 0

  constructor(text: string) {
    this.#text = text
    const found = [...text.matchAll(TOKEN)]
    this.#tokens = found.map(([, token = '']) => token)
    if (found.map(([match]) => match).join('') !== text) throw this.#unreadable()
  }

  whole(): Expression {
    const expression = this.#expression()
    if (this.#at < this.#tokens.length) throw this.#unreadable()
    return expression
  }

  #expression(): Expression {
    const token = this.#next()
    if (token.startsWith("'")) return { kind: 'known', value: token.slice(1, -1).replaceAll("''", "'") }
    if (/^-?\d+$/.test(token)) return { kind: 'known', value: Number(token) }
    if (!/^[A-Za-z_$]/.test(token)) throw this.#unreadable()
    // A function of one's own: __bicep.name(...).
    let name = token
    while (this.#take('.')) name += `.${this.#next()}`
    if (!this.#take('(')) throw this.#unreadable()
    const args: Expression[] = []
    while (!this.#take(')')) {
      if (args.length > 0 && !this.#take(',')) throw this.#unreadable()
      args.push(this.#expression())
    }
    return { kind: 'call', name, args, path: this.#path() }
  }

  #path(): Expression[] {
    const path: Expression[] = []
    for (;;) {
      this.#take('?')
      if (this.#take('.')) path.push({ kind: 'known', value: this.#next() })
      else if (this.#take('[')) {
        path.push(this.#expression())
        if (!this.#take(']')) throw this.#unreadable()
      } else return path
    }
  }

  #next(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw this.#unreadable()
    this.#at += 1
    return token
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at += 1
    return true
  }

  #unreadable() {
    return new Error(
      `This expression of the compiled template is not understood: [${this.#text}]. Report it with the line of Bicep that it comes from.`,
    )
  }
}

/** Whether a compiled text stands for an expression, understood or not. */
export const isExpression = (text: string): boolean =>
  text.startsWith('[') && text.endsWith(']') && !text.startsWith('[[')

/** The expression that a compiled text stands for; undefined for plain text, which `[[` may begin. */
export function parseExpression(text: string): Expression | undefined {
  if (!isExpression(text)) return undefined
  return new Reader(text.slice(1, -1)).whole()
}

/** Plain text as it is meant: an escaped bracket is a bracket. */
export const plainText = (text: string): string => (text.startsWith('[[') ? text.slice(1) : text)

/** For a regular expression that means this text and nothing else. */
export const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
