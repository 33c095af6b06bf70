import { createServer, type Server } from 'node:http'
import { createApp } from './app.ts'
import { type Config, loadConfig } from './config.ts'
import { openContainer } from './cosmos.ts'
import { ExpenseStore } from './expenses.ts'
import { batched, createLog } from './log.ts'
import { ManagedIdentity } from './managed-identity.ts'
import { loadPermissions } from './permissions.ts'
import { createServices } from './services.ts'
import { Telemetry } from './telemetry.ts'

const GRACE_MS = 10_000

/** What runs gets its 10 seconds; then it is cut off, and what is left to write and to send gets its own. */
function stopOnSignal(server: Server, telemetry: Telemetry | undefined): void {
  const stop = () => {
    server.close(async () => {
      await telemetry?.stop()
      // The last audit lines are written in the next turn of the event loop.
      setImmediate(() => process.exit(0))
    })
    // A connection that falls idle after its last answer would hold the process until its time-out.
    setInterval(() => server.closeIdleConnections(), 50)
    setTimeout(() => server.closeAllConnections(), GRACE_MS)
    setTimeout(() => process.exit(0), 2 * GRACE_MS)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

/** In Azure: the server's identity; on a laptop: whoever is signed in to azd. */
async function azureCredential({ credential }: Config) {
  if (credential.kind === 'managed-identity') return new ManagedIdentity(credential.clientId).credential
  // Loaded only where it is used: it is a quarter of the start-up time.
  const { AzureDeveloperCliCredential } = await import('@azure/identity')
  return new AzureDeveloperCliCredential()
}

/** Telemetry is no reason to listen later: it starts when everything else has. */
function startTelemetry(telemetry: Telemetry, config: Config): void {
  // The exporter takes these from the environment only: no statistics about itself for Microsoft's own hosts,
  // and no item but the requests.
  process.env.APPLICATION_INSIGHTS_NO_STATSBEAT = 'true'
  process.env.APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED = 'true'
  telemetry.start(() => azureCredential(config))
}

async function start(): Promise<void> {
  const permissions = loadPermissions()
  const config = loadConfig(process.env, permissions)
  const log = createLog(config.logLevel, batched(process.stdout))
  const telemetry = config.ingestion && new Telemetry(config.ingestion, log)
  const credential = config.cosmos.key ? undefined : await azureCredential(config)
  const store = new ExpenseStore(openContainer({ ...config.cosmos, ...(credential && { credential }) }))
  const app = createApp(createServices(config, permissions, log, store, telemetry?.record))
  // Slow or silent clients: 10 s for the headers, 30 s for the whole request, looked at every 2 s.
  const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_000 }
  const server = createServer({ ...timeouts, keepAliveTimeout: 75_000 }, app)
  server.once('error', (error) =>
    fail(`PORT ${config.port} cannot be used: ${error.message}. Set PORT to another one.`),
  )
  server.listen(config.port, () => {
    log.info(`Listening on port ${config.port}`, { mcp: config.serverUrl })
    if (telemetry) startTelemetry(telemetry, config)
  })
  stopOnSignal(server, telemetry)
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

start().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
