/** Which resource of the template each Graph resource of a snapshot is: both are in one order. */
import { isDeepStrictEqual } from 'node:util'
import { escaped, isExpression, plainText } from './expression.ts'
import { type Scope, termOf } from './scope.ts'
import { isGraph, isObject, type Json, type TemplateModule, type TemplateResource } from './template.ts'
import {
  type CallTerm,
  call,
  elementsOf,
  entriesOf,
  formatParts,
  known,
  type Term,
  textOf,
  withoutHash,
} from './term.ts'

/** A Graph resource of a snapshot: evaluated, but without the symbolic name. */
export interface PredictedGraphResource {
  type: string
  properties: Record<string, Json>
}

/** A resource of the template, or one copy of it. */
interface Slot {
  module: TemplateModule
  resource: TemplateResource
  /** Its number in a loop. */
  copyIndex: number | undefined
  /** undefined: only the compiler can tell. */
  isDeployed: boolean | undefined
  /** A loop whose length only the compiler knows: none, one or many. */
  isRepeated: boolean
  /** Why no prediction can be recognized as one of it. */
  lost: string | undefined
}

/** A prediction of which it cannot be told what it is. */
export interface Unreadable {
  /** As the snapshot says it, with the version. */
  type: string
  /** How the snapshot calls it, or where it may be declared. */
  title: string
  /** Module path and symbolic name of each resource that it could be. */
  symbols: string[]
  reason: string
}

export interface Match {
  module: TemplateModule
  resource: TemplateResource
  copyIndex: number | undefined
  properties: Record<string, Json>
  /** What the template says of the properties. */
  declared: Term
}

export const placeOf = (module: TemplateModule, symbol: string, index?: number): string =>
  [...module.path, index === undefined ? symbol : `${symbol}[${index}]`].join('/')

const slotPlace = ({ module, resource, copyIndex }: Pick<Slot, 'module' | 'resource' | 'copyIndex'>) =>
  placeOf(module, resource.symbol, copyIndex)

/** What is not understood says nothing; the compiler has evaluated it. */
function termOrOpen(json: Json, scope: Scope): Term {
  try {
    return termOf(json, scope)
  } catch {
    if (Array.isArray(json))
      return call(
        'createArray',
        json.map((one) => termOrOpen(one, scope)),
      )
    if (!isObject(json) || 'copy' in json) return call('unreadable', [])
    const entries = Object.entries(json).flatMap(([name, one]) => [known(name), termOrOpen(one, scope)])
    return call('createObject', entries)
  }
}

function truth(condition: Json | undefined, scope: Scope): boolean | undefined {
  if (condition === undefined) return true
  const term = termOrOpen(condition, scope)
  return term.kind === 'known' && typeof term.value === 'boolean' ? term.value : undefined
}

const both = (left: boolean | undefined, right: boolean | undefined) =>
  left === false || right === false ? false : left && right

function countOf(count: Json | undefined, module: TemplateModule): number | undefined {
  const term = count === undefined ? undefined : termOrOpen(count, { module })
  return term?.kind === 'known' && typeof term.value === 'number' ? term.value : undefined
}

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index)

/** A symbolic name, or an id whose last part names the deployment. */
function dependencyName(dependency: string, module: TemplateModule): string {
  const term = termOrOpen(dependency, { module })
  const last = term.kind === 'call' && !textOf(term) ? term.args.at(-1) : undefined
  const text =
    textOf(term) ?? textOf(last) ?? (last?.kind === 'call' ? textOf(last.args[0]) : undefined) ?? dependency
  return withoutHash(text.split('/').at(-1) ?? text).replace(/\[\d+\]$/, '')
}

/** In the compiler's order: as the template lists them, but after what they depend on. */
function slotsIn(module: TemplateModule, isDeployed: boolean | undefined): Slot[] {
  const slots: Slot[] = []
  const state = new Map<string, 'begun' | 'done'>()
  const visit = (symbol: string): void => {
    const one = module.resources.get(symbol) ?? module.modules.get(symbol)
    if (!one || state.get(symbol) === 'done') return
    if (state.get(symbol) === 'begun')
      throw new Error(
        `${placeOf(module, symbol)} depends on itself: the resources depend on each other in a circle.`,
      )
    state.set(symbol, 'begun')
    for (const dependency of one.dependsOn) visit(dependencyName(dependency, module))
    state.set(symbol, 'done')
    slots.push(...('symbol' in one ? slotsOf(one, module, isDeployed) : slotsOfModule(one, isDeployed)))
  }
  for (const symbol of module.order) visit(symbol)
  return slots
}

