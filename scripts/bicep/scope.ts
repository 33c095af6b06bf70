/** Reads expressions where they stand: which variable, parameter, resource or output a name means. */
import { type Expression, parseExpression, plainText } from './expression.ts'
import { isObject, type Json, type TemplateModule } from './template.ts'
import { call, known, nameIn, read, resourceOf, type Source, type Term, textOf, withoutHash } from './term.ts'

export interface Scope {
  /** undefined: a text of a snapshot alone. */
  module: TemplateModule | undefined
  /** Which copy of a loop. */
  copyIndex?: number | undefined
  /** Where loops over properties stand, by their names. */
  loops?: Readonly<Record<string, number>>
  /** In a snapshot, names of other modules appear without their module: what the declaration refers to. */
  hints?: readonly Source[]
  /** What is not understood stays open: the compiler has evaluated it. */
  isLenient?: boolean
}

/** Throws an error that names the expression which is not understood. */
export function termOf(json: Json, scope: Scope): Term {
  if (typeof json === 'string') {
    try {
      const expression = parseExpression(json)
      return expression ? termOfExpression(expression, scope) : known(plainText(json))
    } catch (error) {
      if (!scope.isLenient) throw error
      return call('unreadable', [])
    }
  }
  const inner = (one: Json) => termOf(one, scope)
  if (Array.isArray(json)) return call('createArray', json.map(inner))
  if (!isObject(json)) return known(json)
  const entries = Object.entries(json).flatMap(([name, one]) =>
    // A loop over a property stands beside the properties, under this name.
    name === 'copy' ? loopedProperties(one, scope) : [known(name), inner(one)],
  )
  return call('createObject', entries)
}

function loopedProperties(copies: Json, scope: Scope): Term[] {
  if (!Array.isArray(copies)) return [known('copy'), termOf(copies, scope)]
  return copies.flatMap((copy) => {
    if (!isObject(copy)) return []
    const { name, count = null, input = null } = copy
    return typeof name === 'string' ? [known(name), loopTerm(name, termOf(count, scope), input, scope)] : []
  })
}

/** A list where its length is known. */
function loopTerm(name: string, count: Term, input: Json, scope: Scope): Term {
  if (count.kind !== 'known') return call('copy', [count, termOf(input, scope)])
  const copies = Array.from({ length: Number(count.value) }, (_, index) =>
    termOf(input, { ...scope, loops: { ...scope.loops, [name]: index } }),
  )
  return call('createArray', copies)
}

/** What the cloud, the deployment's target and whoever deploys answer: properties of no resource. */
const ANSWERS = ['environment', 'deployer', 'tenant', 'subscription', 'resourceGroup', 'managementGroup']

function termOfExpression(expression: Expression, scope: Scope): Term {
  if (expression.kind === 'known') return expression
  const { name } = expression
  const inner = (one: Expression) => termOfExpression(one, scope)
  const [args, path] = [expression.args.map(inner), expression.path.map(inner)]
  if (name === 'reference') return referenceTerm(args[0], path, scope) ?? call(name, args, path)
  const found = namedTerm(name, args, scope)
  return found ? read(found, path) : call(name, args, path)
}

function namedTerm(name: string, args: Term[], { module, copyIndex, loops = {} }: Scope): Term | undefined {
  const which = textOf(args[0])
  if (name === 'copyIndex') {
    const index = which !== undefined && which in loops ? loops[which] : copyIndex
    return index === undefined ? undefined : known(index + offsetIn(args))
  }
  if (args.length === 0 && ANSWERS.includes(name))
    return { kind: 'source', module: undefined, symbol: `${name}()`, path: [] }
  if (!module || which === undefined) return undefined
  if (name === 'variables') {
    const value = module.variables[which]
    return value === undefined ? undefined : termOf(value, { module })
  }
  return name === 'parameters' ? parameterTerm(which, module) : undefined
}

/** `copyIndex(1)` counts from one. */
const offsetIn = (args: readonly Term[]): number =>
  args.map((one) => one.kind === 'known' && one.value).find((one) => typeof one === 'number') ?? 0

