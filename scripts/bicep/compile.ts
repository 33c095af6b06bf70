/** What the compiler says about a parameter file and its template. */
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { runBicep } from './compiler.ts'
import { bound, type DeclaredResource, declaredResources } from './declared.ts'
import { azdParameters, typedParameters, variablesOf } from './parameter-file.ts'
import { termOf } from './scope.ts'
import { type Json, readTemplate, type TemplateModule } from './template.ts'
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
  /** Contents of files that differ for this once, by their name in the folder. */
  files?: Record<string, string>
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
  /** Outputs of main. */
  outputs: Record<string, Value>
}

const Built = z.object({ parametersJson: z.string(), templateJson: z.string().nullish() })
const Values = z.object({ parameters: z.record(z.string(), z.looseObject({ value: z.json().optional() })) })
const Outputs = z.looseObject({ outputs: z.record(z.string(), z.json()).default({}) })
const Head = z.looseObject({
  $schema: z.string().default(''),
  parameters: z
    .record(z.string(), z.looseObject({ type: z.string().optional(), $ref: z.string().optional() }))
    .default({}),
  definitions: z.record(z.string(), z.looseObject({ type: z.string() })).default({}),
})

/** Where the compiler may work without leaving anything behind. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'template-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const FILE = 'main.bicepparam'

async function bicep(args: string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  const run = await runBicep(args, { cwd, env })
  if (run.code === 0) return run.stdout
  throw new Error(run.stderr.trim())
}

/** The types of main's parameters; of one with a type of its own what that is made of. */
function typesOf(template: unknown): Record<string, string> {
  const { parameters, definitions } = Head.parse(template)
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { type, $ref = '' }]) => [
      name,
      type ?? definitions[$ref.split('/').at(-1) ?? '']?.type ?? 'string',
    ]),
  )
}

/** On a command line `a` is a text and `["a"]` a list, for the types are not known before the compiler has run. */
function guessed(text: string): Json {
  try {
    return z.json().parse(JSON.parse(text))
  } catch {
    return text
  }
}

type Source = Pick<Written, 'template' | 'parameters'>

/** Of `x.parameters.json` the template is `x.bicep`; of `prod.parameters.json` and the like it is `main.bicep`. */
export const templateOf = (infra: string, file: string) =>
  [`${file.split('.')[0]}.bicep`, 'main.bicep'].find((one) => existsSync(join(infra, one))) ?? 'main.bicep'

async function buildSource(options: Compilation): Promise<Source> {
  const { infra, environment, parameters = FILE, values = {} } = options
  const file = join(infra, parameters)
  if (!parameters.endsWith('.bicepparam')) {
    const template: unknown = JSON.parse(
      await bicep(['build', templateOf(infra, parameters), '--stdout'], infra),
    )
    const given = { ...azdParameters(file, environment), ...values }
    return { template, parameters: typedParameters(given, typesOf(template)) }
  }
  const overrides = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, guessed(value)]))
  const built = Built.parse(
    JSON.parse(
      await bicep(['build-params', parameters, '--stdout'], infra, {
        ...variablesOf(file, environment),
        ...(Object.keys(overrides).length > 0
          ? { BICEP_PARAMETERS_OVERRIDES: JSON.stringify(overrides) }
          : {}),
      }),
    ),
  )
  if (!built.templateJson) throw new Error(`${parameters} names no Bicep file: using 'main.bicep'`)
  const read = Values.parse(JSON.parse(built.parametersJson)).parameters
  return {
    template: JSON.parse(built.templateJson),
    parameters: Object.fromEntries(Object.entries(read).map(([name, { value = '' }]) => [name, value])),
  }
}

const literal = (value: Json) =>
  `json('${JSON.stringify(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('${', '\\${')}')`

/** As azd and the Azure CLI call a deployment: after its file. */
const nameOf = ({ parameters = FILE }: Compilation) => parameters.split('.')[0] ?? 'main'

/** Which ids the compiler takes depends on what the template is deployed to. */
function scopeOf(template: unknown, { subscriptionId, tenantId, environment, resourceGroup }: Compilation) {
  const [, scope = ''] = /\/(\w*?)deploymentTemplate\.json/i.exec(Head.parse(template).$schema) ?? []
  const kind = scope.toLowerCase()
  const ids = ['--tenant-id', tenantId]
  if (kind === 'tenant') return ids
  if (kind === 'managementgroup') return [...ids, '--management-group-id', tenantId]
  const group = resourceGroup ?? environment.AZURE_RESOURCE_GROUP
  return [
    ...ids,
    ...['--subscription-id', subscriptionId],
    ...(kind === '' && group ? ['--resource-group', group] : []),
  ]
}

/** `names` of the parameters as they stand in the written file: one a line, after its first. */
function describeFindings(said: string, names: readonly string[]): string {
  const found = Array.from(said.matchAll(/\.bicepparam\((\d+),\d+\) : Error (.*)/g), ([, line, text]) => {
    const name = names[Number(line) - 2]
    return name ? `${name}: ${text}` : `${text}`
  })
  return found.length > 0 ? found.join('\n') : said
}

/** Of the compiled template: the sources may lie anywhere, and nothing is written beside them. */
const predict = ({ template, parameters }: Source, options: Compilation): Promise<unknown> =>
  inFolder(async (folder) => {
    const lines = Object.entries(parameters).map(([name, value]) => `param ${name} = ${literal(value)}`)
    await writeFile(join(folder, 'main.json'), JSON.stringify(template))
    await writeFile(join(folder, FILE), ["using 'main.json'", ...lines].join('\n'))
    const place = ['--location', options.environment.AZURE_LOCATION || 'westeurope']
    const ids = [...scopeOf(template, options), ...place, '--deployment-name', nameOf(options)]
    const run = await runBicep(['snapshot', FILE, ...ids], { cwd: folder })
    if (run.code !== 0) throw new Error(describeFindings(run.stderr.trim(), Object.keys(parameters)))
    return JSON.parse(await readFile(join(folder, 'main.snapshot.json'), 'utf8'))
  })

async function write(options: Compilation): Promise<Written> {
  const source = await buildSource(options)
  return { ...source, snapshot: await predict(source, options) }
}

async function run(options: Compilation): Promise<Written> {
  const { infra, files = {}, parameters = FILE } = options
  try {
    if (Object.keys(files).length === 0) return await write(options)
    return await inFolder(async (folder) => {
      await cp(infra, folder, { recursive: true })
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
      return await write({ ...options, infra: folder })
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `${join(infra, parameters)} does not compile with these parameters:\n${reason}\nA parameter without a value: --set name=value`,
    )
  }
}

/** The snapshot alone. */
export const snapshotOf = async (options: Compilation): Promise<unknown> => (await run(options)).snapshot

export async function compile(options: Compilation): Promise<Compiled> {
  const { infra, parameters = FILE } = options
  const result = await run(options)
  try {
    return readCompiled(result)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${join(infra, parameters)} compiles, but is not understood here: ${reason}`)
  }
}

/** Throws an error that names what is not understood. */
export function readCompiled(written: Written): Compiled {
  const { template: raw, snapshot, parameters } = written
  const template = readTemplate(raw, parameters)
  const outputs = Object.entries(Outputs.parse(snapshot).outputs).map(([name, value]) => [
    name,
    bound(value, termOf(template.outputs[name] ?? null, { module: template }), template),
  ])
  return {
    written,
    template,
    declared: declaredResources(template, snapshot),
    outputs: Object.fromEntries(outputs),
  }
}