function slotsOf(resource: TemplateResource, module: TemplateModule, isOuter: boolean | undefined): Slot[] {
  if (!isGraph(resource)) return []
  const slot = (copyIndex: number | undefined, isRepeated = false): Slot => ({
    module,
    resource,
    copyIndex,
    isRepeated,
    lost: undefined,
    isDeployed: both(isOuter, truth(resource.condition, { module, copyIndex })),
  })
  if (resource.count === undefined) return [slot(undefined)]
  const count = countOf(resource.count, module)
  return count === undefined ? [slot(undefined, true)] : indexes(count).map((index) => slot(index))
}

function slotsOfModule(module: TemplateModule, isOuter: boolean | undefined): Slot[] {
  const { parent, copy } = module
  if (!parent) return []
  const inner = (one: TemplateModule) =>
    slotsIn(one, both(isOuter, truth(one.condition, { module: parent, copyIndex: one.copyIndex })))
  if (!copy) return inner(module)
  const count = countOf(module.count, parent)
  if (count !== undefined) return indexes(count).flatMap((index) => inner(copy(index)))
  const lost = `Module ${module.path.join('/')} is a loop, and its length ${String(module.count)} is known only to the compiler. Loop over a parameter or a variable with a literal value.`
  return inner(module).map((slot) => ({ ...slot, isRepeated: true, lost }))
}

/**
 * Could the compiler have made `predicted` of this? What the template says literally has to be equal; what the
 * compiler left open is not compared.
 */
export function fits(declared: Term, predicted: Json): boolean {
  if (typeof predicted === 'string' && isExpression(predicted)) return declared.kind !== 'known'
  if (declared.kind === 'source') return false
  const elements = elementsOf(declared)
  if (elements)
    return (
      Array.isArray(predicted) &&
      predicted.length === elements.length &&
      elements.every((one, index) => fits(one, predicted[index] ?? null))
    )
  const entries = entriesOf(declared)
  if (entries) return fitsObject(entries, predicted)
  if (declared.kind === 'call') return declared.name !== 'format' || fitsFormat(declared, predicted)
  if (typeof declared.value === 'number') return String(declared.value) === String(predicted)
  return isDeepStrictEqual(declared.value, typeof predicted === 'string' ? plainText(predicted) : predicted)
}

const fitsObject = (entries: Map<string, Term>, predicted: Json): boolean =>
  isObject(predicted) &&
  Object.keys(predicted).every((name) => entries.has(name)) &&
  [...entries].every(([name, one]) => fits(one, predicted[name] ?? null))

/** Holes may hold anything, for their values are the compiler's business. */
function fitsFormat({ args: [format, ...args] }: CallTerm, predicted: Json): boolean {
  const parts = formatParts(textOf(format) ?? '{')
  if (!parts) return true
  const pattern = parts.map((part) => {
    if (typeof part === 'string') return escaped(part)
    const arg = args[part]
    return arg?.kind === 'known' ? escaped(String(arg.value)) : '.*'
  })
  return typeof predicted === 'string' && new RegExp(`^${pattern.join('')}$`, 's').test(plainText(predicted))
}

/** What is only read, copy by copy, unless its condition is false. */
export function existingResources(template: TemplateModule): {
  place: string
  type: string
  properties: Term
}[] {
  return slotsIn(template, true)
    .filter(
      ({ resource, isDeployed, isRepeated }) => resource.isExisting && isDeployed !== false && !isRepeated,
    )
    .map((slot) => ({
      place: slotPlace(slot),
      type: slot.resource.type,
      properties: termOrOpen(slot.resource.properties, slot),
    }))
}

export interface Alignment {
  matches: Match[]
  unreadable: Unreadable[]
}

/** Where there is no way to bring both together, or more than one, what fits nothing else is still recognized. */
export function align(template: TemplateModule, predicted: readonly PredictedGraphResource[]): Alignment {
  const all = slotsIn(template, true).filter(({ resource }) => !resource.isExisting)
  const slots = all.filter(({ lost }) => lost === undefined)
  const declared = new Map(all.map((slot) => [slot, termOrOpen(slot.resource.properties, slot)]))
  const couldBe = (slot: Slot, one: PredictedGraphResource | undefined) => {
    const term = declared.get(slot)
    if (!one || !term || slot.isDeployed === false) return false
    return slot.resource.type === one.type && fits(term, one.properties)
  }
  const { ways, furthest } = searchWays(slots, predicted, couldBe)
  const [whole, other] = ways
  const way =
    whole && !other ? whole : onlyFits(predicted.map((one) => all.filter((slot) => couldBe(slot, one))))
  const reason = whole ? other && ambiguity(whole, other) : misfit(predicted[furthest])
  const numbers = new Map<Slot, number>()
  const matches = predicted.flatMap((one, index) => {
    const slot = way[index]
    const term = slot && declared.get(slot)
    if (!slot || !term) return []
    const { module, resource } = slot
    const number = numbers.get(slot) ?? 0
    numbers.set(slot, number + 1)
    const copyIndex = slot.isRepeated ? number : slot.copyIndex
    return [{ module, resource, copyIndex, properties: one.properties, declared: term }]
  })
  const free = all.filter((slot) => !way.includes(slot))
  const unreadable = predicted.flatMap((one, index) =>
    way[index] ? [] : [describeUnreadable(one, free, reason ?? '')],
  )
  const named = new Set(unreadable.flatMap(({ symbols }) => symbols))
  const missing = free.filter((slot) => isCertain(slot) && !slot.lost && !named.has(slotPlace(slot)))
  return { matches, unreadable: [...unreadable, ...missing.map(describeMissing)] }
}

