import { type Call, type Expression, escaped, parseExpression, plainText, textOf } from './expression.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** A value that only the deployment knows: a property of a resource, or an output of a module. */
export interface Reference {
  kind: 'resource' | 'module'
  /** Symbolic name of a resource; of a module its symbolic name or the name of its deployment. */
  name: string
  /** `['appId']`; of a module the output's name and what is read of it. */
  path: string[]
}

/** Known parts as text, the others as what they are read from; undefined when it is no such pattern. */
export type Pattern = readonly (string | Reference)[]

/** An expression that the compiler left open. */
export class Unknown {
  readonly expression: string
  readonly pattern: Pattern | undefined

  constructor(expression: string, pattern: Pattern | undefined) {
    this.expression = expression
    this.pattern = pattern
  }

  /** For people: `https://ca-x.{host.defaultDomain}/mcp`, or the expression itself. */
  toString(): string {
    if (!this.pattern) return this.expression
    const names = this.pattern.map((part) =>
      typeof part === 'string' ? part : `{${[symbolOf(part.name), ...part.path].join('.')}}`,
    )
    return names.join('')
  }

  /** Could it become this? Undefined when nothing of it is known. */
  fits(text: string): boolean | undefined {
    if (!this.pattern) return undefined
    const parts = this.pattern.map((part) => (typeof part === 'string' ? escaped(part) : '.+'))
    return new RegExp(`^${parts.join('')}$`, 's').test(text)
  }
}

export type Value = string | number | boolean | null | Unknown | Value[] | { [key: string]: Value }

/** Reads every expression in it. */
export function readValue(json: Json): Value {
  if (typeof json === 'string') {
    const expression = parseExpression(json)
    return expression ? new Unknown(json, patternOf(expression)) : plainText(json)
  }
  if (Array.isArray(json)) return json.map(readValue)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, inner]) => [name, readValue(inner)]))
}

/** Without the 13 letters that the compiler adds to the name of a module's deployment. */
export const symbolOf = (deployment: string): string => deployment.replace(/-(?:[a-z0-9]{13}|\{0\})$/, '')

export function patternOf(expression: Expression): Pattern | undefined {
  if (expression.kind === 'text') return [expression.value]
  if (expression.kind === 'number') return [String(expression.value)]
  if (expression.name === 'reference') {
    const reference = referenceOf(expression)
    return reference && [reference]
  }
  if (expression.path.length > 0) return undefined
  if (expression.name === 'format') return formatted(expression)
  return expression.name === 'concat' ? joined(expression.args.map(patternOf)) : undefined
}

function formatted({ args: [format, ...args] }: Call): Pattern | undefined {
  const text = textOf(format)
  if (text === undefined) return undefined
  const parts = text.split(/\{(\d+)\}/).map((part, index) => {
    if (index % 2 === 0) return [part.replaceAll('{{', '{').replaceAll('}}', '}')]
    const arg = args[Number(part)]
    return arg && patternOf(arg)
  })
  return joined(parts)
}

function joined(parts: (Pattern | undefined)[]): Pattern | undefined {
  if (parts.some((part) => part === undefined)) return undefined
  const pattern: (string | Reference)[] = []
  for (const part of parts.flatMap((one) => one ?? [])) {
    const last = pattern.at(-1)
    if (typeof part === 'string' && typeof last === 'string') pattern[pattern.length - 1] = last + part
    else if (part !== '') pattern.push(part)
  }
  return pattern
}

/** `reference('api').appId` and `reference('<id of a deployment>').outputs.name.value`. */
export function referenceOf({ args: [target], path }: Call): Reference | undefined {
  const names = path.map((part) => (part.kind === 'number' ? String(part.value) : textOf(part)))
  const known = names.flatMap((name) => (name === undefined ? [] : [name]))
  const name = target && deploymentName(target)
  if (name === undefined || known.length < names.length) return undefined
  const [first, output, value, ...rest] = known
  if (first === 'outputs' && output !== undefined && value === 'value')
    return { kind: 'module', name, path: [output, ...rest] }
  return { kind: 'resource', name, path: known }
}

/** The last segment of a resource id, however it is put together; a symbolic name is its own. */
function deploymentName(target: Expression): string | undefined {
  if (target.kind === 'text') return target.value.split('/').at(-1)
  if (target.kind !== 'call') return undefined
  if (target.name === 'format') return textOf(target.args[0])?.split('/').at(-1)
  const last = target.args.at(-1)
  return last && /resourceId$/i.test(target.name) ? deploymentName(last) : undefined
}
