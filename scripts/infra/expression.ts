/**
 * Reads what only a deployment knows. A compiled value such as `[format('https://{0}', reference('api').appId)]`
 * becomes `https://{api.appId}`: the known parts as text, each unknown one as {source.property}.
 */

const TOKEN = /\s*(?:('(?:[^']|'')*')|([A-Za-z_]\w*)|(-?\d+)|([.,()[\]]))/y

class Reader {
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string) {
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex
      const match = TOKEN.exec(text)
      if (!match) throw new Error(`Not an expression of a template from character ${at} on: ${text}`)
      this.#tokens.push(match[0].trim())
    }
  }

  #next(): string {
    return this.#tokens[this.#at++] ?? ''
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at++
    return true
  }

  /** A literal, or a call with the properties that are read from its result. */
  value(): string {
    const token = this.#next()
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
    if (!this.#take('(')) return token
    const args: string[] = []
    while (!this.#take(')')) {
      args.push(this.value())
      if (!this.#take(',') && this.#tokens[this.#at] !== ')')
        throw new Error(`"," or ")" expected after ${args.at(-1)}`)
    }
    const path: string[] = []
    for (;;) {
      if (this.#take('.')) path.push(this.#next())
      else if (this.#take('[')) {
        path.push(this.value())
        this.#take(']')
      } else return meaning(token, args, path)
    }
  }
}

const meaning = (name: string, args: string[], path: string[]): string => {
  if (name === 'format' && path.length === 0) {
    return (args[0] ?? '').replace(/\{(\d+)\}/g, (hole, index: string) => args[Number(index) + 1] ?? hole)
  }
  if (name === 'reference') {
    // reference('api').appId, or the output of a module: its deployment is called <module>-<hash>.
    const source = (args[0] ?? '')
      .split('/')
      .at(-1)
      ?.replace(/-(?:[a-z0-9]{13}|\{.*\})$/, '')
    const read = path[0] === 'outputs' ? path.slice(1, 2) : path
    return `{${[source, ...read].join('.')}}`
  }
  if (name === 'extensionResourceId') return args.at(-1) ?? ''
  return `{${[`${name}(${args.join(', ')})`, ...path].join('.')}}`
}

/** Text stays text; an expression is read as far as it is known. */
export const readable = (value: unknown): string => {
  if (typeof value !== 'string') throw new Error(`A text was expected, not ${JSON.stringify(value)}`)
  if (!value.startsWith('[') || !value.endsWith(']') || value.startsWith('[[')) return value
  return new Reader(value.slice(1, -1)).value()
}