function describeMissing(slot: Slot): Unreadable {
  const place = slotPlace(slot)
  const reason = 'It is declared, and the compiler does not predict it. Were both made from the same files?'
  return { type: slot.resource.type, title: place, symbols: [place], reason }
}

/**
 * For every prediction the slot that is the only one left for it, once those are taken that others must have. undefined:
 * it cannot be told, or another one must have the same.
 */
function onlyFits(candidates: readonly (readonly Slot[])[]): (Slot | undefined)[] {
  const single = candidates.map(([only, ...others]) => (others.length === 0 ? only : undefined))
  const isTaken = (slot: Slot) => slot.isRepeated || single.filter((one) => one === slot).length === 1
  const taken = new Set(single.filter((slot) => slot !== undefined && isTaken(slot)))
  const left = candidates.map((those) =>
    those.length < 2 ? those : those.filter((slot) => slot.isRepeated || !taken.has(slot)),
  )
  if (left.some(({ length }, at) => length !== candidates[at]?.length)) return onlyFits(left)
  return single.map((slot) => (slot && taken.has(slot) && slot.lost === undefined ? slot : undefined))
}

function describeUnreadable(
  { type, properties }: PredictedGraphResource,
  free: readonly Slot[],
  reason: string,
): Unreadable {
  const possible = free.filter(({ resource, isDeployed }) => resource.type === type && isDeployed !== false)
  const lost = possible.filter((slot) => slot.lost !== undefined)
  const symbols = [...new Set((lost.length > 0 ? lost : possible).map(slotPlace))]
  const { displayName, uniqueName, name } = properties
  const title = [displayName, uniqueName, name].find((one) => typeof one === 'string' && /^[^[]/.test(one))
  return {
    type,
    title: typeof title === 'string' ? title : (symbols[0] ?? 'without a name'),
    symbols,
    reason: lost[0]?.lost ?? reason,
  }
}

/** Two resources that are equal in everything, so that it does not matter which is which, cannot exist: keys differ. */
function ambiguity(way: readonly Slot[], other: readonly Slot[]): string {
  const places = [...way, ...other].filter((_, at) => way[at % way.length] !== other[at % way.length])
  return `It cannot be told which prediction belongs to which of ${[...new Set(places.map(slotPlace))].join(', ')}. Give them names or texts of their own.`
}

const isCertain = ({ isDeployed, isRepeated }: Slot) => isDeployed === true && !isRepeated

/** For every prediction its slot; two ways at most, for two are one too many already. `furthest`: how many were placed. */
function searchWays(
  slots: readonly Slot[],
  predicted: readonly PredictedGraphResource[],
  couldBe: (slot: Slot, one: PredictedGraphResource | undefined) => boolean,
): { ways: Slot[][]; furthest: number } {
  const known = new Map<string, Slot[][]>()
  let furthest = 0
  const search = (at: number, next: number): Slot[][] => {
    furthest = Math.max(furthest, next)
    const slot = slots[at]
    if (!slot) return next === predicted.length ? [[]] : []
    const before = known.get(`${at} ${next}`)
    if (before) return before
    const rest = couldBe(slot, predicted[next]) ? search(slot.isRepeated ? at : at + 1, next + 1) : []
    const ways = rest.map((way) => [slot, ...way])
    if (ways.length < 2 && !isCertain(slot)) ways.push(...search(at + 1, next))
    known.set(`${at} ${next}`, ways.slice(0, 2))
    return ways.slice(0, 2)
  }
  return { ways: search(0, 0), furthest }
}

const misfit = (one: PredictedGraphResource | undefined) =>
  one
    ? `The compiler predicts a ${one.type} that no resource of the template could have become there. Were both made from the same files?`
    : 'Template and prediction do not fit together: the prediction ends too early. Were both made from the same files?'
