import { z } from 'zod'
import { parseExpression, textOf } from './expression.ts'
import { type Json, symbolOf } from './value.ts'

/** A compiled template, or the template of one of its modules. Nothing in it is evaluated. */
export interface TemplateModule {
  /** Symbolic names from main down; empty for main. */
  path: string[]
  parent: TemplateModule | undefined
  /** The name of its deployment, as compiled. */
  deploymentName: string
  dependsOn: string[]
  isLoop: boolean
  /** What the parent passes. */
  parameters: Record<string, Json>
  variables: Record<string, Json>
  outputs: Record<string, Json>
  resources: Map<string, TemplateResource>
  modules: Map<string, TemplateModule>
}

export interface TemplateResource {
  symbol: string
  /** With its API version where the extension puts it there: `Microsoft.Graph/applications@v1.0`. */
  type: string
  properties: Record<string, Json>
  dependsOn: string[]
  isExisting: boolean
  isConditional: boolean
  isLoop: boolean
}

const RawResource = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  existing: z.boolean().optional(),
  condition: z.unknown().optional(),
  copy: z.unknown().optional(),
  dependsOn: z.array(z.string()).default([]),
  properties: z.record(z.string(), z.json()).default({}),
})
type RawResource = z.infer<typeof RawResource>

const Template = z.looseObject({
  variables: z.record(z.string(), z.json()).default({}),
  resources: z.union([z.record(z.string(), RawResource), z.array(RawResource)]),
  outputs: z.record(z.string(), z.looseObject({ value: z.json().optional() })).default({}),
})

const Deployment = z.looseObject({
  parameters: z.record(z.string(), z.looseObject({ value: z.json().optional() })).default({}),
  template: z.unknown(),
})

const DEPLOYMENT = 'Microsoft.Resources/deployments'
const GRAPH = 'Microsoft.Graph/'

export const isGraph = ({ type }: { type: string }) => type.startsWith(GRAPH)

/** `applications` of `Microsoft.Graph/applications@v1.0`. */
export const graphType = (type: string) => type.slice(GRAPH.length).replace(/@.*$/, '')

/** Reads what `bicep build` has written. Throws an error that says what is not understood. */
export function readTemplate(raw: unknown): TemplateModule {
  return read(raw, {
    path: [],
    parent: undefined,
    deploymentName: 'main',
    dependsOn: [],
    isLoop: false,
    parameters: {},
  })
}

type Frame = Pick<
  TemplateModule,
  'path' | 'parent' | 'deploymentName' | 'dependsOn' | 'isLoop' | 'parameters'
>

function read(raw: unknown, frame: Frame): TemplateModule {
  const parsed = Template.safeParse(raw)
  if (!parsed.success) {
    const place = frame.path.length === 0 ? 'The template' : `The template of module ${frame.path.join('/')}`
    throw new Error(`${place} is not one that bicep build writes:\n${z.prettifyError(parsed.error)}`)
  }
  const { variables, outputs, resources } = parsed.data
  const module: TemplateModule = {
    ...frame,
    variables,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value = null }]) => [name, value])),
    resources: new Map(),
    modules: new Map(),
  }
  for (const [symbol, resource] of bySymbol(resources)) {
    const dependsOn = resource.dependsOn.map(dependencyName)
    if (resource.type === DEPLOYMENT && !resource.existing) addModule(module, symbol, resource, dependsOn)
    else module.resources.set(symbol, resourceOf(symbol, resource, dependsOn))
  }
  return module
}

/** A template without symbolic names lists its resources; then a module is called as its deployment is. */
function bySymbol(resources: z.infer<typeof Template>['resources']): [string, RawResource][] {
  if (!Array.isArray(resources)) return Object.entries(resources)
  return resources.map((resource, index) => [nameOf(resource.name) ?? `${resource.type}#${index}`, resource])
}

function nameOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const expression = parseExpression(name)
  if (!expression) return name
  return expression.kind === 'call' && expression.name === 'format'
    ? symbolOf(textOf(expression.args[0]) ?? '')
    : undefined
}

/** A symbolic name, or an id whose last part names the deployment. */
function dependencyName(dependency: string): string {
  const expression = parseExpression(dependency)
  if (expression?.kind !== 'call') return dependency
  const last = expression.args.at(-1)
  if (last?.kind === 'text') return last.value
  return last?.kind === 'call' ? symbolOf(textOf(last.args[0]) ?? dependency) : dependency
}

function addModule(module: TemplateModule, symbol: string, raw: RawResource, dependsOn: string[]): void {
  const { parameters, template } = Deployment.parse(raw.properties)
  // A module from a template spec or a link carries no template; it has no Graph resources that we could read.
  if (template === undefined) return
  const passed = Object.entries(parameters).map(([name, { value = null }]) => [name, value])
  const frame = {
    path: [...module.path, symbol],
    parent: module,
    deploymentName: raw.name ?? symbol,
    dependsOn,
    isLoop: raw.copy !== undefined,
    parameters: Object.fromEntries(passed),
  }
  module.modules.set(symbol, read(template, frame))
}

function resourceOf(symbol: string, raw: RawResource, dependsOn: string[]): TemplateResource {
  return {
    symbol,
    type: raw.type,
    properties: raw.properties,
    dependsOn,
    isExisting: raw.existing === true,
    isConditional: raw.condition !== undefined,
    isLoop: raw.copy !== undefined,
  }
}

/** Itself and everything below, parents first. */
export function modulesIn(module: TemplateModule): TemplateModule[] {
  return [module, ...[...module.modules.values()].flatMap(modulesIn)]
}
