/** A short-lived secret of the dev app for the server on this machine, in a git-ignored `.env`. */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { DirectoryError } from './directory/directory-error.ts'
import { Application } from './directory/graph-objects.ts'
import { dropBlock, readBlock, writeBlock } from './hooks/env-file.ts'
import { type Deployment, deploymentOf, type Environment } from './hooks/environment.ts'
import { Problem } from './hooks/problem.ts'
import { type Context, runScript } from './hooks/script.ts'

const DAY = 86_400_000
const LIFE = 90 * DAY
const RENEWED_BEFORE = 14 * DAY
export const SECRET_PREFIX = 'mcp-expenses developer secret'

const Secrets = Application.pick({ id: true, passwordCredentials: true })
const Added = z.object({ keyId: z.string(), secretText: z.string() })

/** This folder on this machine: what another developer or another clone has added is not ours to remove. */
const secretName = (root: string) => {
  const folder = createHash('sha256').update(root).digest('hex').slice(0, 6)
  return `${SECRET_PREFIX} (${hostname().slice(0, 40)}, ${folder})`
}

/** What `npm run dev` needs; AZURE_CLIENT_ID is absent, because on this machine there is no managed identity. */
function variablesOf(environment: Environment, deployment: Deployment, url: string, clientId: string) {
  const usual = new URL(url).protocol === 'https:' ? '443' : '80'
  return {
    AZURE_TENANT_ID: deployment.AZURE_TENANT_ID,
    ENTRA_CLIENT_ID: clientId,
    SERVER_URL: url,
    PORT: new URL(url).port || usual,
    ENTRA_ADMIN_GROUP_ID: deployment.ENTRA_ADMIN_GROUP_ID,
    ENTRA_AUTHORITY_HOST: environment.ENTRA_AUTHORITY_HOST,
    GRAPH_ENDPOINT: environment.GRAPH_ENDPOINT,
    COSMOS_ENDPOINT: deployment.COSMOS_ENDPOINT,
    COSMOS_DATABASE: deployment.COSMOS_DATABASE,
    COSMOS_CONTAINER: deployment.COSMOS_CONTAINER,
  }
}

/** Makes sure of a secret with at least 14 days left. Returns what was done, never the secret. */
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

  const app = `/applications/${ENTRA_DEV_APP_OBJECT_ID}`
  const secrets = async () =>
    (await directory.get(`${app}?$select=id,passwordCredentials`, Secrets))?.passwordCredentials ?? []
  const held = await readBlock(file, environment.AZURE_ENV_NAME)
  const holds = (all: { keyId: string }[]) => all.some(({ keyId }) => keyId === held.ENTRA_CLIENT_SECRET_ID)
  // One that is not shown may be fresh; a needless second secret is worse than a short wait.
  const wait = held.ENTRA_CLIENT_SECRET_ID ? Math.min(10, environment.DIRECTORY_PATIENCE_SECONDS) : 0
  const present = (await directory.until(secrets, holds, wait)) ?? (await secrets())
  const current = present.find(({ keyId }) => keyId === held.ENTRA_CLIENT_SECRET_ID)
  const daysLeft = (Date.parse(current?.endDateTime ?? '') - Date.now()) / DAY
  const variables = variablesOf(environment, deployment, LOCAL_DEVELOPMENT_URL, ENTRA_DEV_CLIENT_ID)
  const save = (ENTRA_CLIENT_SECRET: string, ENTRA_CLIENT_SECRET_ID: string) =>
    writeBlock(file, environment.AZURE_ENV_NAME, {
      ...variables,
      ENTRA_CLIENT_SECRET,
      ENTRA_CLIENT_SECRET_ID,
    })
  const name = secretName(root)

  if (current && held.ENTRA_CLIENT_SECRET && daysLeft * DAY >= RENEWED_BEFORE) {
    await save(held.ENTRA_CLIENT_SECRET, current.keyId)
    await clean(current.keyId)
    return `secret of the dev app unchanged: ${Math.floor(daysLeft)} days left`
  }
  const endDateTime = new Date(Date.now() + LIFE).toISOString()
  const body = { passwordCredential: { displayName: name, endDateTime } }
  const { keyId, secretText } = await directory.create(`${app}/addPassword`, body, Added)
  await save(secretText, keyId)
  const shown = await directory.until(secrets, (all) => all.some((secret) => secret.keyId === keyId))
  if (!shown) {
    throw new Problem({
      what: 'The new secret of the dev app has been written but is not readable yet.',
      why: 'Until it has replicated a server on this machine cannot sign in (AADSTS7000215).',
      fix: 'azd hooks run postprovision    (in some minutes)',
    })
  }
  await clean(keyId)
  return `secret of the dev app ${current ? 'renewed' : 'created'}: valid until ${endDateTime.slice(0, 10)}, in .env`

  /** Takes away what can be of no use any more: expired ones of any developer, and lost ones of this folder. */
  async function clean(kept: string): Promise<void> {
    const useless = (await secrets()).filter(({ keyId: id, displayName, endDateTime: end }) => {
      const isExpired = Date.parse(end ?? '') < Date.now() && displayName?.startsWith(SECRET_PREFIX)
      return id !== kept && (isExpired || displayName === name)
    })
    for (const { keyId: id } of useless) {
      await directory.create(`${app}/removePassword`, { keyId: id }, z.unknown()).catch(ignoreGone)
    }
    if (useless.length === 0) return
    const isGone = (all: { keyId: string }[]) =>
      !all.some(({ keyId: id }) => useless.some((old) => old.keyId === id))
    await directory.until(secrets, isGone)
  }
}

/** A repeated request whose first answer was lost. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof DirectoryError && /no password credential found/i.test(error.detail))) throw error
}

await runScript(
  import.meta,
  {
    help: `
node scripts/dev-credential.ts
Gives the dev app a secret of 90 days for the server on this machine (npm run dev), renews it when less than 14 days
are left, removes expired ones, and writes it with everything else that the server needs to .env (mode 0600).
The production app never gets a secret. Part of the postprovision hook; does nothing in a pipeline.`,
  },
  async (context) => context.print(`✓ ${await devCredential(context)}`),
)
