import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { loadPermissions } from '../../../app/permissions.ts'
import type { Compiled } from '../../../scripts/bicep/compile.ts'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import type { Json } from '../../../scripts/bicep/template.ts'
import type { ServicePrincipal } from '../../../scripts/emulators/directory-objects.ts'
import { AZURE_CLI_APP_ID, GRAPH_APP_ID } from '../../../scripts/emulators/microsoft-apps.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { type ChangedCompilation, compileChanged } from '../../infra/changed-files.ts'
import { manage } from '../emulators/graph/managed-directory.ts'
import { type GraphRole, roleId } from '../emulators/graph/permissions.ts'
import { startTenant } from '../emulators/tenant.ts'
import { deploy } from './deployment.ts'

const INFRA = fileURLToPath(new URL('../../../infra/', import.meta.url))
export const SUBSCRIPTION = '11111111-1111-4111-8111-111111111111'

/** For `it`'s `skip`: a reason when the template cannot be compiled here. */
export const withoutCompiler: string | false = findBicep()
  ? false
  : 'no Bicep compiler here; name one with BICEP=/path/to/bicep'

export type OperatorName = 'Olivia' | 'Peter' | 'Quinn'

export interface DeployOptions {
  /** Variables of the azd environment, over the usual ones. */
  environment?: Record<string, string>
  /** infra/permissions.json for this once; `declaration()` gives the real one to change. */
  permissions?: unknown
  /** Who deploys; Olivia when left out. */
  operator?: OperatorName
  /** A pipeline's Graph token, instead of an operator's. */
  token?: string
}

/** The text of infra/permissions.json, parsed. */
export const declaration = async () => JSON.parse(await readFile(`${INFRA}permissions.json`, 'utf8'))

// Compiling takes longer than deploying, and most deployments of a test file are of the same environment.
const compiled = new Map<string, Promise<Compiled>>()

export function compileOnce(options: ChangedCompilation): Promise<Compiled> {
  const key = JSON.stringify(options)
  const known = compiled.get(key)
  if (known) return known
  const fresh = compileChanged(options)
  compiled.set(key, fresh)
  return fresh
}

export type DirectoryHarness = Awaited<ReturnType<typeof startDirectory>>

/**
 * A tenant without any app of ours, in which scripts and deployments work over HTTP: people, operators and
 * Microsoft's own apps are there. The clock moves only when `pass` is called.
 */
