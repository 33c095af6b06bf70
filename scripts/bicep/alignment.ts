/** Which resource of the template each Graph resource of a snapshot is: both are in one order. */
import { isDeepStrictEqual } from 'node:util'
import { escaped, isExpression, plainText } from './expression.ts'
import { type Scope, termOf } from './scope.ts'
import { isGraph, isObject, type Json, type TemplateModule, type TemplateResource } from './template.ts'
import {
  type CallTerm,
  elementsOf,
  entriesOf,
  formatParts,
  nameIn,
  placeOf,
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
  /** What the template says of the properties. */
  declared: Term
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

export interface Match extends Pick<Slot, 'module' | 'resource' | 'copyIndex' | 'declared'> {
  /** As the snapshot says them. */
  properties: Record<string, Json>
}

/** Module path and symbolic name; of a loop also its number: `identity/owner[0]`. */
export const matchPlace = ({ module, resource: { symbol }, copyIndex }: Omit<Match, 'properties'>): string =>
  placeOf({ module, symbol: copyIndex === undefined ? symbol : `${symbol}[${copyIndex}]` })

/** What is not understood says nothing. */
const termOrOpen = (json: Json, scope: Scope): Term => termOf(json, { ...scope, isLenient: true })

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

/** A symbolic name, or an id whose last part names the deployment. */
function dependencyName(dependency: string, module: TemplateModule): string {
  const name = nameIn(termOrOpen(dependency, { module })) ?? dependency
  return withoutHash(name).replace(/\[\d+\]$/, '')
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
        `${placeOf({ module, symbol })} depends on itself: the resources depend on each other in a circle.`,
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
    declared: termOrOpen(resource.properties, { module, copyIndex }),
    isDeployed: both(isOuter, truth(resource.condition, { module, copyIndex })),
  })
  if (resource.copy === undefined) return [slot(undefined)]
  const count = countOf(resource.copy.count, module)
  return count === undefined ? [slot(undefined, true)] : Array.from({ length: count }, (_, at) => slot(at))
}

function slotsOfModule(module: TemplateModule, isOuter: boolean | undefined): Slot[] {
  const { parent, copy } = module
  if (!parent) return []
  const inner = (one: TemplateModule) =>
    slotsIn(one, both(isOuter, truth(one.condition, { module: parent, copyIndex: one.copyIndex })))
  if (!copy) return inner(module)
  const count = countOf(module.count, parent)
  if (count !== undefined) return Array.from({ length: count }, (_, at) => inner(copy(at))).flat()
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
      ({ resource, isDeployed, isRepeated }) => resource.existing && isDeployed !== false && !isRepeated,
    )
    .map((slot) => ({ place: matchPlace(slot), type: slot.resource.type, properties: slot.declared }))
}

/** Where there is no way to bring both together, or more than one, what fits nothing else is still recognized. */
export function align(
  template: TemplateModule,
  predicted: readonly PredictedGraphResource[],
): { matches: Match[]; unreadable: Unreadable[] } {
  const all = slotsIn(template, true).filter(({ resource }) => !resource.existing)
  const slots = all.filter(({ lost }) => lost === undefined)
  const { ways, furthest } = searchWays(slots, predicted)
  const [whole, other] = ways
  const way =
    whole && !other ? whole : onlyFits(predicted.map((one) => all.filter((slot) => couldBe(slot, one))))
  const reason = whole ? other && ambiguity(whole, other) : misfit(predicted[furthest])
  const matches = predicted.flatMap(({ properties }, index) => {
    const slot = way[index]
    if (!slot) return []
    const earlier = way.slice(0, index).filter((one) => one === slot)
    return [{ ...slot, copyIndex: slot.isRepeated ? earlier.length : slot.copyIndex, properties }]
  })
  const free = all.filter((slot) => !way.includes(slot))
  const unreadable = predicted.flatMap((one, index) =>
    way[index] ? [] : [describeUnreadable(one, free, reason ?? '')],
  )
  const named = new Set(unreadable.flatMap(({ symbols }) => symbols))
  const missing = free.filter((slot) => isCertain(slot) && !slot.lost && !named.has(matchPlace(slot)))
  return { matches, unreadable: [...unreadable, ...missing.map(describeMissing)] }
}

function describeMissing(slot: Slot): Unreadable {
  const place = matchPlace(slot)
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
  const symbols = [...new Set((lost.length > 0 ? lost : possible).map(matchPlace))]
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
  return `It cannot be told which prediction belongs to which of ${[...new Set(places.map(matchPlace))].join(', ')}. Give them names or texts of their own.`
}

const couldBe = ({ declared, resource, isDeployed }: Slot, one: PredictedGraphResource | undefined) =>
  one !== undefined && isDeployed !== false && resource.type === one.type && fits(declared, one.properties)

const isCertain = ({ isDeployed, isRepeated }: Slot) => isDeployed === true && !isRepeated

/** For every prediction its slot; two ways at most, for two are one too many already. `furthest`: how many were placed. */
function searchWays(
  slots: readonly Slot[],
  predicted: readonly PredictedGraphResource[],
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
