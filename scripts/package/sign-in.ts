/** Who asks: a token in a variable, else whoever is signed in to azd, else to the Azure CLI. */
import { AzureCliCredential, AzureDeveloperCliCredential } from '@azure/identity'
import { Problem } from '../cli/problem.ts'
import { type Operator, operatorWith } from '../cli/token.ts'

/** @env IDENTITY_WHAT_IF_TOKEN A token for Microsoft Graph, for the package `identity-what-if`. Without it, the package asks azd for one, then the Azure CLI. */
export const TOKEN = 'IDENTITY_WHAT_IF_TOKEN'
const SCOPE = 'https://graph.microsoft.com/.default'
const HOUR = 3_600_000

/** Throws a Problem that says what each of the three said. */
export function signIn(given: string | undefined, tenantId: string | undefined): Operator {
  if (given) return operatorWith(async () => ({ token: given, expiresOnTimestamp: Date.now() + HOUR }))
  const options = tenantId ? { tenantId } : {}
  return operatorWith(async () => {
    const said: string[] = []
    for (const credential of [new AzureDeveloperCliCredential(options), new AzureCliCredential(options)]) {
      try {
        return await credential.getToken(SCOPE)
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
