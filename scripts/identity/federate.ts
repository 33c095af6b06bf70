/** Lets the server's managed identity act as the API app: its only credential in Azure. */
import { isDeepStrictEqual } from 'node:util'
import { deploymentOf } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import { FederatedCredential } from '../graph/graph-objects.ts'

/** The name is the key: a recreated managed identity has another object id, but this stays. */
const NAME = 'server-managed-identity'

/** Creates or corrects the federated credential; writes nothing when it is right. Returns what was done. */
export async function federate(context: Context): Promise<string> {
  const { directory, environment } = context
  const deployment = deploymentOf(context)
  const path = `/applications/${deployment.ENTRA_API_APP_OBJECT_ID}/federatedIdentityCredentials`
  const wanted = {
    issuer: `${environment.ENTRA_AUTHORITY_HOST}/${deployment.AZURE_TENANT_ID}/v2.0`,
    // Entra compares it character by character.
    subject: deployment.SERVER_IDENTITY_PRINCIPAL_ID,
    audiences: ['api://AzureADTokenExchange'],
  }
  const description = `The managed identity of the container app (azd environment ${environment.AZURE_ENV_NAME}).`
  // Entra takes one issuer and subject once per app, whatever the name.
  const isMeant = ({ name, issuer, subject }: FederatedCredential) =>
    name === NAME || (issuer === wanted.issuer && subject === wanted.subject)
  const ensured = await directory.ensure({
    read: async () => (await directory.list(path, FederatedCredential)).find(isMeant),
    create: () => directory.create(path, { name: NAME, ...wanted, description }, FederatedCredential),
    isRight: ({ issuer, subject, audiences }) => isDeepStrictEqual({ issuer, subject, audiences }, wanted),
    correct: ({ id }) => directory.update(`${path}/${id}`, wanted),
  })
  if (ensured) return SAID[ensured.done]
  throw new Problem({
    what: `The federated credential ${NAME} has been written but is not readable yet.`,
    why: 'Until it has replicated the server cannot sign in (AADSTS700213).',
    fix: 'azd hooks run postprovision    (in some minutes)',
  })
}

const SAID = {
  created: 'federated credential created',
  corrected: 'federated credential corrected: it names the managed identity of this deployment',
  nothing: 'federated credential unchanged',
} as const

await runScript(
  import.meta,
  {
    help: `
npx node scripts/identity/federate.ts
Makes the server's managed identity the federated credential of the API app; corrects it where it differs.
Part of the postprovision hook.`,
  },
  async (context) => context.print(`✓ ${await federate(context)}`),
)
