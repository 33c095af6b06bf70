import { type Call, callsIn, type Expression, parseExpression, plainText, textOf } from './expression.ts'
import { sourceOf } from './fit.ts'
import type { TemplateModule } from './template.ts'
import { type Json, type Reference, referenceOf, symbolOf, Unknown, type Value } from './value.ts'

/** What a deployment knows so far. */
export interface Runtime {
  /** Values of main's parameters, as `bicep build-params` says them. */
  parameters: Record<string, Json>
  /** A property of a declared Graph resource; undefined when there is no such resource in this deployment. */
  resource: (module: TemplateModule, symbol: string) => Record<string, Json> | undefined
  /** Outputs of modules that consist of Azure resources, by the module's path: `{ host: { defaultDomain } }`. */
  azure: Record<string, Record<string, Json>>
}

/** Fills in what the compiler has left open. Throws an error that names what is not known or not understood. */
export function resolve(value: Json, module: TemplateModule, runtime: Runtime): Json {
  if (typeof value === 'string') {
    const expression = parseExpression(value)
    return expression ? resolveExpression(expression, module, runtime) : plainText(value)
  }
  if (Array.isArray(value)) return value.map((one) => resolve(one, module, runtime))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, one]) => [name, resolve(one, module, runtime)])
  return Object.fromEntries(entries)
}

function resolveExpression(expression: Expression, module: TemplateModule, runtime: Runtime): Json {
  if (expression.kind !== 'call') return expression.value
  const { name, args, path } = expression
  const inner = (one: Expression) => resolveExpression(one, module, runtime)
  if (name === 'reference') return resolveReference(expression, module, runtime)
  if (name === 'variables' || name === 'parameters')
    return read(path, sourceValue(name, textOf(args[0]) ?? '', module, runtime))
  if (name === 'if') return inner(branchOf(expression, module, runtime))
  if (name === 'format') {
    const values = args.slice(1).map((one) => String(inner(one)))
    return (textOf(args[0]) ?? '').replace(
      /\{(\d+)\}/g,
      (hole, index: string) => values[Number(index)] ?? hole,
    )
  }
  if (name === 'null' || name === 'true' || name === 'false') return name === 'null' ? null : name === 'true'
  throw new Error(
    `${name}(…) is left open by the compiler and is not understood here. Give the value a parameter or a variable that the compiler can evaluate.`,
  )
}

function sourceValue(kind: string, name: string, module: TemplateModule, runtime: Runtime): Json {
  const source = sourceOf(kind, name, module)
  if (source) return resolve(source.value, source.module, runtime)
  const given = module.parent ? undefined : runtime.parameters[name]
  if (given === undefined)
    throw new Error(
      `The value of ${kind.slice(0, -1)} ${name} of ${module.path.join('/') || 'main'} is not known.`,
    )
  return given
}

/**
 * Conditions are the compiler's business; which branch it took shows in the deployment: the one whose resources
 * are there. A condition that is nothing but a parameter says it itself.
 */
function branchOf(
  { args: [condition, yes, no] }: Call,
  module: TemplateModule,
  runtime: Runtime,
): Expression {
  if (!condition || !yes || !no) throw new Error('if() needs three arguments.')
  const absent = (branch: Expression) =>
    callsIn(branch).some((call) => {
      const reference = call.name === 'reference' ? referenceOf(call) : undefined
      return reference?.kind === 'resource' && !holderOf(reference, module, runtime)
    })
  if (absent(yes)) return no
  if (absent(no)) return yes
  if (callsIn(yes).some(({ name }) => name === 'reference')) return yes
  const value = resolveExpression(condition, module, runtime)
  if (typeof value !== 'boolean') throw new Error('The condition of an if() is not understood here.')
  return value ? yes : no
}

/** Parameters of modules carry references to what their parents declare. */
function holderOf(
  { name }: Reference,
  module: TemplateModule,
  runtime: Runtime,
): Record<string, Json> | undefined {
  const here = runtime.resource(module, name)
  return here ?? (module.parent && holderOf({ kind: 'resource', name, path: [] }, module.parent, runtime))
}

function resolveReference(call: Call, module: TemplateModule, runtime: Runtime): Json {
  const reference = referenceOf(call)
  if (!reference) throw new Error(`A reference of ${module.path.join('/') || 'main'} is not understood here.`)
  if (reference.kind === 'module') return resolveOutput(reference, module, runtime)
  const holder = holderOf(reference, module, runtime)
  if (!holder)
    throw new Error(
      `${reference.name} is not (yet) deployed, but something reads ${reference.path.join('.')} of it.`,
    )
  return read(
    reference.path.map((value) => ({ kind: 'text', value })),
    holder,
  )
}

function resolveOutput({ name, path }: Reference, module: TemplateModule, runtime: Runtime): Json {
  const symbol = symbolOf(name)
  const found = moduleNamed(symbol, name, module)
  const [output = '', ...rest] = path
  const place = found ? found.path.join('/') : symbol
  const given = runtime.azure[place]?.[output]
  const raw = found?.outputs[output]
  if (given === undefined && raw === undefined)
    throw new Error(`Output ${output} of module ${place} is needed, but it is not known.`)
  const value =
    given ?? (found && raw !== undefined ? resolveModuleOutput(found, output, raw, runtime) : null)
  return read(
    rest.map((part) => ({ kind: 'text', value: part })),
    value,
  )
}

function resolveModuleOutput(module: TemplateModule, output: string, raw: Json, runtime: Runtime): Json {
  try {
    return resolve(raw, module, runtime)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `Output ${output} of module ${module.path.join('/')} is needed, but it is not known: ${reason}`,
    )
  }
}

/** From where it is read upwards: a module sees its siblings and those of the modules around it. */
function moduleNamed(symbol: string, name: string, from: TemplateModule): TemplateModule | undefined {
  const here =
    from.modules.get(symbol) ?? [...from.modules.values()].find((one) => one.deploymentName === name)
  return here ?? (from.parent && moduleNamed(symbol, name, from.parent))
}

function read(path: Expression[], value: Json): Json {
  const [first, ...rest] = path
  if (!first) return value
  const key = first.kind === 'call' ? undefined : String(first.value)
  const inner =
    typeof value === 'object' && value !== null && key !== undefined
      ? Object.entries(value).find(([name]) => name === key)?.[1]
      : undefined
  if (inner === undefined) throw new Error(`There is no ${key ?? 'such property'} in what it is read from.`)
  return read(rest, inner)
}

/** The same for a value that has been read already. */
export function fill(value: Value, module: TemplateModule, runtime: Runtime): Json {
  if (value instanceof Unknown) return resolve(value.expression, module, runtime)
  if (Array.isArray(value)) return value.map((one) => fill(one, module, runtime))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one, module, runtime)]))
}
