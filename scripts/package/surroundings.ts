/** What the package works with, in anybody's folder: the azd environment where there is one, and few variables beside it. */
import { z } from 'zod'
import { compile } from '../bicep/compile.ts'
import { variablesOf } from '../bicep/parameter-file.ts'
import { azdValues } from '../cli/azd.ts'
import { Problem } from '../cli/problem.ts'
import { Directory } from '../graph/directory.ts'
import { isLoopback } from '../graph/loopback.ts'
import type { Surroundings } from '../whatif/run.ts'
import { signIn, TOKEN } from './sign-in.ts'

const GRAPH = 'https://graph.microsoft.com'
/** A token is sent there. */
const endpoint = z
  .url()
  .refine((text) => text === GRAPH || isLoopback(new URL(text)), `should be ${GRAPH}`)
  .default(GRAPH)

const Environment = z.object({
  AZURE_TENANT_ID: z.guid().optional(),
  AZURE_SUBSCRIPTION_ID: z.guid().default('00000000-0000-0000-0000-000000000000'),
  GRAPH_ENDPOINT: endpoint,
  DIRECTORY_PATIENCE_SECONDS: z.coerce.number().min(0).max(3600).default(60),
})
const OURS = [...Object.keys(Environment.shape), 'AZURE_ENV_NAME', 'AZURE_LOCATION']

/** Of this process: ours, and what the parameter file may read. */
const ownVariables = (parameters: string): Record<string, string> => ({
  ...Object.fromEntries(OURS.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
  ...variablesOf(parameters, process.env),
})

/** The named azd environment has to be there; without a name there may be none, nor azd. */
async function storedVariables(name: string | undefined): Promise<Record<string, string>> {
  try {
    return await azdValues(name, process.cwd())
  } catch (error) {
    if (name || !(error instanceof Problem)) throw error
    return {}
  }
}

export async function surroundingsOf(parameters: string, name?: string): Promise<Surroundings> {
  const stored = await storedVariables(name)
  const set = Object.entries({ ...stored, ...ownVariables(parameters) }).filter(([, value]) => value !== '')
  // The compiler asks for a place; nothing about identities depends on it.
  const variables = { AZURE_LOCATION: 'westeurope', ...Object.fromEntries(set) }
  const { data: environment, error } = Environment.safeParse(variables)
  if (!environment)
    throw new Problem({
      what: z.prettifyError(error),
      why: 'The what-if would ask the wrong tenant, or none.',
      fix: 'Correct the variable, or: azd env set <NAME> <value>',
    })
  const operator = signIn(process.env[TOKEN], environment.AZURE_TENANT_ID)
  const directory = new Directory({
    endpoint: environment.GRAPH_ENDPOINT,
    patienceSeconds: environment.DIRECTORY_PATIENCE_SECONDS,
    token: operator.token,
  })
  return { environment, variables, operator, compile, directory }
}
