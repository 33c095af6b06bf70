/** Who runs the scripts: whoever is signed in to azd. */
import { AzureDeveloperCliCredential } from '@azure/identity'
import { isLoopback } from '../graph/loopback.ts'
import { type Environment, NOT_ASKED_YET } from './environment.ts'
import { Problem } from './problem.ts'
import { notInstalled } from './program.ts'
import { signInRemedyOf } from './remedies.ts'
import { type Operator, operatorWith } from './token.ts'

const GRAPH = 'https://graph.microsoft.com'
const SEARCH = 'https://search.azure.com'
/** An emulator on this machine takes tokens for the real one. */
const scopeOf = (endpoint: string) =>
  `${isLoopback(new URL(endpoint)) ? GRAPH : new URL(endpoint).origin}/.default`

function noToken(api: string, said: string, tenantId: string | undefined): Problem {
  const why = 'The scripts act as whoever is signed in to azd.'
  // The words of @azure/identity.
  const missing = said.includes("CLI couldn't be found") && notInstalled('azd', why)
  if (missing) return missing
  const login = `azd auth login${tenantId ? ` --tenant-id ${tenantId}` : ''}`
  const known = signInRemedyOf(said, login)
  return new Problem({
    what: `azd gives no token for ${api}: ${said}`,
    why: known?.cause ?? why,
    fix: known?.fix ?? login,
  })
}

function operatorFor(api: string, scope: string, environment: Environment): Operator {
  const { AZURE_TENANT_ID, AZURE_SUBSCRIPTION_ID } = environment
  // Without a tenant id azd chooses the tenant of the subscription that this variable names.
  if (AZURE_SUBSCRIPTION_ID !== NOT_ASKED_YET) process.env.AZURE_SUBSCRIPTION_ID ??= AZURE_SUBSCRIPTION_ID
  const credential = new AzureDeveloperCliCredential(AZURE_TENANT_ID ? { tenantId: AZURE_TENANT_ID } : {})
  return operatorWith(() =>
    credential.getToken(scope).catch((error: unknown) => {
      throw noToken(api, error instanceof Error ? error.message : String(error), AZURE_TENANT_ID)
    }),
  )
}

export const operatorOf = (environment: Environment): Operator =>
  operatorFor('Microsoft Graph', scopeOf(environment.GRAPH_ENDPOINT), environment)

/** The same person for the data of Azure AI Search. */
export const searchOperatorOf = (environment: Environment): Operator =>
  operatorFor('Azure AI Search', `${SEARCH}/.default`, environment)
