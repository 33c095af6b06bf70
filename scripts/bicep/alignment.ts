/** Which resource of the template each Graph resource of a snapshot is: both are in one order. */
import { isDeepStrictEqual } from 'node:util'
import { escaped, parseExpression, plainText } from './expression.ts'
import { type Scope, termOf } from './scope.ts'
import { isGraph, type Json, type TemplateModule, type TemplateResource } from './template.ts'
import { type CallTerm, elementsOf, entriesOf, formatParts, type Term, textOf, withoutHash } from './term.ts'

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

function truth(condition: Json | undefined, scope: Scope): boolean | undefined {
  if (condition === undefined) return true
  const term = termOf(condition, scope)
  return term.kind === 'known' && typeof term.value === 'boolean' ? term.value : undefined
}

const both = (left: boolean | undefined, right: boolean | undefined) =>
  left === false || right === false ? false : left && right

function countOf(count: Json | undefined, module: TemplateModule): number | undefined {
  const term = count === undefined ? undefined : termOf(count, { module })
  return term?.kind === 'known' && typeof term.value === 'number' ? term.value : undefined
}

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index)

/** A symbolic name, or an id whose last part names the deployment. */
function dependencyName(dependency: string, module: TemplateModule): string {
  const term = termOf(dependency, { module })
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
  const [first] = inner(module)
  if (first)
    throw new Error(
      `Module ${module.path.join('/')} is a loop with Graph resources (${first.resource.symbol}), and its length ${String(module.count)} is known only to the compiler. Loop over a parameter or a variable with a literal value.`,
    )
  return []
}

/**
 * Could the compiler have made `predicted` of this? What the template says literally has to be equal; what the
 * compiler left open is not compared.
 */
export function fits(declared: Term, predicted: Json): boolean {
  if (typeof predicted === 'string' && parseExpression(predicted)) return declared.kind !== 'known'
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
  typeof predicted === 'object' &&
  predicted !== null &&
  !Array.isArray(predicted) &&
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
      properties: termOf(slot.resource.properties, slot),
    }))
}

/** Throws when there is no way to bring both together, or more than one. */
export function align(template: TemplateModule, predicted: readonly PredictedGraphResource[]): Match[] {
  const slots = slotsIn(template, true).filter(({ resource }) => !resource.isExisting)
  const declared = new Map(
    slots.map((slot) => [
      slot,
      termOf(slot.resource.properties, { module: slot.module, copyIndex: slot.copyIndex }),
    ]),
  )
  const search = new Search(slots, predicted, (slot, one) => {
    const term = declared.get(slot)
    return term !== undefined && slot.resource.type === one.type && fits(term, one.properties)
  })
  const [way, other] = search.ways()
  if (!way) throw search.misfit()
  if (other) throw ambiguous(way, other)
  const numbers = new Map<Slot, number>()
  return way.flatMap((slot, index) => {
    const { module, resource } = slot
    const term = declared.get(slot)
    const one = predicted[index]
    if (!term || !one) return []
    const number = numbers.get(slot) ?? 0
    numbers.set(slot, number + 1)
    const copyIndex = slot.isRepeated ? number : slot.copyIndex
    return [{ module, resource, copyIndex, properties: one.properties, declared: term }]
  })
}

/** Two resources that are equal in everything, so that it does not matter which is which, cannot exist: keys differ. */
function ambiguous(way: readonly Slot[], other: readonly Slot[]): Error {
  const places = [...way, ...other].filter((_, at) => way[at % way.length] !== other[at % way.length])
  return new Error(
    `It cannot be told which prediction belongs to which of ${[...new Set(places.map(slotPlace))].join(', ')}. Give them names or texts of their own.`,
  )
}

class Search {
  readonly #slots: readonly Slot[]
  readonly #predicted: readonly PredictedGraphResource[]
  readonly #fits: (slot: Slot, one: PredictedGraphResource) => boolean
  readonly #dead = new Set<string>()
  #furthest = 0

  constructor(
    slots: readonly Slot[],
    predicted: readonly PredictedGraphResource[],
    fits: (slot: Slot, one: PredictedGraphResource) => boolean,
  ) {
    this.#slots = slots
    this.#predicted = predicted
    this.#fits = fits
  }

  /** For every prediction its slot; two ways at most, for two are one too many already. */
  ways(): Slot[][] {
    return this.#from(0, 0).slice(0, 2)
  }

  #from(at: number, next: number): Slot[][] {
    this.#furthest = Math.max(this.#furthest, next)
    const place = `${at} ${next}`
    if (this.#dead.has(place)) return []
    const slot = this.#slots[at]
    if (!slot) return next === this.#predicted.length ? [[]] : []
    const one = this.#predicted[next]
    const ways: Slot[][] = []
    if (one && slot.isDeployed !== false && this.#fits(slot, one)) {
      const rest = this.#from(slot.isRepeated ? at : at + 1, next + 1)
      ways.push(...rest.map((way) => [slot, ...way]))
    }
    if (ways.length < 2 && (slot.isDeployed !== true || slot.isRepeated))
      ways.push(...this.#from(at + 1, next))
    if (ways.length === 0) this.#dead.add(place)
    return ways.slice(0, 2)
  }

  misfit(): Error {
    const one = this.#predicted[this.#furthest]
    return new Error(
      one
        ? `The snapshot has a ${one.type} that no resource of the template could have become there: ${JSON.stringify(one.properties)}. Were both made from the same files?`
        : 'Template and snapshot do not fit together: the snapshot ends too early. Were both made from the same files?',
    )
  }
}
