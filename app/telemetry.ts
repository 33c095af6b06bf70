import { setImmediate } from 'node:timers/promises'
import type { AuditLine } from './audit.ts'
import type { Ingestion } from './connection-string.ts'
import type { IngestionPipeline, TelemetryCredential } from './ingestion.ts'
import type { Log } from './log.ts'

/** Requests that ended before the exporter was loaded; what is more is dropped. */
const MAX_EARLY = 512

/** Tells Application Insights of ended requests, with an exporter that is loaded after the server listens. */
export class Telemetry {
  readonly #ingestion: Ingestion
  readonly #log: Log
  readonly #early: [line: AuditLine, ended: number][] = []
  #loading: Promise<void> | undefined
  #pipeline: IngestionPipeline | undefined

  constructor(ingestion: Ingestion, log: Log) {
    this.#ingestion = ingestion
    this.#log = log
  }

  readonly record = (line: AuditLine): void => {
    if (this.#pipeline) this.#pipeline.add(line, Date.now())
    else if (this.#early.length < MAX_EARLY) this.#early.push([line, Date.now()])
  }

  /** Never fails: a server without telemetry is better than none. */
  start(signIn: () => Promise<TelemetryCredential>): void {
    this.#loading = this.#load(signIn).catch((error: unknown) => this.#log.fault(error))
  }

  /** Sends what waits. Never fails; may take some seconds while Application Insights is down. */
  async stop(): Promise<void> {
    await this.#loading
    await this.#pipeline?.close()
  }

  async #load(signIn: () => Promise<TelemetryCredential>): Promise<void> {
    // The first requests go first.
    await setImmediate()
    const plain = this.#ingestion.endpoint.startsWith('http:')
    const [credential, { IngestionPipeline }] = await Promise.all([
      // A stand-in on this machine is never given an access token.
      plain ? undefined : signIn(),
      import('./ingestion.ts'),
    ])
    this.#pipeline = new IngestionPipeline(this.#ingestion, credential, this.#log)
    for (const [line, ended] of this.#early.splice(0)) this.#pipeline.add(line, ended)
  }
}
