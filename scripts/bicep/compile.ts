/** What the compiler says about a folder of Bicep files under one azd environment. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { runBicep } from './compiler.ts'
import { bound, type DeclaredResource, declaredResources } from './declared.ts'
import { termOf } from './scope.ts'
import { type Json, readTemplate, type TemplateModule } from './template.ts'
import type { Value } from './value.ts'

/** The ids that names are derived from and that the compiler cannot know. */
export interface Target {
  subscriptionId: string
  tenantId: string
}

export interface Compilation extends Target {
  /** The folder with the template and its parameter file. */
  infra: string
  /** The azd environment, and nothing else. */
  environment: NodeJS.ProcessEnv
  /** Contents of files that differ for this once, by their name in the folder. */
  files?: Record<string, string>
  /** Name of the template and of its parameter file; `main` when left out. */
  name?: string
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
  template: TemplateModule
  declared: DeclaredResource[]
  /** Outputs of main. */
  outputs: Record<string, Value>
}

const Parameters = z.object({ parametersJson: z.string() })
const Values = z.object({ parameters: z.record(z.string(), z.looseObject({ value: z.json().optional() })) })
const Outputs = z.looseObject({ outputs: z.record(z.string(), z.json()).default({}) })

type Bicep = (...args: string[]) => Promise<string>

/** Works in a copy of the folder, because the compiler writes beside the parameter file. */
async function inCopy<T>(
  { infra, environment, files = {} }: Compilation,
  work: (bicep: Bicep, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'template-'))
  const bicep = async (...args: string[]) => {
    const run = await runBicep(args, { cwd: folder, env: environment })
    if (run.code === 0) return run.stdout
    const reason = run.stderr.trim().replaceAll(folder, infra)
    throw new Error(`${infra} does not compile with this azd environment:\n${reason}`)
  }
  try {
    await cp(infra, folder, { recursive: true })
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
    return await work(bicep, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function snapshotIn(folder: string, bicep: Bicep, options: Compilation): Promise<unknown> {
  const { subscriptionId, tenantId, environment, name = 'main' } = options
  const ids = ['--subscription-id', subscriptionId, '--tenant-id', tenantId]
  const place = ['--location', environment.AZURE_LOCATION ?? '', '--deployment-name', name]
  await bicep('snapshot', `${name}.bicepparam`, ...ids, ...place)
  return JSON.parse(await readFile(join(folder, `${name}.snapshot.json`), 'utf8'))
}

/** The snapshot alone. */
export const snapshotOf = (options: Compilation): Promise<unknown> =>
  inCopy(options, (bicep, folder) => snapshotIn(folder, bicep, options))

export async function compile(options: Compilation): Promise<Compiled> {
  const { infra, name = 'main' } = options
  const written = await inCopy(options, async (bicep, folder): Promise<Written> => {
    const [template, parameters, snapshot] = await Promise.all([
      bicep('build', `${name}.bicep`, '--stdout'),
      bicep('build-params', `${name}.bicepparam`, '--stdout'),
      snapshotIn(folder, bicep, options),
    ])
    return { template: JSON.parse(template), snapshot, parameters: valuesOf(parameters) }
  })
  try {
    return readCompiled(written)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${join(infra, `${name}.bicep`)} compiles, but is not understood here: ${reason}`)
  }
}

/** Throws an error that names what is not understood. */
export function readCompiled({ template: raw, snapshot, parameters }: Written): Compiled {
  const template = readTemplate(raw, parameters)
  const outputs = Object.entries(Outputs.parse(snapshot).outputs).map(([name, value]) => [
    name,
    bound(value, termOf(template.outputs[name] ?? null, { module: template }), template),
  ])
  return {
    template,
    declared: declaredResources(template, snapshot),
    outputs: Object.fromEntries(outputs),
  }
}

function valuesOf(stdout: string): Record<string, Json> {
  const { parametersJson } = Parameters.parse(JSON.parse(stdout))
  const { parameters } = Values.parse(JSON.parse(parametersJson))
  return Object.fromEntries(Object.entries(parameters).map(([name, { value = null }]) => [name, value]))
}