function parameterTerm(name: string, module: TemplateModule): Term | undefined {
  if (name in module.given) return known(module.given[name] ?? null)
  const passed = module.parameters[name]
  if (passed !== undefined && module.parent)
    return termOf(passed, { module: module.parent, copyIndex: module.copyIndex })
  const usual = module.defaults[name]
  return usual === undefined ? undefined : termOf(usual, { module })
}

/** By a symbolic name, or by the id of a resource or of a module's deployment. */
function referenceTerm(target: Term | undefined, path: Term[], scope: Scope): Term | undefined {
  const names = path.flatMap((one) => (one.kind === 'known' ? String(one.value) : []))
  if (!target || names.length < path.length) return undefined
  const symbol = textOf(target)
  if (symbol !== undefined && !symbol.includes('/')) return sourceBySymbol(symbol, names, scope)
  const type = typeIn(target)
  const name = nameIn(target) ?? '?'
  if (type === 'Microsoft.Resources/deployments') return outputTerm(name, names, scope)
  return type === undefined ? undefined : sourceById(type, name, names, scope)
}

/** `Microsoft.App/managedEnvironments` of an id, or of `resourceId('…', 'Microsoft.App/managedEnvironments', 'x')`. */
function typeIn(id: Term): string | undefined {
  if (id.kind === 'call')
    return /resourceId$/i.test(id.name)
      ? id.args.map(textOf).find((one) => one !== undefined && /^[\w.]+\/[\w/]+$/.test(one))
      : undefined
  const [namespace, ...segments] = textOf(id)?.split('/providers/').at(-1)?.split('/') ?? []
  const types = segments.filter((_, at) => at % 2 === 0)
  return namespace === undefined ? undefined : [namespace, ...types].join('/')
}

/** From where it is read upwards: a module sees its siblings and those of the modules around it. */
function moduleNamed(name: string, from: TemplateModule | undefined): TemplateModule | undefined {
  if (!from) return undefined
  // `team[2]` is the third copy of `team`.
  const [, base = name, index] = /^(.*)\[(\d+)\]$/.exec(name) ?? []
  const module = from.modules.get(base)
  const found = index === undefined ? module : module?.copy?.(Number(index))
  return found ?? moduleNamed(name, from.parent)
}

function outputTerm(deployment: string, names: string[], { module }: Scope): Term | undefined {
  const [outputs, output, value, ...path] = names
  if (outputs !== 'outputs' || output === undefined || value !== 'value') return undefined
  const symbol = withoutHash(deployment)
  const from = moduleNamed(symbol, module)
  const declared = from?.outputs[output]
  return declared === undefined
    ? { kind: 'source', module, symbol, path: [output, ...path] }
    : read(termOf(declared, { module: from }), path.map(known))
}

/** The sources with this path. */
const at = (sources: readonly Source[], names: readonly string[]) =>
  sources.filter(({ path }) => path.join('/') === names.join('/'))

/** One resource, however often it is referred to; undefined for none and for several. */
function only(sources: readonly Source[]): Source | undefined {
  const [first] = sources
  return sources.every((one) => one.module === first?.module && one.symbol === first?.symbol)
    ? first
    : undefined
}

function sourceBySymbol(symbol: string, path: string[], scope: Scope): Term | undefined {
  const { module, hints = [] } = scope
  const hinted = at(hints, path).filter((one) => one.symbol === symbol)
  // Two modules have a resource of that name: better unknown than wrong.
  if (hinted.length > 0) return only(hinted) ?? call('reference', [known(symbol)], path.map(known))
  const source: Source = { kind: 'source', module, symbol, path }
  return !module || resourceOf(source) ? source : outputTerm(symbol, path, scope)
}

function sourceById(type: string, symbol: string, path: string[], { hints = [] }: Scope): Term {
  const hinted = at(hints, path).filter((one) => resourceOf(one)?.type.split('@')[0] === type)
  return only(hinted) ?? { kind: 'source', module: undefined, symbol, path }
}
