/** Expressions with variables, parameters and outputs put in: what is left open is a property of a resource. */
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type TemplateModule, type TemplateResource } from './template.ts'

/** A property that only the deployment knows. */
export interface Source {
  kind: 'source'
  /** Where the resource is declared; undefined where a snapshot alone is read. */
  module: TemplateModule | undefined
  /** Its symbolic name; of a resource that is known by its id only, the last part of that. */
  symbol: string
  /** Like `['appId']`. */
  path: string[]
}

export type Term = { kind: 'known'; value: Json } | Source | CallTerm

export interface CallTerm {
  kind: 'call'
  name: string
  args: Term[]
  path: Term[]
}

/** A property of a deployed resource's object; undefined while there is no such object. */
export type Lookup = (source: Source) => Record<string, Json> | undefined

export const known = (value: Json): Term => ({ kind: 'known', value })
export const call = (name: string, args: Term[], path: Term[] = []): Term =>
  simplified({ kind: 'call', name, args, path })

export const textOf = (term: Term | undefined): string | undefined =>
  term?.kind === 'known' && typeof term.value === 'string' ? term.value : undefined

/** undefined: there is no such property. */
function propertyAt(value: Json, path: readonly (string | number)[]): Json | undefined {
  let found: Json | undefined = value
  for (const key of path) {
    if (Array.isArray(found)) found = found[Number(key)]
    else found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  }
  return found
}

/** `{0}` and doubled braces; undefined for a format such as `{0:N}`, which only the compiler understands. */
export function formatParts(format: string): (string | number)[] | undefined {
  const parts: (string | number)[] = []
  let text = ''
  for (const [part] of format.matchAll(/\{\{|\}\}|\{\d+\}|[^{}]+|[{}]/g)) {
    if (part === '{' || part === '}') return undefined
    if (/^\{\d/.test(part)) {
      parts.push(text, Number(part.slice(1, -1)))
      text = ''
    } else text += part === '{{' || part === '}}' ? part[0] : part
  }
  return [...parts, text]
}

const isPlain = (value: Json) => typeof value !== 'object' || value === null

function formatted(format?: Json, ...values: Json[]): Json | undefined {
  const parts = typeof format === 'string' ? formatParts(format) : undefined
  if (!parts || !values.every(isPlain)) return undefined
  return parts.map((part) => (typeof part === 'string' ? part : String(values[part] ?? ''))).join('')
}

/** Of ARM's functions those that conditions, names and loops are made of; undefined: not for such values. */
const FUNCTIONS: Record<string, (...values: Json[]) => Json | undefined> = {
  true: () => true,
  false: () => false,
  null: () => null,
  and: (...values) => values.every((one) => one === true),
  or: (...values) => values.some((one) => one === true),
  not: (value = null) => (typeof value === 'boolean' ? !value : undefined),
  equals: (left = null, right = null) => isDeepStrictEqual(left, right),
  empty: (value = null) =>
    value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0),
  length: (value = null) =>
    typeof value === 'string' || Array.isArray(value) ? value.length : Object.keys(value ?? {}).length,
  contains: (container = null, item = null) =>
    Array.isArray(container)
      ? container.some((one) => isDeepStrictEqual(one, item))
      : isObject(container)
        ? Object.hasOwn(container, String(item))
        : typeof container === 'string' && container.includes(String(item)),
  toLower: (value = null) => (typeof value === 'string' ? value.toLowerCase() : undefined),
  toUpper: (value = null) => (typeof value === 'string' ? value.toUpperCase() : undefined),
  format: formatted,
  concat: (...values) => (values.every(isPlain) ? values.join('') : undefined),
  createArray: (...values) => values,
  createObject: (...values) =>
    Object.fromEntries(
      values.flatMap((key, at) => (at % 2 === 0 ? [[String(key), values[at + 1] ?? null]] : [])),
    ),
  coalesce: (...values) => values.find((one) => one !== null) ?? null,
  first: (list = null) => (Array.isArray(list) ? (list[0] ?? null) : undefined),
  last: (list = null) => (Array.isArray(list) ? (list.at(-1) ?? null) : undefined),
  range: (from = 0, count = 0) => Array.from({ length: Number(count) }, (_, index) => Number(from) + index),
  join: (list = null, between = '') =>
    Array.isArray(list) && list.every(isPlain) ? list.join(String(between)) : undefined,
  split: (text = null, between = null) =>
    typeof text === 'string' && typeof between === 'string' ? text.split(between) : undefined,
  replace: (text = null, from = null, to = '') =>
    typeof text === 'string' ? text.replaceAll(String(from), () => String(to)) : undefined,
  trim: (text = null) => (typeof text === 'string' ? text.trim() : undefined),
  startsWith: (text = null, part = null) => lower(text).startsWith(lower(part)),
  endsWith: (text = null, part = null) => lower(text).endsWith(lower(part)),
  string: (value = null) => (typeof value === 'string' ? value : JSON.stringify(value)),
  flatten: (lists = null) => (Array.isArray(lists) ? lists.flat() : undefined),
  union: united,
  guid: (...values) => (values.every(isPlain) ? guidOf(values.join('-')) : undefined),
  tryGet: (value = null, ...path) => propertyAt(value, path.map(String)) ?? null,
}

