/** Admin consent: one tenant-wide grant for each downstream API of infra/permissions.json. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type DownstreamApi, loadPermissions } from '../../app/permissions.ts'
import { type Deployment, deploymentOf } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import type { Directory } from '../graph/directory.ts'
import { isForbidden } from '../graph/directory-error.ts'
import { Grant, Resource, servicePrincipalPath } from '../graph/graph-objects.ts'
import { splitWords } from '../whatif/properties.ts'
import { type ConsentClient, consentPack } from './consent-pack.ts'
import { switchedOff } from './switched-off.ts'

/** Who asks for tokens on behalf of users: the API app and, for servers on developers' machines, the dev app. */
function consentClients(deployment: Deployment): ConsentClient[] {
  const { ENTRA_CLIENT_ID, ENTRA_API_PRINCIPAL_ID, ENTRA_DEV_CLIENT_ID, ENTRA_DEV_PRINCIPAL_ID } = deployment
  const api = { title: 'API app', appId: ENTRA_CLIENT_ID, principalId: ENTRA_API_PRINCIPAL_ID }
  if (!ENTRA_DEV_CLIENT_ID || !ENTRA_DEV_PRINCIPAL_ID) return [api]
  return [api, { title: 'dev API app', appId: ENTRA_DEV_CLIENT_ID, principalId: ENTRA_DEV_PRINCIPAL_ID }]
}

/** What everybody in the tenant has consented to: one grant for each API. */
export async function tenantGrants(directory: Directory, principalId: string): Promise<Grant[]> {
  const grants = await directory.list(`/oauth2PermissionGrants?$filter=clientId eq '${principalId}'`, Grant)
  return grants.filter(({ consentType }) => consentType === 'AllPrincipals')
}

const grantFor = async (directory: Directory, { principalId }: ConsentClient, { id }: Resource) =>
  (await tenantGrants(directory, principalId)).find(({ resourceId }) => resourceId === id)

/** The API's service principal; one that this tenant has never met is made known to it. */
async function resourceOf(directory: Directory, api: DownstreamApi): Promise<Resource> {
  const ensured = await directory.ensure({
    read: () => directory.get(servicePrincipalPath(api.appId), Resource),
    create: () => directory.create('/servicePrincipals', { appId: api.appId }, Resource),
  })
  if (!ensured) {
    throw new Problem({
      what: `The service principal of ${api.displayName} has been created but is not readable yet.`,
      why: 'Consent is granted to it.',
      fix: 'npm run consent    (in some minutes)',
    })
  }
  const offered = ensured.present.oauth2PermissionScopes
  const unknown = api.permissions.find(
    ({ id, value }) =>
      offered.length > 0 && !offered.some((scope) => scope.id === id && scope.value === value),
  )
  if (!unknown) return ensured.present
  throw new Problem({
    what: `${api.displayName} has no delegated permission ${unknown.value} with the id ${unknown.id}.`,
    why: 'A grant for it would mean nothing, and a consent page would show another permission.',
    fix: 'Correct value and id in infra/permissions.json, then: azd provision',
  })
}

/** One grant, its scopes merged with what is there already: others may have granted more. */
async function grant(directory: Directory, client: ConsentClient, api: DownstreamApi): Promise<boolean> {
  const resource = await resourceOf(directory, api)
  const wanted = api.permissions.map(({ value }) => value)
  const lacking = ({ scope }: Grant) => wanted.filter((value) => !splitWords(scope).includes(value))
  const keys = { clientId: client.principalId, consentType: 'AllPrincipals', resourceId: resource.id }
  const ensured = await directory.ensure({
    read: () => grantFor(directory, client, resource),
    create: () => directory.create('/oauth2PermissionGrants', { ...keys, scope: wanted.join(' ') }, Grant),
    isRight: (present) => lacking(present).length === 0,
    correct: (present) =>
      directory.update(`/oauth2PermissionGrants/${present.id}`, {
        scope: [...splitWords(present.scope), ...lacking(present)].join(' '),
      }),
  })
  if (ensured) return ensured.done !== 'nothing'
  throw new Problem({
    what: `The consent of the ${client.title} for ${api.displayName} has been written but is not readable yet.`,
    why: 'Until it has replicated its tools answer with AADSTS65001.',
    fix: 'npm run consent    (in some minutes)',
  })
}

/**
 * Takes back what only tool sets that are off ask for, from grants for the whole tenant, when `isDecided`. Returns what
 * was there. Everything else that somebody has granted stays.
 */
