import { z } from 'zod'
import { parseExpression } from './expression.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Neither a list nor null. */
export const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same names, each with what is made of its value. */
export const mapValues = <T, U>(
  record: Readonly<Record<string, T>>,
  of: (one: T, name: string) => U,
): Record<string, U> => Object.fromEntries(Object.entries(record).map(([name, one]) => [name, of(one, name)]))

/** A compiled template, or the template of one of its modules. Nothing in it is evaluated. */
export interface TemplateModule {
  /** Symbolic names from main down; empty for main. */
  path: string[]
  parent?: TemplateModule
  dependsOn: string[]
  condition?: Json | undefined
  /** The length of a loop. */
  count?: Json | undefined
  /** One copy of a loop; the copies see each other's siblings. */
  copy?: ((index: number) => TemplateModule) | undefined
  /** Which copy of a loop this is. */
  copyIndex?: number
  /** Values of main's parameters. */
  given: Record<string, Json>
  /** What the parent passes. */
  parameters: Record<string, Json>
  /** What a parameter is when nothing is passed. */
  defaults: Record<string, Json | undefined>
  variables: Record<string, Json>
  outputs: Record<string, Json>
  resources: Map<string, TemplateResource>
  modules: Map<string, TemplateModule>
  /** Symbolic names of resources and modules as the template lists them. */
  order: string[]
}

const RawResource = z.object({
  /** With its API version where the extension puts it there: `Microsoft.Graph/applications@v1.0`. */
  type: z.string(),
  name: z.string().optional(),
  existing: z.boolean().default(false),
  condition: z.json().optional(),
  /** A loop. */
  copy: z.object({ count: z.json() }).optional(),
  dependsOn: z.array(z.string()).default([]),
  // One expression where somebody writes `properties: union(...)`.
  properties: z.json().default({}),
  import: z.string().optional(),
  extension: z.string().optional(),
})
type RawResource = z.infer<typeof RawResource>

/** As it is written. */
export interface TemplateResource extends RawResource {
  symbol: string
  /** What the extension's configuration says of members and owners. */
  semantics: Json | undefined
}

const Extensions = z.record(
  z.string(),
  z.looseObject({ config: z.looseObject({ relationshipSemantics: z.json().optional() }).optional() }),
)

const Template = z.looseObject({
  imports: Extensions.default({}),
  extensions: Extensions.default({}),
  parameters: z.record(z.string(), z.looseObject({ defaultValue: z.json().optional() })).default({}),
  variables: z.record(z.string(), z.json()).default({}),
  resources: z.union([z.record(z.string(), RawResource), z.array(RawResource)]),
  outputs: z.record(z.string(), z.looseObject({ value: z.json().optional() })).default({}),
})

/** Of a ternary Bicep writes one text, `[if(c, createObject('value', a), createObject('value', b))]`. */
const Passed = z.union([
  z
    .string()
    .refine((text) => parseExpression(text) !== undefined, 'is no expression')
    .transform((text): Json => `${text.slice(0, -1)}.value]`),
  z.looseObject({ value: z.json().optional() }).transform(({ value = null }): Json => value),
])
const Deployment = z.looseObject({
  parameters: z.record(z.string(), Passed).default({}),
  template: z.unknown(),
})

const DEPLOYMENT = 'Microsoft.Resources/deployments'
const GRAPH = 'Microsoft.Graph/'

export const isGraph = ({ type }: { type: string }) => type.startsWith(GRAPH)

/** `applications` of `Microsoft.Graph/applications@v1.0`. */
export const graphType = (type: string) => type.slice(GRAPH.length).replace(/@.*$/, '')

/** Reads what `bicep build` has written; `given` are main's parameters. Throws an error that says what is not understood. */
export function readTemplate(raw: unknown, given: Record<string, Json> = {}): TemplateModule {
  return read(raw, { ...MAIN, given })
}

type Frame = Omit<TemplateModule, 'defaults' | 'variables' | 'outputs' | 'resources' | 'modules' | 'order'>

const MAIN: Frame = { path: [], dependsOn: [], given: {}, parameters: {} }

function read(raw: unknown, frame: Frame): TemplateModule {
  const parsed = Template.safeParse(raw)
  if (!parsed.success) throw notReadable(frame.path, parsed.error)
  const { parameters, variables, outputs, resources, imports, extensions } = parsed.data
  const configured = { ...imports, ...extensions }
  const module: TemplateModule = {
    ...frame,
    defaults: mapValues(parameters, ({ defaultValue }) => defaultValue),
    variables,
    outputs: mapValues(outputs, ({ value = null }) => value),
    resources: new Map(),
    modules: new Map(),
    order: [],
  }
  for (const [symbol, resource] of bySymbol(resources)) {
    module.order.push(symbol)
    if (resource.type === DEPLOYMENT && !resource.existing) addModule(module, symbol, resource)
    else {
      const { config } = configured[resource.import ?? resource.extension ?? ''] ?? {}
      module.resources.set(symbol, { ...resource, symbol, semantics: config?.relationshipSemantics })
    }
  }
  return module
}

function notReadable(path: readonly string[], error: z.ZodError): Error {
  const place = path.length === 0 ? 'The template' : `The template of module ${path.join('/')}`
  return new Error(`${place} is not one that bicep build writes:\n${z.prettifyError(error)}`)
}

/** A template without symbolic names lists its resources; then a module is called as its deployment is. */
function bySymbol(resources: z.infer<typeof Template>['resources']): [string, RawResource][] {
  if (!Array.isArray(resources)) return Object.entries(resources)
  return resources.map((resource, index) => [nameOf(resource.name) ?? `${resource.type}#${index}`, resource])
}

/** Without the hash of `[format('host-{0}', uniqueString('host', deployment().name))]`. */
function nameOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const expression = parseExpression(name)
  if (!expression) return name
  const [format] = expression.kind === 'call' && expression.name === 'format' ? expression.args : []
  return format?.kind === 'known' ? String(format.value).replace(/-\{0\}$/, '') : undefined
}

function addModule(module: TemplateModule, symbol: string, raw: RawResource): void {
  const path = [...module.path, symbol]
  const parsed = Deployment.safeParse(raw.properties)
  if (!parsed.success) throw notReadable(path, parsed.error)
  const { parameters, template } = parsed.data
  // A module from a template spec or a link carries no template; it has no Graph resources that we could read.
  if (template === undefined) return
  const { dependsOn, condition, copy } = raw
  const frame: Frame = { ...MAIN, path, parent: module, dependsOn, condition, count: copy?.count, parameters }
  const copies: TemplateModule[] = []
  const copyOf = (copyIndex: number) =>
    (copies[copyIndex] ??= read(template, {
      ...frame,
      path: [...module.path, `${symbol}[${copyIndex}]`],
      copyIndex,
    }))
  module.modules.set(symbol, read(template, { ...frame, copy: copy && copyOf }))
}
