/** What the compiler says about a parameter file and its template. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { z } from 'zod'
import type { Unreadable } from './alignment.ts'
import { bound, type DeclaredResource, readDeclared } from './declared.ts'
import { azdParameters, ParameterFile, templateOf, typedParameters, variablesOf } from './parameter-file.ts'
import { refuseForeignFiles } from './reach.ts'
import { termOf } from './scope.ts'
import { type Ask, Diagnostics, inSession } from './session.ts'
import { type Json, mapValues, readTemplate, type TemplateModule } from './template.ts'
import type { Value } from './value.ts'

/** The ids that names are derived from and that the compiler cannot know. */
export interface Target {
  subscriptionId: string
  tenantId: string
}

export interface Compilation extends Target {
  /** The folder with the parameter file. */
  infra: string
  /** Of this the compiler is given what the parameter file names. */
  environment: NodeJS.ProcessEnv
  /** Any `*.bicepparam`, or azd's `*.parameters.json`; `main.bicepparam` when left out. */
  parameters?: string
  /** Values of parameters that count more than the file's, as text. */
  values?: Readonly<Record<string, string>>
  /** Of a template that is deployed to a resource group. */
  resourceGroup?: string | undefined
}

/** What the compiler has written, as it was written. */
export interface Written {
  template: unknown
  snapshot: unknown
  /** Values of main's parameters. */
  parameters: Record<string, Json>
}

/** What it means. */
export interface Compiled {
  written: Written
  template: TemplateModule
  declared: DeclaredResource[]
  /** What is deployed and not understood here. */
  unreadable: Unreadable[]
  /** Outputs of main. */
  outputs: Record<string, Value>
}

const Built = z.object({ diagnostics: Diagnostics, contents: z.string().nullish() })
const BuiltWithParameters = z.object({
  diagnostics: Diagnostics,
  parameters: z.string().nullish(),
  template: z.string().nullish(),
})
const References = z.object({ filePaths: z.array(z.string()) })
const Predicted = z.object({ snapshot: z.string() })
const Outputs = z.looseObject({ outputs: z.record(z.string(), z.json()).default({}) })
const Head = z.looseObject({
  $schema: z.string().default(''),
  parameters: z
    .record(z.string(), z.looseObject({ type: z.string().optional(), $ref: z.string().optional() }))
    .default({}),
  definitions: z.record(z.string(), z.looseObject({ type: z.string() })).default({}),
})

const pathOf = ({ infra, parameters = 'main.bicepparam' }: Compilation) => join(infra, parameters)

/** Throws what the compiler has found, if that are errors. */
function refuseErrors(diagnostics: Diagnostics): void {
  const errors = diagnostics.filter(({ level }) => level === 'Error')
  if (errors.length === 0) return
  const lines = errors.map(({ source, range: { start }, code, message }) => {
    const place = relative(process.cwd(), source).replaceAll('\\', '/')
    return `${place}(${start.line + 1},${start.char + 1}): ${code} ${message}`
  })
  throw new Error(lines.join('\n'))
}

/** The types of main's parameters; of one with a type of its own what that is made of. */
function typesOf(template: unknown): Record<string, string> {
  const { parameters, definitions } = Head.parse(template)
  return mapValues(
    parameters,
    ({ type, $ref = '' }) => type ?? definitions[$ref.split('/').at(-1) ?? '']?.type ?? 'string',
  )
}

type Source = Pick<Written, 'template' | 'parameters'>

async function buildTemplate(ask: Ask, path: string): Promise<unknown> {
  const { diagnostics, contents } = await ask('compile', { path }, Built)
  refuseErrors(diagnostics)
  return JSON.parse(contents ?? 'null')
}

/** Values of a command line, as the template's parameters want them. */
function typedValues(values: Readonly<Record<string, string>>, template: unknown): Record<string, Json> {
  const types = typesOf(template)
  const strange = Object.keys(values).filter((name) => !(name in types))
  if (strange.length === 0) return typedParameters(values, types)
  const names = Object.keys(types).join(', ') || 'none'
  throw new Error(`The template has no parameter ${strange.join(', ')}. It has: ${names}.`)
}

/** Of a template that needs no parameter file, or has azd's form of one. */
async function buildPlain(ask: Ask, options: Compilation): Promise<Source> {
  const { infra, environment, values = {} } = options
  const file = pathOf(options)
  const path = templateOf(file)
  if (!path) throw new Error('There is no main.bicep beside it.')
  await refuseForeign(ask, path, infra)
  const template = await buildTemplate(ask, path)
  const stored = path === file ? {} : azdParameters(file, environment)
  const given = { ...typedParameters(stored, typesOf(template)), ...typedValues(values, template) }
  return { template, parameters: given }
}

async function refuseForeign(ask: Ask, path: string, infra: string): Promise<void> {
  const { filePaths } = await ask('getFileReferences', { path }, References)
  refuseForeignFiles(filePaths, infra)
}

