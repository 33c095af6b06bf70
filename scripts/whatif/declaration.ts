/** What is declared: the compiled template and, where the project has one, permissions.json beside it. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { compile as compileFolder } from '../bicep/compile.ts'
import { requireBicep } from '../bicep/compiler.ts'
import type { Environment } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'
import { Declaration } from './hooks.ts'
import type { Declared } from './whatif.ts'

const PARAMETERS = 'main.bicepparam'

export interface Source {
  environment: Environment
  variables: Readonly<Record<string, string>>
  tenantId: string
  /** Path of main.bicepparam; main.bicep stands beside it. */
  parameters: string
  /** Texts of files that differ for this once, by name. */
  files?: Record<string, string>
  compile?: typeof compileFolder
}

async function declarationOf(
  folder: string,
  files: Record<string, string>,
): Promise<Declaration | undefined> {
  const file = join(folder, 'permissions.json')
  const text = files['permissions.json'] ?? (await readFile(file, 'utf8').catch(missing))
  if (text === undefined) return undefined
  const parsed = Declaration.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  throw new Problem({
    what: `${file} cannot be used: ${z.prettifyError(parsed.error)}`,
    why: 'The hooks grant what it declares.',
    fix: 'Correct the file, then: npm run whatif',
  })
}

function missing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

export async function declaredOf(source: Source): Promise<Declared> {
  const { environment, variables, tenantId, parameters, files = {}, compile = compileFolder } = source
  const folder = dirname(resolve(parameters))
  if (basename(parameters) !== PARAMETERS)
    throw new Problem({
      what: `${parameters} is not called ${PARAMETERS}.`,
      why: 'The compiler is given that file and main.bicep beside it, as azd does.',
      fix: `Rename it; from main.parameters.json: bicep decompile-params main.parameters.json --bicep-file main.bicep`,
    })
  requireBicep()
  const compiled = await compile({
    infra: folder,
    environment: { ...variables },
    subscriptionId: environment.AZURE_SUBSCRIPTION_ID,
    tenantId,
    files,
  })
  const declaration = await declarationOf(folder, files)
  return { compiled, declaration, variables, tenantId, authorityHost: environment.ENTRA_AUTHORITY_HOST }
}
