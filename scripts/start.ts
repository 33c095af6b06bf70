/** `npm start`: the production server on this machine, its environment pointing at local emulators. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import ky from 'ky'
import { loadDeclaration } from '../app/declaration.ts'
import { fullScope } from '../app/metadata.ts'
import { everyToolSet, selectPermissions } from '../app/permissions.ts'
import { unusableFolder } from './emulators/cosmos/storage.ts'
import { startCosmos } from './emulators/cosmos.ts'
import { Dashboard } from './emulators/dashboard/dashboard.ts'
import { freePort, listenOnLoopback, portFrom } from './emulators/loopback.ts'
import { fillEmulator } from './emulators/seed/documents.ts'
import { seedDirectory } from './emulators/seed.ts'
import { STORE, serverEnvironment } from './emulators/server-environment.ts'
import { startTenant } from './emulators/tenant.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** By variable: the usual value, and what it is. docs/configuration.md has the same. */
const USUAL = {
  TOOL_SETS: ['', 'tool sets, separated by commas; without it all of infra/permissions.json'],
  PORT: ['8080', 'port of the server; 0: any free one'],
  TENANT_PORT: ['8081', 'port of the emulated tenant; 0: any free one'],
  COSMOS_PORT: ['8082', 'port of the emulated Cosmos DB; 0: any free one'],
  DATA_DIR: ['.data', 'folder that holds the expenses between starts'],
  RATE_LIMIT_PER_MINUTE: ['6000', 'requests of one user'],
  LOG_LEVEL: ['warn', 'least important line that the server writes: error, warn or info'],
} as const
const valueFor = (name: keyof typeof USUAL) => process.env[name] || USUAL[name][0]
const PORTS = ['PORT', 'TENANT_PORT', 'COSMOS_PORT'] as const
const portOf = (name: (typeof PORTS)[number]) => portFrom(name, Number(USUAL[name][0]))

const usage = `npm start                the whole system: tenant, Cosmos, server
npm start -- --json      prints one JSON line when ready

Variables, with what counts where they are not set:
${Object.entries(USUAL)
  .map(([name, [usual, what]]) => `  ${usual ? `${name}=${usual}` : name}`.padEnd(32) + what)
  .join('\n')}`

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean' } } })
  if (values.help) return console.log(usage)
  const declaration = loadDeclaration()
  const permissions = selectPermissions(declaration, valueFor('TOOL_SETS') || everyToolSet(declaration))
  const chosen = PORTS.map(portOf)
  if (chosen.some((one, at) => one !== 0 && chosen.indexOf(one) !== at))
    throw new Error('PORT, TENANT_PORT and COSMOS_PORT should be three ports (0 = any free one).')
  await assertFree()
  const port = portOf('PORT') || (await freePort())
  // As a URL writes it: without the port that is the usual one.
  const mcp = new URL(`http://localhost:${port}/mcp`).href
  const seed = seedDirectory({ mcpUrls: [mcp], permissions })
  const data = process.env.DATA_DIR || `${root}${USUAL.DATA_DIR[0]}`
  try {
    makeFolder(data)
  } catch (error) {
    throw unusableFolder(data, error)
  }

  const dashboard = new Dashboard({ ...seed, permissions })
  const tenant = await startTenant({ ...seed, dashboard, port: portOf('TENANT_PORT') })
  await fillEmulator({ tenant, seed, permissions })
  const cosmos = await startCosmos({
    ...STORE,
    port: portOf('COSMOS_PORT'),
    file: `${data}/cosmos.sqlite`,
  })
  const server = startServer({
    ...serverEnvironment(mcp, { permissions, seed, tenant, cosmos }),
    RATE_LIMIT_PER_MINUTE: valueFor('RATE_LIMIT_PER_MINUTE'),
    LOG_LEVEL: valueFor('LOG_LEVEL'),
  })
  // With --json stdout holds the one line only; the audit lines go to stderr.
  const out = values.json ? process.stderr : process.stdout
  createInterface(server.stdout).on('line', (line) => {
    out.write(`${line}\n`)
    dashboard.heard(line)
  })
  let isStopping = false
  const stop = async (code: number) => {
    isStopping = true
    // Its last lines count too, so not just until it has ended.
    if (server.exitCode === null && server.kill('SIGINT')) await once(server, 'close')
    await Promise.all([tenant.close(), cosmos.close()])
    process.exit(code)
  }
  process.once('SIGINT', () => void stop(0))
  process.once('SIGTERM', () => void stop(0))
  server.once('close', (code, signal) => {
    if (!isStopping) console.error(`The server has ended: ${signal ?? `exit code ${code}`}.`)
    void stop(code ?? 1)
  })

  await ky(new URL('/readyz', mcp), {
    retry: { limit: 100, delay: () => 100, statusCodes: [503] },
    totalTimeout: 30_000,
  }).catch(async (error: unknown) => {
    // The server must not outlive the one who started it.
    console.error(messageOf(error))
    await stop(1)
  })
  const scope = permissions.scopes
    .slice(0, 1)
    .map(({ value }) => fullScope(mcp, value))
    .join()
  const ready = {
    mcp,
    tenant: tenant.url,
    tenantId: seed.tenantId,
    clientId: seed.clientId,
    scope,
    cosmos: cosmos.url,
    users: seed.users,
    // Of the emulator of Azure Resource Manager; docs/tools.md says who reads their costs.
    subscriptions: seed.azure.subscriptions.map(({ id, displayName }) => ({ id, name: displayName })),
  }
  const adminTools = permissions.tools.filter(({ admin }) => admin).map(({ name }) => name)
  console.log(values.json ? JSON.stringify(ready) : welcome(ready, adminTools))
}