const lower = (value: Json) => String(value).toLowerCase()

function united(...values: Json[]): Json | undefined {
  if (values.every(isObject)) return Object.assign({}, ...values)
  if (!values.every((one) => Array.isArray(one))) return undefined
  const all = values.flat()
  return all.filter((one, at) => all.findIndex((other) => isDeepStrictEqual(one, other)) === at)
}

const NAMESPACE = Buffer.from('11fb06fb712d4ddd98c7e71bbd588830', 'hex')

/** As ARM makes it: a UUID of version 5. */
function guidOf(text: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(text).digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** As far as it can be said without a deployment. */
function simplified(term: CallTerm): Term {
  const { name, args, path } = term
  const chosen = chosenOf(name, args)
  if (chosen) return read(chosen, path)
  const values = args.flatMap((one) => (one.kind === 'known' ? [one.value] : []))
  const result = values.length === args.length ? FUNCTIONS[name]?.(...values) : undefined
  if (result !== undefined) return read(known(result), path)
  return path.length > 0 ? read({ ...term, path: [] }, path) : term
}

/** Of these functions the result is known before all arguments are. */
function chosenOf(name: string, args: Term[]): Term | undefined {
  const [first, ...others] = args
  const applied = appliedOf(name, first, others[0])
  if (applied) return applied
  if (name === 'concat') {
    const lists = args.map(elementsOf)
    return lists.every((one) => one !== undefined) ? call('createArray', lists.flat()) : undefined
  }
  if (first?.kind !== 'known') return undefined
  if (name === 'coalesce') return first.value === null ? call(name, others) : first
  return name === 'if' && typeof first.value === 'boolean' ? others[first.value ? 0 : 1] : undefined
}

/** `filter` and `map` of a list that is known: with an element in place of the lambda's variable. */
function appliedOf(name: string, list: Term | undefined, lambda: Term | undefined): Term | undefined {
  if (name === 'first' && list?.kind === 'call') return elementsOf(list)?.[0]
  if ((name !== 'filter' && name !== 'map') || lambda?.kind !== 'call' || lambda.name !== 'lambda')
    return undefined
  const elements = list && elementsOf(list)
  const body = lambda.args.at(-1)
  const [variable, index] = lambda.args.slice(0, -1).map(textOf)
  if (!elements || !body || variable === undefined) return undefined
  const results = elements.map((one, at) => {
    const inner = substituted(body, variable, one)
    return index === undefined ? inner : substituted(inner, index, known(at))
  })
  if (name === 'map') return call('createArray', results)
  return results.every((one) => one.kind === 'known')
    ? call(
        'createArray',
        elements.filter((_, at) => isDeepStrictEqual(results[at], known(true))),
      )
    : undefined
}

function substituted(term: Term, variable: string, value: Term): Term {
  if (term.kind !== 'call') return term
  const inner = (one: Term) => substituted(one, variable, value)
  const path = term.path.map(inner)
  if (term.name === 'lambdaVariables' && textOf(term.args[0]) === variable) return read(value, path)
  return call(term.name, term.args.map(inner), path)
}

/** It stands in a lambda whose variable is not given: the compiler has evaluated what was around it. */
export const hasFreeVariable = (term: Term, bound: readonly string[] = []): boolean => {
  if (term.kind !== 'call') return false
  if (term.name === 'lambdaVariables') return !bound.includes(textOf(term.args[0]) ?? '')
  const inner =
    term.name === 'lambda' ? [...bound, ...term.args.slice(0, -1).map((one) => textOf(one) ?? '')] : bound
  return [...term.args, ...term.path].some((one) => hasFreeVariable(one, inner))
}

/** The elements of a list whose length is known. */
export function elementsOf(term: Term): Term[] | undefined {
  if (term.kind === 'known') return Array.isArray(term.value) ? term.value.map(known) : undefined
  return term.kind === 'call' && term.name === 'createArray' && term.path.length === 0 ? term.args : undefined
}

/** The properties of an object whose names are known. */
export function entriesOf(term: Term): Map<string, Term> | undefined {
  if (term.kind === 'known')
    return isObject(term.value)
      ? new Map(Object.entries(term.value).map(([name, value]) => [name, known(value)]))
      : undefined
  if (term.kind !== 'call' || term.name !== 'createObject' || term.path.length > 0) return undefined
  const entries = new Map<string, Term>()
  for (const [at, one] of term.args.entries()) {
    const name = textOf(term.args[at - 1])
    if (at % 2 === 1 && name !== undefined) entries.set(name, one)
  }
  return entries.size * 2 === term.args.length ? entries : undefined
}

/** What is read from it. */
export function read(term: Term, path: readonly Term[]): Term {
  const [first, ...rest] = path
  if (!first) return term
  const key = first.kind === 'known' && isPlain(first.value) ? String(first.value) : undefined
  if (key !== undefined) {
    if (term.kind === 'source') return read({ ...term, path: [...term.path, key] }, rest)
    const inner = entriesOf(term)?.get(key) ?? elementsOf(term)?.[Number(key)]
    if (inner) return read(inner, rest)
  }
  return term.kind === 'call'
    ? { ...term, path: [...term.path, ...path] }
    : { kind: 'call', name: 'property', args: [term], path: [...path] }
}

/** Puts in what is deployed; what is not stays open. */
export function evaluated(term: Term, lookup: Lookup): Term {
  if (term.kind === 'known') return term
  if (term.kind === 'call') {
    const inner = (one: Term) => evaluated(one, lookup)
    return call(term.name, term.args.map(inner), term.path.map(inner))
  }
  const object = lookup(term)
  const value = object && propertyAt(object, term.path)
  return value === undefined ? term : known(value)
}

/** Every property of a resource that it is made of. */
export function sourcesIn(term: Term): Source[] {
  if (term.kind === 'source') return [term]
  return term.kind === 'call' ? [...term.args, ...term.path].flatMap(sourcesIn) : []
}

/** Known parts as text, the others as what they are read from; undefined when it is no such text. */
export type Pattern = readonly (string | Source)[]

export function patternOf(term: Term): Pattern | undefined {
  if (term.kind === 'source') return [term]
  if (term.kind === 'known') return isPlain(term.value) ? [String(term.value)] : undefined
  if (term.path.length > 0) return undefined
  if (term.name === 'concat') return joined(term.args.map(patternOf))
  if (term.name !== 'format') return undefined
  const [format, ...args] = term.args
  const holes = args.map(patternOf)
  const parts = formatParts(textOf(format) ?? '{')
  return parts && joined(parts.map((part) => (typeof part === 'string' ? [part] : holes[part])))
}

function joined(parts: (Pattern | undefined)[]): Pattern | undefined {
  const pattern: (string | Source)[] = []
  for (const one of parts) {
    if (!one) return undefined
    for (const part of one) {
      const last = pattern.at(-1)
      if (typeof part === 'string' && typeof last === 'string') pattern[pattern.length - 1] = last + part
      else if (part !== '') pattern.push(part)
    }
  }
  return pattern
}

/** Without the 13 letters that `uniqueString` adds to the name of a module's deployment, or of a resource. */
export const withoutHash = (name: string): string => name.replace(/-(?:[a-z0-9]{13}|\{0\})$/, '')

/** Module path and symbolic name: `identity/api`. */
export const placeOf = ({ module, symbol }: Omit<Source, 'kind' | 'path'>): string =>
  [...(module?.path ?? []), symbol].join('/')

/** What the template says of the resource; a copy of a loop is the loop's. */
export const resourceOf = ({ module, symbol }: Source): TemplateResource | undefined =>
  module?.resources.get(symbol.replace(/\[\d+\]$/, ''))

/**
 * The last name that an id tells, as a text or as the compiler's own call: `resourceId('…/vaults', format('v-{0}',
 * uniqueString(…)))`. Of any other call nobody knows what it gives.
 */
export function nameIn(id: Term): string | undefined {
  if (id.kind !== 'call') return textOf(id)?.split('/').at(-1)
  const last = id.args.at(-1)
  return textOf(last) ?? (last?.kind === 'call' && last.name === 'format' ? textOf(last.args[0]) : undefined)
}

const sourceText = ({ symbol, path }: Source): string => [withoutHash(symbol), ...path].join('.')

/** For people: `https://ca-x.{environment.defaultDomain}/mcp`, `toLower({api.appId})`. */
export function described(term: Term): string {
  if (term.kind === 'known') return typeof term.value === 'string' ? term.value : JSON.stringify(term.value)
  const pattern = patternOf(term)
  if (pattern)
    return pattern.map((part) => (typeof part === 'string' ? part : `{${sourceText(part)}}`)).join('')
  if (term.kind === 'source') return sourceText(term)
  const name = term.name === 'property' ? '' : term.name
  const path = term.path.map((one) => `.${described(one)}`).join('')
  return `${name}(${term.args.map(described).join(', ')})${path}`
}
