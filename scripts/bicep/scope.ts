/** Reads expressions where they stand: which variable, parameter, resource or output a name means. */
import { type Call, type Expression, parseExpression, plainText } from './expression.ts'
import { isObject, type Json, type TemplateModule } from './template.ts'
import { call, known, read, type Source, type Term, textOf, withoutHash } from './term.ts'

export interface Scope {
  /** undefined: a text of a snapshot alone. */
  module: TemplateModule | undefined
  /** Which copy of a loop. */
  copyIndex?: number | undefined
  /** Where loops over properties stand, by their names. */
  loops?: Readonly<Record<string, number>>
  /** In a snapshot, names of other modules appear without their module: what the declaration refers to. */
  hints?: readonly Source[]
}

/** Throws an error that names the expression which is not understood. */
export function termOf(json: Json, scope: Scope): Term {
  if (typeof json === 'string') {
    const expression = parseExpression(json)
    return expression ? termOfExpression(expression, scope) : known(plainText(json))
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
  if (expression.kind !== 'call') return known(expression.value)
  const { name } = expression
  const path = expression.path.map((one) => termOfExpression(one, scope))
  const args = expression.args.map((one) => termOfExpression(one, scope))
  const found = name === 'reference' ? undefined : namedTerm(name, args, scope)
  if (found) return read(found, path)
  return (name === 'reference' && referenceTerm(expression, args[0], path, scope)) || call(name, args, path)
}

function namedTerm(name: string, args: Term[], { module, copyIndex, loops = {} }: Scope): Term | undefined {
  const which = textOf(args[0])
  if (name === 'copyIndex') {
    const index = which !== undefined && which in loops ? loops[which] : copyIndex
    return index === undefined ? undefined : known(index + offsetIn(args))
  }
  if (args.length === 0 && ANSWERS.includes(name))
    return { kind: 'source', source: { module: undefined, symbol: `${name}()`, path: [] } }
  if (!module || which === undefined) return undefined
  if (name === 'variables') {
    const value = module.variables[which]
    return value === undefined ? undefined : termOf(value, { module })
  }
  return name === 'parameters' ? parameterTerm(which, module) : undefined
}

/** `copyIndex(1)` counts from one. */
const offsetIn = (args: readonly Term[]): number =>
  Number(
    args.flatMap((one) => (one.kind === 'known' && typeof one.value === 'number' ? [one.value] : []))[0] ?? 0,
  )

function parameterTerm(name: string, module: TemplateModule): Term | undefined {
  if (name in module.given) return known(module.given[name] ?? null)
  const passed = module.parameters[name]
  if (passed !== undefined && module.parent)
    return termOf(passed, { module: module.parent, copyIndex: module.copyIndex })
  const usual = module.defaults[name]
  return usual === undefined ? undefined : termOf(usual, { module })
}

function referenceTerm(
  expression: Call,
  target: Term | undefined,
  path: Term[],
  scope: Scope,
): Term | undefined {
  const keys = path.map((one) => (one.kind === 'known' ? String(one.value) : undefined))
  if (!target || keys.some((one) => one === undefined)) return undefined
  const names = keys.flatMap((one) => one ?? [])
  const deployment = deploymentOf(target)
  if (deployment !== undefined) return outputTerm(deployment, names, path, scope)
  const name = textOf(target) ?? idOf(target)
  if (name === undefined) return undefined
  return name.includes('/')
    ? sourceById(name, names, scope)
    : sourceBySymbol(expression, name, names, path, scope)
}

/** The name of a deployment, which is how a module's outputs are referred to from outside of its file. */
function deploymentOf(target: Term): string | undefined {
  const id = textOf(target)
  if (id !== undefined) return /\/Microsoft\.Resources\/deployments\/([^/]+)$/.exec(id)?.[1]
  if (target.kind !== 'call' || !/resourceId$/i.test(target.name)) return undefined
  if (!target.args.some((one) => textOf(one) === 'Microsoft.Resources/deployments')) return undefined
  const last = target.args.at(-1)
  return textOf(last) ?? (last?.kind === 'call' && last.name === 'format' ? textOf(last.args[0]) : undefined)
}

/** As much of an id as `resourceId('…', resourceGroup().name, 'Microsoft.App/managedEnvironments', 'x')` tells. */
function idOf(target: Term): string | undefined {
  if (target.kind !== 'call' || !/resourceId$/i.test(target.name)) return undefined
  const at = target.args.findIndex((one) => /^[\w.]+\/[\w/]+$/.test(textOf(one) ?? ''))
  const [namespace, ...types] = (textOf(target.args[at]) ?? '').split('/')
  const names = target.args.slice(at + 1).map((one) => textOf(one) ?? '?')
  return at < 0
    ? undefined
    : ['/providers', namespace, ...types.flatMap((type, index) => [type, names[index] ?? '?'])].join('/')
}

/** From where it is read upwards: a module sees its siblings and those of the modules around it. */
function moduleNamed(name: string, from: TemplateModule | undefined): TemplateModule | undefined {
  if (!from) return undefined
  const { base, index } = baseOf(name)
  const module = from.modules.get(base)
  const found = index === undefined ? module : module?.copy?.(index)
  return found ?? moduleNamed(name, from.parent)
}

/** `team[2]` is the third copy of `team`. */
function baseOf(name: string): { base: string; index: number | undefined } {
  const [, base = name, index] = /^(.*)\[(\d+)\]$/.exec(name) ?? []
  return { base, index: index === undefined ? undefined : Number(index) }
}

function outputTerm(name: string, names: string[], path: Term[], scope: Scope): Term | undefined {
  const [outputs, output, value, ...rest] = names
  if (outputs !== 'outputs' || output === undefined || value !== 'value') return undefined
  const module = moduleNamed(withoutHash(name), scope.module)
  const declared = module?.outputs[output]
  if (module && declared !== undefined) return read(termOf(declared, { module }), path.slice(3))
  return {
    kind: 'source',
    source: { module: scope.module, symbol: withoutHash(name), path: [output, ...rest] },
  }
}

const isSamePath = (source: Source, names: readonly string[]) => source.path.join('/') === names.join('/')

/** One resource, however often it is referred to; undefined for none and for several. */
function only(sources: readonly Source[]): Source | undefined {
  const [first, ...others] = sources
  return first && others.every(({ module, symbol }) => module === first.module && symbol === first.symbol)
    ? first
    : undefined
}

function sourceBySymbol(
  expression: Call,
  name: string,
  names: string[],
  path: Term[],
  scope: Scope,
): Term | undefined {
  const { module, hints } = scope
  const hinted = (hints ?? []).filter((one) => one.symbol === name && isSamePath(one, names))
  if (hinted.length > 0) {
    const source = only(hinted)
    // Two modules have a resource of that name: better unknown than wrong.
    return source ? { kind: 'source', source } : call(expression.name, [known(name)], path)
  }
  if (!module || module.resources.has(baseOf(name).base))
    return { kind: 'source', source: { module, symbol: name, path: names } }
  return outputTerm(name, names, path, scope)
}

/** `Microsoft.App/managedEnvironments` of `/subscriptions/…/providers/Microsoft.App/managedEnvironments/x`. */
function typeInId(id: string): string {
  const [namespace = '', ...segments] = (id.split('/providers/').at(-1) ?? '').split('/')
  return [namespace, ...segments.filter((_, at) => at % 2 === 0)].join('/')
}

function sourceById(id: string, names: string[], { hints = [] }: Scope): Term {
  const type = typeInId(id)
  const hinted = hints.filter(
    (one) =>
      isSamePath(one, names) &&
      one.module?.resources.get(baseOf(one.symbol).base)?.type.split('@')[0] === type,
  )
  const name = id.split('/').at(-1) ?? id
  return { kind: 'source', source: only(hinted) ?? { module: undefined, symbol: name, path: names } }
}
