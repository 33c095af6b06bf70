/** A tenant and a folder in which the hooks' own functions run, in this process: for what is tried at every call. */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { environmentOf } from '../../scripts/cli/environment.ts'
import type { Context } from '../../scripts/cli/script.ts'
import { Directory } from '../../scripts/graph/directory.ts'
import { withoutPrincipal } from './cli/azd-values.ts'
import {
  compileOnce,
  type DeployOptions,
  type OperatorName,
  SUBSCRIPTION,
  startDirectory,
} from './graph/directory-harness.ts'

export type Stage = Awaited<ReturnType<typeof startStage>>
export type Played = Context & { lines: string[] }

const LISTS = [
  'applications',
  'servicePrincipals',
  'groups',
  'oauth2PermissionGrants',
  'appRoleAssignments',
] as const
const BINS = ['applications', 'servicePrincipals', 'groups'] as const

export async function startStage() {
  const tenant = await startDirectory()
  const { directory } = tenant
  const root = await mkdtemp(join(tmpdir(), 'stage-'))
  await cp(new URL('../../azure.yaml', import.meta.url), join(root, 'azure.yaml'))
  const base = {
    AZURE_ENV_NAME: 'dev',
    AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
    AZURE_LOCATION: 'westeurope',
    GRAPH_ENDPOINT: tenant.graphUrl,
    ENTRA_AUTHORITY_HOST: tenant.tenant.url,
  }
  return {
    ...tenant,
    root,
    /** What azd gives its hooks before the first deployment and after `azd down`. */
    base,
    /** Deploys; returns what azd gives its hooks afterwards. */
    async up(options?: DeployOptions): Promise<Record<string, string>> {
      const { environment } = await tenant.deploy(options)
      return { ...base, ...environment }
    },
    async context(
      given: Record<string, string>,
      {
        operator = 'Olivia',
        token,
        seconds = 20,
      }: { operator?: OperatorName; token?: string; seconds?: number } = {},
    ): Promise<Played> {
      const variables = withoutPrincipal(given)
      const held = token ?? (await tenant.operatorToken(operator))
      const lines: string[] = []
      const { tid, oid, idtyp, roles } = decodeJwt<{
        tid: string
        oid: string
        idtyp?: string
        roles?: string[]
      }>(held)
      return {
        environment: environmentOf({ ...variables, DIRECTORY_PATIENCE_SECONDS: String(seconds) }),
        variables,
        root,
        lines,
        azdVersion: async () => '1.23.15',
        compile: compileOnce,
        print: (line) => void lines.push(line),
        operator: { token: async () => held, claims: async () => ({ tid, oid, idtyp, roles: roles ?? [] }) },
        directory: new Directory({
          endpoint: tenant.graphUrl,
          patienceSeconds: seconds,
          token: async () => held,
          pause: () => 1,
        }),
      }
    },
    /** What the directory holds now; `restore` brings it back. Secrets of apps are not forgotten. */
    save() {
      const lists = LISTS.map((name) => structuredClone(directory[name]))
      const bins = BINS.map((name) => structuredClone(directory.deletedItems[name]))
      return {
        restore() {
          for (const [index, name] of LISTS.entries())
            Object.assign(directory[name], { length: 0 }, structuredClone(lists[index]))
          for (const [index, name] of BINS.entries())
            Object.assign(directory.deletedItems[name], { length: 0 }, structuredClone(bins[index]))
          tenant.faults.clear()
          tenant.replication.catchUp()
          tenant.resetWrites()
        },
      }
    },
    /** As on a machine that has never deployed. */
    async empty() {
      for (const name of ['.env', '.azure']) await rm(join(root, name), { recursive: true, force: true })
    },
    async stop() {
      await Promise.all([tenant.close(), rm(root, { recursive: true, force: true })])
    },
  }
}
