import {
  type Call,
  callsIn,
  type Expression,
  escaped,
  parseExpression,
  plainText,
  textOf,
} from './expression.ts'
import type { TemplateModule } from './template.ts'
import { type Json, referenceOf, symbolOf } from './value.ts'

/**
 * Could the compiler have made `predicted` of `declared`? Literal parts have to be equal; of an expression only its
 * known parts and the symbols that it refers to are compared: it is not evaluated.
 */
export function fits(declared: Json, predicted: Json, module: TemplateModule): boolean {
  if (typeof declared === 'string') {
    const expression = parseExpression(declared)
    return expression ? fitsExpression(expression, predicted, module) : plainText(declared) === predicted
  }
  if (Array.isArray(declared)) {
    return (
      Array.isArray(predicted) &&
      predicted.length === declared.length &&
      declared.every((one, index) => fits(one, predicted[index] ?? null, module))
    )
  }
  if (typeof declared !== 'object' || declared === null) return declared === predicted
  if (typeof predicted !== 'object' || predicted === null || Array.isArray(predicted)) return false
  return (
    Object.keys(predicted).every((name) => name in declared) &&
    Object.entries(declared).every(([name, value]) => fits(value, predicted[name] ?? null, module))
  )
}

function fitsExpression(expression: Expression, predicted: Json, module: TemplateModule): boolean {
  if (expression.kind !== 'call') return expression.value === predicted
  const { name, args, path } = expression
  if (path.length === 0 && (name === 'variables' || name === 'parameters')) {
    const source = sourceOf(name, textOf(args[0]) ?? '', module)
    return source === undefined || fits(source.value, predicted, source.module)
  }
  if (path.length === 0 && name === 'if')
    return args.slice(1).some((branch) => fitsExpression(branch, predicted, module))
  const open = typeof predicted === 'string' ? parseExpression(predicted) : undefined
  return open || typeof predicted === 'object'
    ? refersAlike(expression, open ? referredNames(open) : namesOfValue(predicted), module)
    : fitsKnown(expression, predicted, module)
}

/** What was left open reads from nothing but what the declaration reads from. */
function refersAlike(declared: Call, left: Set<string>, module: TemplateModule): boolean {
  const wanted = namesIn(declared, module)
  if (declared.name === 'reference' && left.size === 0) return false
  return [...left].every((one) => wanted.has(one))
}

function fitsKnown({ name, args }: Call, predicted: Json, module: TemplateModule): boolean {
  // A reference is never known before the deployment.
  if (name === 'reference') return false
  return name === 'format' && typeof predicted === 'string' ? fitsFormat(args, predicted, module) : true
}

/** Holes may hold anything, for their values are the compiler's business. */
function fitsFormat([format, ...args]: Expression[], predicted: string, module: TemplateModule): boolean {
  const parts = (textOf(format) ?? '').split(/\{(\d+)\}/).map((part, index) => {
    if (index % 2 === 0) return escaped(part)
    const arg = args[Number(part)]
    return arg ? regexOf(arg, module) : '.*'
  })
  return new RegExp(`^${parts.join('')}$`, 's').test(predicted)
}

function regexOf(expression: Expression, module: TemplateModule): string {
  if (expression.kind !== 'call') return escaped(String(expression.value))
  if (expression.path.length > 0 || !['variables', 'parameters'].includes(expression.name)) return '.*'
  const source = sourceOf(expression.name, textOf(expression.args[0]) ?? '', module)
  if (typeof source?.value !== 'string') return '.*'
  const inner = parseExpression(source.value)
  return inner ? regexOf(inner, source.module) : escaped(plainText(source.value))
}

/** The text of a variable, or what the parent passes for a parameter; undefined for a parameter of main. */
export function sourceOf(
  kind: string,
  name: string,
  module: TemplateModule,
): { value: Json; module: TemplateModule } | undefined {
  if (kind === 'variables') {
    const value = module.variables[name]
    return value === undefined ? undefined : { value, module }
  }
  const value = module.parameters[name]
  return value === undefined || !module.parent ? undefined : { value, module: module.parent }
}

/** `api.appId`, `host.defaultDomain`: resources and modules that it reads, variables and parameters followed. */
function namesIn(expression: Expression, module: TemplateModule, seen = new Set<string>()): Set<string> {
  const names = referredNames(expression)
  for (const { name, args } of callsIn(expression)) {
    const argument = textOf(args[0])
    if ((name !== 'variables' && name !== 'parameters') || argument === undefined) continue
    const place = `${module.path.join('/')} ${name} ${argument}`
    const source = seen.has(place) ? undefined : sourceOf(name, argument, module)
    seen.add(place)
    if (source) for (const one of namesOfSource(source.value, source.module, seen)) names.add(one)
  }
  return names
}

function namesOfSource(value: Json, module: TemplateModule, seen: Set<string>): Set<string> {
  const names = textsIn(value).flatMap((text) => {
    const expression = parseExpression(text)
    return expression ? [...namesIn(expression, module, seen)] : []
  })
  return new Set(names)
}

function namesOfValue(value: Json): Set<string> {
  const names = textsIn(value).flatMap((text) => {
    const expression = parseExpression(text)
    return expression ? [...referredNames(expression)] : []
  })
  return new Set(names)
}

function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

function referredNames(expression: Expression): Set<string> {
  const references = callsIn(expression)
    .filter(({ name }) => name === 'reference')
    .map(referenceOf)
  return new Set(references.flatMap((one) => (one ? [[symbolOf(one.name), ...one.path].join('.')] : [])))
}