/** Taken and given back: a port that a stranger holds is said now, and not answered for by the stranger. */
async function assertFree(): Promise<void> {
  const taken: string[] = []
  for (const name of PORTS) {
    const port = portOf(name)
    if (port === 0) continue
    try {
      await (await listenOnLoopback(() => {}, port, name)).close()
    } catch (error) {
      taken.push(messageOf(error))
    }
  }
  if (taken.length > 0)
    throw new Error(
      `${taken.join('\n')}\nBeside what runs: ${PORTS.map((name) => `${name}=0`).join(' ')} npm start`,
    )
}

/** Step by step: in /proc, or behind a link to nothing, `recursive` of Node tries for ever. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeFolder(parent)
  mkdirSync(path)
}

interface Ready {
  mcp: string
  tenant: string
  cosmos: string
  clientId: string
  users: ReturnType<typeof seedDirectory>['users']
}

/** What `npm start` prints once everything answers. */
function welcome({ mcp, tenant, cosmos, clientId, users }: Ready, adminTools: readonly string[]): string {
  const [alice, bob] = users
  const config = { servers: { expenses: { type: 'http', url: mcp } } }
  return `
MCP server   ${mcp}
Tenant       ${tenant}  (emulators of Microsoft Entra ID, Microsoft Graph and the other APIs)
Cosmos       ${cosmos}  (emulator; the data survives a restart)
What happens ${tenant}/  (decisions, tokens and exchanges, in a browser)

Users        ${alice?.name}  ${alice?.upn}  admin${adminTools.length > 0 ? `: sees ${adminTools.join(', ')}` : ''}
             ${bob?.name}    ${bob?.upn}
Client id    ${clientId}  (a public client with loopback redirects)

VS Code, .vscode/mcp.json (in this repository with port 8080):
${JSON.stringify(config, undefined, 2)}

MCP Inspector, in a second terminal (it opens the sign-in page):
  npx mcp-inspector --cli ${mcp} --client-id ${clientId} --method tools/list

Ctrl-C stops everything. One line per decision follows.
`
}

/** Only these variables and what Node itself needs: nothing of the user's environment leaks in. */
function startServer(variables: Record<string, string>) {
  const { PATH, SystemRoot } = process.env
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `${root}app/server.ts`], {
    env: { ...(PATH && { PATH }), ...(SystemRoot && { SystemRoot }), ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

main().catch((error: unknown) => {
  console.error(messageOf(error))
  process.exit(1)
})
