export type Ready = Readonly<{
  mcp: string
  tenant: string
  tenantId: string
  clientId: string
  scope: string
  cosmos: string
  users: readonly Readonly<{ name: string; upn: string; oid: string; admin: boolean }>[]
  /** Base URL of the directory: GRAPH_ENDPOINT for scripts. */
  graph: string
  /** Those who deploy; they sign in with the Azure CLI's client id. */
  operators: readonly Readonly<{ name: string; upn: string; oid: string; rights: readonly string[] }>[]
}>

/** What `npm start` prints once everything answers. */
export function welcome({ mcp, tenant, cosmos, clientId, users }: Ready): string {
  const [alice, bob] = users
  const config = { servers: { expenses: { type: 'http', url: mcp } } }
  return `
MCP server   ${mcp}
Tenant       ${tenant}  (emulator of Microsoft Entra ID and Microsoft Graph)
Cosmos       ${cosmos}  (emulator; the data survives a restart)

Users        ${alice?.name}  ${alice?.upn}  admin: sees get_expense_stats
             ${bob?.name}    ${bob?.upn}
Client id    ${clientId}  (a public client with loopback redirects)

VS Code, .vscode/mcp.json (already in this repository):
${JSON.stringify(config, undefined, 2)}

MCP Inspector, in a second terminal (it opens the sign-in page):
  npx mcp-inspector --cli ${mcp} --client-id ${clientId} --method tools/list

Ctrl-C stops everything. One line per decision follows.
`
}
