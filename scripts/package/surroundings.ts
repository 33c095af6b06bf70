/** What the package works with, in anybody's folder: the azd environment where there is one, and few variables beside it. */
import { AzureCliCredential, AzureDeveloperCliCredential } from '@azure/identity'
import { z } from 'zod'
import { compile } from '../bicep/compile.ts'
import { isInPipeline } from '../bicep/compiler.ts'
import { variablesOf, WITHHELD } from '../bicep/parameter-file.ts'
import { azdValues } from '../cli/azd.ts'
import { Problem } from '../cli/problem.ts'
import { type Operator, operatorWith } from '../cli/token.ts'
import { Directory } from '../graph/directory.ts'
import { isLoopback } from '../graph/loopback.ts'
import type { Surroundings } from '../whatif/whatif.ts'

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

export interface Choice {
  /** Another azd environment than the selected one. */
  environment?: string | undefined
  /** Names that a parameter file may read although this runs in a pipeline. */
  allowed?: readonly string[]
  /** false: the folder is a checkout that somebody else has written, its azd environment too. */
  isStoredTrusted?: boolean
}

/**
 * Of this process: ours, and what the parameter file may read. A pipeline holds credentials under any name, and a report
 * of it is read by many: there it may read Azure's names and `allowed`.
 */
function ownVariables(parameters: string, allowed: readonly string[]): Record<string, string> {
  const isReadable = (name: string) =>
    !isInPipeline() || name.startsWith('AZURE_') || name === 'CI' || allowed.includes(name)
  const named = Object.entries(variablesOf(parameters, process.env))
  return {
    ...Object.fromEntries(named.map(([name, value]) => [name, isReadable(name) ? value : WITHHELD])),
    ...Object.fromEntries(OURS.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
  }
}

/** The named azd environment has to be there; without a name there may be none, nor azd. */
async function storedVariables(name: string | undefined): Promise<Record<string, string>> {
  try {
    return await azdValues(name, process.cwd())
  } catch (error) {
    if (name || !(error instanceof Problem)) throw error
    return {}
  }
}

/** @env IDENTITY_WHAT_IF_TOKEN A token for Microsoft Graph, for the package `identity-what-if`. Without it, the package asks azd for one, then the Azure CLI. */
const TOKEN = 'IDENTITY_WHAT_IF_TOKEN'
const HOUR = 3_600_000

/** Who asks: a token in a variable, else whoever is signed in to azd, else to the Azure CLI. Throws a Problem that says what each said. */
function signIn(given: string | undefined, tenantId: string | undefined): Operator {
  if (given) {
    const operator = operatorWith(async () => ({ token: given, expiresOnTimestamp: Date.now() + HOUR }))
    // With a known tenant nothing hangs on reading it: Microsoft Graph alone may read its tokens.
    return tenantId ? operator : { ...operator, claims: () => claimsOf(operator) }
  }
  const options = tenantId ? { tenantId } : {}
  return operatorWith(async () => {
    const said: string[] = []
    for (const credential of [new AzureDeveloperCliCredential(options), new AzureCliCredential(options)]) {
      try {
        return await credential.getToken(`${GRAPH}/.default`)
      } catch (error) {
        said.push(error instanceof Error ? error.message : String(error))
      }
    }
    throw new Problem({
      what: `Nobody is signed in. ${said.join(' ')}`,
      why: 'The directory is read as whoever is signed in to azd or to the Azure CLI.',
      fix: `azd auth login, or az login    (or a token for Microsoft Graph in ${TOKEN})`,
    })
  })
}

/** A token of Microsoft Graph names its tenant; what names none is another text, or for another service. */
async function claimsOf(operator: Operator) {
  const claims = await operator.claims()
  if (claims.tid) return claims
  throw new Problem({
    what: `${TOKEN} holds no access token that names a tenant.`,
    why: 'Names and issuers in the template depend on the tenant.',
    fix: 'az account get-access-token --resource-type ms-graph --query accessToken --output tsv    (prints one; or set AZURE_TENANT_ID)',
  })
}

export async function surroundingsOf(parameters: string, choice: Choice = {}): Promise<Surroundings> {
  const { environment: name, allowed = [], isStoredTrusted = true } = choice
  const stored = isStoredTrusted ? await storedVariables(name) : {}
  const own = Object.entries(ownVariables(parameters, allowed)).filter(
    ([key, value]) => value !== WITHHELD || !(key in stored),
  )
  const set = Object.entries({ ...stored, ...Object.fromEntries(own) }).filter(([, value]) => value !== '')
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
