import type { Server } from 'node:http'
import { createApp } from './app.ts'
import { azureCredential } from './auth/azure-credential.ts'
import { type Config, loadConfig } from './config.ts'
import { loadDeclaration } from './declaration.ts'
import { createHttpServer } from './http/http-server.ts'
import { listen } from './http/listen.ts'
import { createServices, type Services } from './services.ts'
import { openContainer } from './store/cosmos.ts'
import { ExpenseStore } from './store/expenses.ts'
import { batched, createLog } from './telemetry/log.ts'
import { Telemetry } from './telemetry/telemetry.ts'

/** What is left to write and to send after the last answer gets so long. */
const LAST_WORDS_MS = 10_000

/** SIGTERM comes from the platform, which takes a moment to send requests elsewhere; SIGINT from a keyboard. */
function stopOnSignal(servers: readonly Server[], { drain, trail }: Services, telemetry?: Telemetry): void {
  let stopping = false
  const stop = async (notice: boolean) => {
    if (stopping) return
    stopping = true
    await drain.run(servers, { notice })
    setTimeout(() => process.exit(0), LAST_WORDS_MS)
    trail.flush()
    await telemetry?.stop()
    // The last audit lines are written in the next turn of the event loop.
    setImmediate(() => process.exit(0))
  }
  // Not once: Ctrl-C reaches this process from the terminal and again from the one that started it.
  process.on('SIGTERM', () => void stop(true))
  process.on('SIGINT', () => void stop(false))
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
  const config = loadConfig(process.env, loadDeclaration())
  const log = createLog(config.logLevel, batched(process.stdout))
  const telemetry = config.ingestion && new Telemetry(config.ingestion, log)
  const credential = config.cosmos.key ? undefined : await azureCredential(config)
  const store = new ExpenseStore(openContainer({ ...config.cosmos, ...(credential && { credential }) }))
  const services = createServices(config, log, store, telemetry?.record)
  const app = createApp(services)
  const servers = await listen(
    () => createHttpServer(app, services.trail),
    config.port,
    config.address,
  ).catch((error: Error) =>
    fail(`PORT ${config.port} cannot be used: ${error.message}. Set PORT to another one.`),
  )
  log.info(`Listening on port ${config.port}`, { mcp: config.serverUrl, address: config.address })
  if (telemetry) startTelemetry(telemetry, config)
  if (config.credential.kind === 'certificate') config.credential.file.watch(log)
  stopOnSignal(servers, services, telemetry)
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

start().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)))
