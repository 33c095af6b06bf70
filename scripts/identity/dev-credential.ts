/** A short-lived secret of the dev app for the server on this machine, in a git-ignored `.env`. */
import { join } from 'node:path'
import { dropBlock, readBlock, readOwn, writeBlock } from '../cli/env-file.ts'
import { type Deployment, deploymentOf, type Environment } from '../cli/environment.ts'
import { type Context, runScript } from '../cli/script.ts'
import {
  addSecret,
  clean,
  currentOf,
  DAY,
  type Held,
  heldBy,
  renewedBefore,
  requireReadable,
  withoutSecret,
} from './dev-secret.ts'

/** What `npm run dev` needs; AZURE_CLIENT_ID is absent, because on this machine there is no managed identity. */
function variablesOf(environment: Environment, deployment: Deployment, url: string, clientId: string) {
  const usual = new URL(url).protocol === 'https:' ? '443' : '80'
  return {
    AZURE_TENANT_ID: deployment.AZURE_TENANT_ID,
    ENTRA_CLIENT_ID: clientId,
    SERVER_URL: url,
    PORT: new URL(url).port || usual,
    ENTRA_ADMIN_GROUP_ID: deployment.ENTRA_ADMIN_GROUP_ID,
    ...(deployment.ALLOWED_CLIENTS && { ALLOWED_CLIENTS: deployment.ALLOWED_CLIENTS }),
    ...(environment.TOOL_SETS && { TOOL_SETS: environment.TOOL_SETS }),
    ENTRA_AUTHORITY_HOST: environment.ENTRA_AUTHORITY_HOST,
    GRAPH_ENDPOINT: environment.GRAPH_ENDPOINT,
    ...(deployment.SEARCH_ENDPOINT && { SEARCH_ENDPOINT: deployment.SEARCH_ENDPOINT }),
    COSMOS_ENDPOINT: deployment.COSMOS_ENDPOINT,
    COSMOS_DATABASE: deployment.COSMOS_DATABASE,
    COSMOS_CONTAINER: deployment.COSMOS_CONTAINER,
  }
}

type Save = (more: Record<string, string>) => Promise<boolean>

/** Chooses between the secret that is there, a new one and none; what stays in .env is what works. */
async function secretOf(context: Context, held: Held, clientId: string, save: Save): Promise<string> {
  const { AZURE_ENV_NAME, DIRECTORY_PATIENCE_SECONDS } = context.environment
  const file = join(context.root, '.env')
  const { ENTRA_CLIENT_SECRET = '', ENTRA_CLIENT_SECRET_ID = '' } = await readBlock(file, AZURE_ENV_NAME)
  const end = async (said: string, kept: Record<string, string> = {}) => {
    await save(kept)
    await clean(held, kept.ENTRA_CLIENT_SECRET_ID)
    return said
  }
  // The server takes one credential, not two.
  if ((await readOwn(file)).ENTRA_CLIENT_CERTIFICATE_PATH)
    return end('no secret of the dev app: .env names a certificate')

  const own = { ENTRA_CLIENT_SECRET, ENTRA_CLIENT_SECRET_ID }
  const current = ENTRA_CLIENT_SECRET
    ? await currentOf(held, ENTRA_CLIENT_SECRET_ID, DIRECTORY_PATIENCE_SECONDS)
    : undefined
  const left = current ? Date.parse(current.endDateTime ?? '') - Date.now() : 0
  const days = `${Math.floor(left / DAY)} days left`
  if (current && left >= renewedBefore(current)) return end(`secret of the dev app unchanged: ${days}`, own)

  const added = await addSecret(held)
  // Policies look at new secrets only: one that is there works to its end.
  if (!added && left > 0)
    return end(`secret of the dev app not renewed, ${days}: ${withoutSecret(clientId)}`, own)
  if (!added) return end(`no secret of the dev app: ${withoutSecret(clientId)}`)
  await save({ ENTRA_CLIENT_SECRET: added.secretText, ENTRA_CLIENT_SECRET_ID: added.keyId })
  await requireReadable(held, added.keyId)
  await clean(held, added.keyId)
  const until = added.endDateTime.slice(0, 10)
  return `secret of the dev app ${current ? 'renewed' : 'created'}: valid until ${until}, in .env`
}

/** Makes sure of a secret that has a good part of its life before it. Returns what was done, never the secret. */
export async function devCredential(context: Context): Promise<string> {
  const { environment, directory, root } = context
  const deployment = deploymentOf(context)
  const { ENTRA_DEV_APP_OBJECT_ID, ENTRA_DEV_CLIENT_ID, LOCAL_DEVELOPMENT_URL } = deployment
  const file = join(root, '.env')
  if (!ENTRA_DEV_APP_OBJECT_ID || !ENTRA_DEV_CLIENT_ID || !LOCAL_DEVELOPMENT_URL) {
    const dropped = await dropBlock(file, environment.AZURE_ENV_NAME)
    return `no secret: LOCAL_DEVELOPMENT is off${dropped ? '; its lines are gone from .env' : ''}`
  }
  if (environment.CI) return 'no secret: nobody develops in a pipeline'
  // Everything but the secret is of use without one too: with a certificate.
  const variables = variablesOf(environment, deployment, LOCAL_DEVELOPMENT_URL, ENTRA_DEV_CLIENT_ID)
  const save: Save = (more) => writeBlock(file, environment.AZURE_ENV_NAME, { ...variables, ...more })
  return secretOf(context, heldBy(directory, ENTRA_DEV_APP_OBJECT_ID, root), ENTRA_DEV_CLIENT_ID, save)
}

await runScript(
  import.meta,
  {
    help: `
npx node scripts/identity/dev-credential.ts
Gives the dev app a secret of 90 days (30 or 7 where the tenant allows no longer ones) for the server on this machine
(npm run dev), renews it when less than 14 days (or a third of its life) are left, removes expired ones, and writes it
with everything else that the server needs to .env (mode 0600). Where the tenant allows no secret it says what works
without one. The production app never gets a secret. Part of the postprovision hook; does nothing in a pipeline.`,
  },
  async (context) => context.print(`✓ ${await devCredential(context)}`),
)
