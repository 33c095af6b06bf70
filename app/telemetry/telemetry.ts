import { setImmediate } from 'node:timers/promises'
import type { Span } from '@opentelemetry/api'
import type { AuditLine } from './audit.ts'
import type { Ingestion } from './connection-string.ts'
import type { TelemetryCredential } from './ingestion.ts'
import type { Log } from './log.ts'
import type { Spans } from './spans.ts'
import { endRequest, startRequest } from './trace.ts'

/** Requests that began before spans could be made; what is more is dropped. */
const MAX_EARLY = 512

/** Tells Application Insights of requests and what they depended on; nothing of it is loaded before the server listens. */
export class Telemetry {
  readonly #ingestion: Ingestion
  readonly #log: Log
  readonly #early: [line: AuditLine, ended: number][] = []
  #loading: Promise<void> | undefined
  #spans: Spans | undefined

  constructor(ingestion: Ingestion, log: Log) {
    this.#ingestion = ingestion
    this.#log = log
  }

  /** Notes a request that has ended; its span is a real one unless it began too early. */
  readonly record = (line: AuditLine, span: Span | undefined): void => {
    const ended = Date.now()
    if (span?.isRecording()) endRequest(span, line)
    else if (this.#spans) this.#recordEarly(line, ended)
    else if (this.#early.length < MAX_EARLY) this.#early.push([line, ended])
  }

  /** Never fails: a server without telemetry is better than none. */
  start(signIn: () => Promise<TelemetryCredential>): void {
    this.#loading = this.#load(signIn).catch((error: unknown) => this.#log.fault(error))
  }

  /** Sends what waits. Never fails; may take some seconds while Application Insights is down. */
  async stop(): Promise<void> {
    await this.#loading
    await this.#spans?.close()
  }

  async #load(signIn: () => Promise<TelemetryCredential>): Promise<void> {
    // The first requests go first.
    await setImmediate()
    const { Spans } = await import('./spans.ts')
    this.#spans = new Spans(() => this.#exporter(signIn))
    for (const [line, ended] of this.#early.splice(0)) this.#recordEarly(line, ended)
  }

  async #exporter(signIn: () => Promise<TelemetryCredential>) {
    const plain = this.#ingestion.endpoint.startsWith('http:')
    const [credential, { ingestionExporter }] = await Promise.all([
      // An emulator on this machine is never given an access token.
      plain ? undefined : signIn(),
      import('./ingestion.ts'),
    ])
    return ingestionExporter(this.#ingestion, credential, this.#log)
  }

  #recordEarly(line: AuditLine, ended: number): void {
    endRequest(startRequest(ended - line.duration_ms), line)
  }
}
