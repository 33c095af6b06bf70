import type { Config } from './config.ts'
import type { Permissions } from './permissions.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** Clients probe both places: with the path of the MCP URL (RFC 9728 section 3.1) and at the root. */
export const metadataPaths = [`${WELL_KNOWN}/mcp`, WELL_KNOWN]

/** Where the metadata of the server at `mcpUrl` is. */
export const metadataUrl = (mcpUrl: string) => `${new URL(mcpUrl).origin}${WELL_KNOWN}/mcp`

/** Entra needs fully qualified scopes: a bare name would mean a scope of Microsoft Graph (AADSTS650053). */
export const fullScope = (mcpUrl: string, scope: string) => `${mcpUrl}/${scope}`

/**
 * The scopes that a first sign-in asks for: every one that a tool may need, because many clients never ask for more. Not
 * those of type Admin: where nobody has consented to one, Entra would refuse the whole sign-in (AADSTS90094).
 */
export function basicScopes(mcpUrl: string, { tools, scopes: declared }: Permissions): string {
  const ofUsers = declared.filter(({ type }) => type === 'User').map(({ value }) => value)
  const scopes = tools.flatMap(({ scope }) => (scope && ofUsers.includes(scope) ? scope : []))
  return [...new Set(scopes)].map((scope) => fullScope(mcpUrl, scope)).join(' ')
}

/** Protected resource metadata (RFC 9728 section 2) of the server at `mcpUrl`. */
export function resourceMetadata(
  mcpUrl: string,
  config: Pick<Config, 'authorityHost' | 'tenantId'>,
  { scopes }: Permissions,
) {
  return {
    resource: mcpUrl,
    authorization_servers: [`${config.authorityHost}/${config.tenantId}/v2.0`],
    // MCP, "Scope Selection Strategy": a client without a challenge asks for all of these at once.
    scopes_supported: scopes
      .filter(({ isEnabled, type }) => isEnabled !== false && type === 'User')
      .map(({ value }) => fullScope(mcpUrl, value)),
    bearer_methods_supported: ['header'],
    resource_name: 'Expenses MCP server',
  }
}