async function withdraw(
  directory: Directory,
  client: ConsentClient,
  api: DownstreamApi,
  isDecided: boolean,
): Promise<string[]> {
  const resource = await directory.get(servicePrincipalPath(api.appId), Resource)
  if (!resource) return []
  const values = api.permissions.map(({ value }) => value)
  const read = () => grantFor(directory, client, resource)
  const given = await read()
  const taken = splitWords(given?.scope).filter((word) => values.includes(word))
  if (!given || taken.length === 0) return []
  const found = [`${taken.join(', ')} of ${api.displayName} from the ${client.title}`]
  if (!isDecided) return found
  const kept = splitWords(given.scope).filter((word) => !values.includes(word))
  const path = `/oauth2PermissionGrants/${given.id}`
  if (kept.length > 0) await directory.update(path, { scope: kept.join(' ') })
  else await directory.remove(path)
  // What is read back next should not find it again.
  await directory.until(read, (now) => !splitWords(now?.scope).some((word) => values.includes(word)))
  return found
}

/**
 * In words, for every client; empty: there was nothing to take back. Whoever does not know which tool sets are on
 * (TOOL_SETS is not set) takes nothing back.
 */
async function withdrawAll(directory: Directory, clients: readonly ConsentClient[], toolSets?: string) {
  const done: string[] = []
  try {
    for (const client of clients)
      for (const api of switchedOff(toolSets).consents)
        done.push(...(await withdraw(directory, client, api, Boolean(toolSets))))
  } catch (error) {
    if (!isForbidden(error)) throw error
    return '; consent of tool sets that are off is left, an administrator takes it back with: npm run consent'
  }
  if (done.length === 0) return ''
  return toolSets
    ? `; taken back: ${done.join('; ')}`
    : `; not taken back, because TOOL_SETS is not set and nothing says whether its tool set is on: ${done.join('; ')} (azd env refresh, or azd env set TOOL_SETS <the sets that are on>, then: npm run consent)`
}

/** Of the APIs that this tenant has never met: without a service principal there is nothing to consent to. */
export async function unknownApis(
  directory: Directory,
  apis: readonly DownstreamApi[],
): Promise<DownstreamApi[]> {
  const found = await Promise.all(
    apis.map(({ appId }) => directory.get(servicePrincipalPath(appId), Resource)),
  )
  return apis.filter((_, index) => !found[index])
}

export type Consent = { granted: true; text: string } | { granted: false; text: string; pack: string }

/** Grants what is missing. Without the right to do so it saves a consent pack for an administrator. */
export async function consent(context: Context): Promise<Consent> {
  const { directory, environment, root } = context
  const permissions = loadPermissions(environment.TOOL_SETS)
  const deployment = deploymentOf(context)
  const file = join(root, '.azure', environment.AZURE_ENV_NAME, 'consent.md')
  const clients = consentClients(deployment)
  const pairs = clients.flatMap((client) => permissions.downstreamApis.map((api) => ({ client, api })))
  const done: string[] = []
  try {
    for (const { client, api } of pairs)
      if (await grant(directory, client, api)) done.push(`${api.displayName} to the ${client.title}`)
  } catch (error) {
    if (!isForbidden(error)) throw error
    const unknown = await unknownApis(directory, permissions.downstreamApis)
    const pack = consentPack(environment, deployment.AZURE_TENANT_ID, clients, permissions, unknown)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, pack)
    return { granted: false, text: `consent is missing and you may not grant it; saved ${file}`, pack }
  }
  // Nobody should find the old request.
  await rm(file, { force: true })
  const taken = await withdrawAll(directory, clients, environment.TOOL_SETS)
  const said = done.length > 0 ? `consent granted: ${done.join(', ')}` : 'consent unchanged'
  return { granted: true, text: `${said}${taken}` }
}

/** Why a missing consent may stop a deployment. */
export const consentMissing = () =>
  new Problem({
    what: 'Admin consent is missing.',
    why: 'Tools that call another API answer with AADSTS65001 until an administrator has granted it.',
    fix: 'npm run consent    (as an administrator; the consent pack above has the link for a browser)',
  })

await runScript(
  import.meta,
  {
    help: `
npm run consent
Grants the delegated permissions of infra/permissions.json for the whole tenant to the API app and the dev app.
Merges with grants that are there, and takes back what only tool sets that are off ask for, when TOOL_SETS says which are on. Without the right to do so it prints and saves what an administrator needs.
Part of the postprovision hook, where a missing consent fails only with CONSENT_REQUIRED=true.`,
  },
  async (context) => {
    const result = await consent(context)
    if (!result.granted) {
      context.print(result.pack)
      throw consentMissing()
    }
    context.print(`✓ ${result.text}`)
  },
)