export async function startDirectory() {
  const seed = seedDirectory({ mcpUrls: ['http://localhost:1/mcp'], permissions: loadPermissions() })
  const { tenantId, operators, users } = seed
  const directory = manage(seed.directory)
  const isFirstParty = ({ appId }: ServicePrincipal) => directory.isFirstParty(appId)
  directory.servicePrincipals.splice(0, Infinity, ...directory.servicePrincipals.filter(isFirstParty))
  for (const list of [
    directory.applications,
    directory.groups,
    directory.appRoleAssignments,
    directory.oauth2PermissionGrants,
  ])
    list.length = 0
  const clock = { now: Date.now() }
  const tenant = await startTenant({ port: 0, directory, tenantId, now: () => clock.now })
  const operator = (name: OperatorName) => {
    const found = operators.find((one) => one.name === name)
    if (!found) throw new Error(`The seed has no operator ${name}.`)
    return found
  }
  /** What Azure made; a new one at every `recreateIdentity`. */
  const identity = { name: '', principalId: '', clientId: '' }
  const recreateIdentity = (name: string) => {
    const old = directory.servicePrincipals.findIndex(({ id }) => id === identity.principalId)
    if (old >= 0) directory.servicePrincipals.splice(old, 1)
    Object.assign(identity, { name, principalId: randomUUID(), clientId: randomUUID() })
    directory.servicePrincipals.push({
      id: identity.principalId,
      appId: identity.clientId,
      displayName: name,
      servicePrincipalType: 'ManagedIdentity',
      accountEnabled: true,
      appRoleAssignmentRequired: false,
    })
    tenant.replication.created('servicePrincipal', identity.principalId)
    return { ...identity }
  }
  /** A Graph token as `azd auth token` gives it. */
  const operatorToken = (name: OperatorName) =>
    tenant.tokenFor({
      user: operator(name).upn,
      clientId: AZURE_CLI_APP_ID,
      scope: 'https://graph.microsoft.com/.default',
    })
  /** A Graph token of a pipeline's own identity with these application permissions. */
  const appToken = async (permissions: GraphRole[]) => {
    const principal = recreatePipeline(directory.servicePrincipals)
    const graph = directory.servicePrincipal(GRAPH_APP_ID)?.id ?? ''
    for (const name of permissions) {
      directory.appRoleAssignments.push({
        id: randomUUID(),
        appRoleId: roleId(name),
        principalId: principal.id,
        principalType: 'ServicePrincipal',
        resourceId: graph,
      })
    }
    const url = new URL(tenant.identityEndpoint)
    url.search = String(
      new URLSearchParams({
        'api-version': '2019-08-01',
        resource: 'https://graph.microsoft.com',
        client_id: principal.appId,
      }),
    )
    const answer = await fetch(url, { headers: { 'x-identity-header': tenant.identityHeader } })
    return z.object({ access_token: z.string() }).parse(await answer.json()).access_token
  }
  return {
    tenant,
    tenantId,
    directory,
    graphUrl: tenant.graphUrl,
    faults: tenant.faults,
    replication: tenant.replication,
    operators,
    users,
    operator,
    operatorToken,
    appToken,
    recreateIdentity,
    /** The managed identity of the last deployment. */
    identity,
    /** Milliseconds since 1970 move on by so many seconds. */
    pass: (seconds: number) => {
      clock.now += seconds * 1000
    },
    /** Every write to Graph since the last reset, refused ones included. */
    writes: () => [...tenant.journal],
    resetWrites: () => void tenant.journal.splice(0),
    /** The template's Graph resources, as `azd provision` writes them; the outputs are azd's environment then. */
    deploy: async ({
      environment,
      permissions,
      operator: who = 'Olivia',
      token: given,
    }: DeployOptions = {}) => {
      const variables = {
        AZURE_ENV_NAME: 'dev',
        AZURE_LOCATION: 'westeurope',
        AZURE_PRINCIPAL_ID: operator(who).oid,
        ...environment,
      }
      const files = permissions === undefined ? {} : { 'permissions.json': JSON.stringify(permissions) }
      const target = { subscriptionId: SUBSCRIPTION, tenantId }
      const template = await compileOnce({ infra: INFRA, environment: variables, ...target, files })
      const { SERVER_IDENTITY_NAME: name } = template.outputs
      if (identity.name !== name) recreateIdentity(String(name))
      const azure: Record<string, Record<string, Json>> = {
        'host/environment': { defaultDomain: 'gentlesea-1a2b3c4d.westeurope.azurecontainerapps.io' },
        'host/registry': { loginServer: 'registry.example.azurecr.io' },
        'serverIdentity/serverIdentity': { principalId: identity.principalId, clientId: identity.clientId },
        'data/cosmos': { documentEndpoint: 'https://cosmos.example.documents.azure.com:443/' },
        'search/search': { endpoint: 'https://srch-example.search.windows.net' },
      }
      const token = given ?? (await operatorToken(who))
      const deployed = await deploy({ graphUrl: tenant.graphUrl, token, compiled: template, azure })
      return { ...deployed, environment: { ...variables, ...textsOf(deployed.outputs) } }
    },
    close: tenant.close,
  }
}

/** As azd keeps outputs: everything is text. */
const textsOf = (outputs: Record<string, Json>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )

function recreatePipeline(servicePrincipals: ServicePrincipal[]): ServicePrincipal {
  const principal: ServicePrincipal = {
    id: randomUUID(),
    appId: randomUUID(),
    displayName: 'pipeline',
    servicePrincipalType: 'ManagedIdentity',
    accountEnabled: true,
    appRoleAssignmentRequired: false,
  }
  servicePrincipals.push(principal)
  return principal
}