async function buildSource(ask: Ask, options: Compilation): Promise<Source> {
  const { infra, values = {} } = options
  const path = pathOf(options)
  if (!path.endsWith('.bicepparam')) return buildPlain(ask, options)
  await refuseForeign(ask, path, infra)
  const target = templateOf(path)
  const parameterOverrides =
    Object.keys(values).length === 0 || !target
      ? values
      : typedValues(values, await buildTemplate(ask, target))
  const built = await ask('compileParams', { path, parameterOverrides }, BuiltWithParameters)
  refuseErrors(built.diagnostics)
  if (!built.template) throw new Error(`${basename(path)} names no Bicep file: using 'main.bicep'`)
  const read = ParameterFile.parse(JSON.parse(built.parameters ?? '{}')).parameters
  return {
    template: JSON.parse(built.template),
    parameters: mapValues(read, ({ value = '' }) => value),
  }
}

const literal = (value: Json) =>
  `json('${JSON.stringify(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('${', '\\${')}')`

/** What the template is deployed to counts: a name of a group means nothing to one for a subscription. */
function metadataOf(template: unknown, options: Compilation) {
  const { subscriptionId, tenantId, environment, resourceGroup } = options
  const [, scope = ''] = /\/(\w*?)deploymentTemplate\.json/i.exec(Head.parse(template).$schema) ?? []
  const kind = scope.toLowerCase()
  if (resourceGroup !== undefined && kind !== '')
    throw new Error(
      `The template is deployed to a ${kind.replace('group', ' group')}: it takes no --resource-group.`,
    )
  const group = resourceGroup ?? environment.AZURE_RESOURCE_GROUP
  const isBelow = kind === '' || kind === 'subscription'
  return {
    tenantId,
    location: environment.AZURE_LOCATION || 'westeurope',
    // As azd and the Azure CLI call a deployment: after its file.
    deploymentName: basename(pathOf(options)).split('.')[0],
    ...(isBelow ? { subscriptionId } : {}),
    ...(kind === 'managementgroup' ? { managementGroupId: tenantId } : {}),
    ...(kind === '' && group ? { resourceGroup: group } : {}),
  }
}

/** Of the compiled template: the sources may lie anywhere, and nothing is written beside them. */
async function predict(ask: Ask, { template, parameters }: Source, options: Compilation): Promise<unknown> {
  const metadata = metadataOf(template, options)
  const lines = Object.entries(parameters).map(([name, value]) => `param ${name} = ${literal(value)}`)
  const folder = await mkdtemp(join(tmpdir(), 'template-'))
  const path = join(folder, 'main.bicepparam')
  try {
    await writeFile(join(folder, 'main.json'), JSON.stringify(template))
    await writeFile(path, ["using 'main.json'", ...lines].join('\n'))
    const asked = ask('getSnapshot', { path, metadata, externalInputs: [] }, Predicted)
    const { snapshot } = await asked.catch(async (error: unknown) => {
      const { diagnostics } = await ask(
        'compileParams',
        { path, parameterOverrides: {} },
        BuiltWithParameters,
      )
      const found = diagnostics.filter(({ level }) => level === 'Error')
      if (found.length === 0) throw error
      const names = Object.keys(parameters)
      // One parameter a line, after the first.
      const about = found.map(({ range, message }) => [names[range.start.line - 1] ?? [], message].flat())
      throw new Error(about.map((one) => one.join(': ')).join('\n'))
    })
    return JSON.parse(snapshot)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Also of a template that nothing here understands. */
export async function write(options: Compilation): Promise<Written> {
  const path = pathOf(options)
  try {
    if (!existsSync(path)) throw new Error('There is no such file.')
    return await inSession(variablesOf(path, options.environment), async (ask) => {
      const source = await buildSource(ask, options)
      return { ...source, snapshot: await predict(ask, source, options) }
    })
  } catch (error) {
    const reason = reasonOf(error)
    // Where a value is missing, which it says with a code (BCP258) or without, Bicep cannot know our way.
    const way = /BCP258|missing an assignment/.test(reason)
      ? '\nA parameter without a value: --set name=value'
      : ''
    throw new Error(`${path} does not compile with these parameters:\n${reason}${way}`)
  }
}

export async function compile(options: Compilation): Promise<Compiled> {
  const written = await write(options)
  try {
    return readCompiled(written)
  } catch (error) {
    throw new Error(`${pathOf(options)} compiles, but is not understood here: ${reasonOf(error)}`)
  }
}

/** Throws an error that names what is not understood where nothing is. */
export function readCompiled(written: Written): Compiled {
  const { template: raw, snapshot, parameters } = written
  const template = readTemplate(raw, parameters)
  const { declared, unreadable } = readDeclared(template, snapshot)
  if (declared.length === 0 && unreadable.length > 0)
    throw new Error(unreadable.map(({ title, reason }) => `${title}: ${reason}`).join('\n'))
  // Outputs say what the last deployment has made; one that is not understood says nothing.
  const outputs = mapValues(Outputs.parse(snapshot).outputs, (value, name) => {
    try {
      return bound(value, termOf(template.outputs[name] ?? null, { module: template }), template)
    } catch {
      return null
    }
  })
  return { written, template, declared, unreadable, outputs }
}
