import type { Permissions } from '../../app/permissions.ts'
import type { seedDirectory } from './seed.ts'
import type { Tenant } from './tenant.ts'

export const STORE = { database: 'expenses', container: 'expenses' } as const

type Emulators = Readonly<{
  /** What the tenant was seeded with: the tool sets that the server runs. */
  permissions: Permissions
  seed: ReturnType<typeof seedDirectory>
  tenant: Tenant
  cosmos: Readonly<{ url: string; key: string }>
}>

/**
 * The production server's environment with the emulators of Entra, Graph and Cosmos. The credential is
 * production's too: a managed identity and no secret.
 */
export const serverEnvironment = (
  mcp: string,
  { permissions, seed, tenant, cosmos }: Emulators,
): Record<string, string> => ({
  PORT: new URL(mcp).port,
  SERVER_URL: mcp,
  AZURE_TENANT_ID: seed.tenantId,
  ENTRA_CLIENT_ID: seed.apiAppId,
  ENTRA_ADMIN_GROUP_ID: seed.adminGroupId,
  ENTRA_AUTHORITY_HOST: tenant.url,
  GRAPH_ENDPOINT: tenant.graphUrl,
  ...Object.fromEntries(
    Object.entries(tenant.downstreamUrls).map(([name, url]) => [`${name.toUpperCase()}_ENDPOINT`, url]),
  ),
  SEARCH_ENDPOINT: tenant.searchUrl,
  AZURE_CLIENT_ID: seed.managedIdentity.clientId,
  IDENTITY_ENDPOINT: tenant.identityEndpoint,
  IDENTITY_HEADER: tenant.identityHeader,
  TOOL_SETS: permissions.toolSets.join(','),
  ALLOWED_CLIENTS: permissions.allowedClients
    .map(({ appId }) => (appId === 'publicClient' ? seed.clientId : appId))
    .join(','),
  COSMOS_ENDPOINT: cosmos.url,
  COSMOS_KEY: cosmos.key,
  COSMOS_DATABASE: STORE.database,
  COSMOS_CONTAINER: STORE.container,
})
