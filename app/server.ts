import { createServer, type Server } from 'node:http'
import { createApp } from './app.ts'
import { type Config, loadConfig } from './config.ts'
import { openContainer } from './cosmos.ts'
import { ExpenseStore } from './expenses.ts'
import { batched, createLog } from './log.ts'
import { loadPermissions } from './permissions.ts'
import { createServices } from './services.ts'

const GRACE_MS = 10_000

/** What runs gets its 10 seconds; then the process ends, with everything answered or cut off. */
function stopOnSignal(server: Server): void {
  const stop = () => {
    server.close(() => process.exit(0))
    // A connection that falls idle after its last answer would hold the process until its time-out.
    setInterval(() => server.closeIdleConnections(), 50)
    setTimeout(() => process.exit(0), GRACE_MS).unref()
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

/** Cosmos in Azure: the server's identity; on a laptop: whoever is signed in to azd. */
async function cosmosCredential({ cosmos, credential }: Config) {
  if (cosmos.key) return undefined
  // Loaded only where it is used: it is a quarter of the start-up time.
  const { AzureDeveloperCliCredential, ManagedIdentityCredential } = await import('@azure/identity')
  return credential.kind === 'managed-identity'
    ? new ManagedIdentityCredential({ clientId: credential.clientId })
    : new AzureDeveloperCliCredential()
}

async function start(): Promise<void> {
  const permissions = loadPermissions()
  const config = loadConfig(process.env, permissions)
  const log = createLog(config.logLevel, batched(process.stdout))
  const credential = await cosmosCredential(config)
  const store = new ExpenseStore(openContainer({ ...config.cosmos, ...(credential && { credential }) }))
  const app = createApp(createServices(config, permissions, log, store))
  // Slow or silent clients: 10 s for the headers, 30 s for the whole request.
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 75_000 },
    app,
  )
  server.once('error', (error) =>
    fail(`PORT ${config.port} cannot be used: ${error.message}. Set PORT to another one.`),
  )
  server.listen(config.port, () => log.info(`Listening on port ${config.port}`, { mcp: config.serverUrl }))
  stopOnSignal(server)
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

start().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
