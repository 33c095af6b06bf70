import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { runBicep } from '../bicep.ts'
import { readTemplate, type TemplateModule } from './template.ts'
import type { Json } from './value.ts'

/** Everything that the compiler says about one azd environment. */
export interface Compiled {
  template: TemplateModule
  /** The snapshot as it was written. */
  snapshot: unknown
  /** Values of main's parameters. */
  parameters: Record<string, Json>
  /** Outputs of main, as far as the compiler knows them. */
  outputs: Record<string, Json>
}

export interface Compilation {
  /** The folder with main.bicep and main.bicepparam. */
  infra: string
  /** The azd environment, and nothing else. */
  environment: Record<string, string>
  subscriptionId: string
  tenantId: string
  /** Contents of files that differ for this once, by their name in the folder. */
  files?: Record<string, string>
}

const Parameters = z.object({ parametersJson: z.string() })
const Values = z.object({ parameters: z.record(z.string(), z.looseObject({ value: z.json().optional() })) })
const Outputs = z.looseObject({ outputs: z.record(z.string(), z.json()).default({}) })

/** Compiles a copy of the folder, because the compiler writes beside the parameter file. */
export async function compile(options: Compilation): Promise<Compiled> {
  const { infra, environment, files = {} } = options
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
    const ids = ['--subscription-id', options.subscriptionId, '--tenant-id', options.tenantId]
    const place = ['--location', environment.AZURE_LOCATION ?? '', '--deployment-name', 'main']
    const [template, parameters] = await Promise.all([
      bicep('build', 'main.bicep', '--stdout'),
      bicep('build-params', 'main.bicepparam', '--stdout'),
      bicep('snapshot', 'main.bicepparam', ...ids, ...place),
    ])
    const snapshot: unknown = JSON.parse(await readFile(join(folder, 'main.snapshot.json'), 'utf8'))
    return {
      template: readTemplate(JSON.parse(template)),
      snapshot,
      parameters: valuesOf(parameters),
      outputs: Outputs.parse(snapshot).outputs,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function valuesOf(stdout: string): Record<string, Json> {
  const { parametersJson } = Parameters.parse(JSON.parse(stdout))
  const { parameters } = Values.parse(JSON.parse(parametersJson))
  return Object.fromEntries(Object.entries(parameters).map(([name, { value = null }]) => [name, value]))
}
