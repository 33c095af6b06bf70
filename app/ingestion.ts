import {
  type AzureMonitorExporterOptions,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter'
import { SpanKind } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { AuditLine } from './audit.ts'
import type { Ingestion } from './connection-string.ts'
import type { Log } from './log.ts'

export type TelemetryCredential = AzureMonitorExporterOptions['credential']
type Policy = NonNullable<AzureMonitorExporterOptions['additionalPolicies']>[number]['policy']

/** More requests than this wait for nothing: what does not fit is dropped. About 2 MB. */
const MAX_WAITING = 2_048
/** One batch, its token and its retries. */
const SEND_MS = 4_000
const REFUSED =
  "Application Insights takes no telemetry; requests are answered all the same. Check its health, APPLICATIONINSIGHTS_CONNECTION_STRING and that the server's identity is Monitoring Metrics Publisher there."

/** The way of ended requests into Application Insights, in batches and behind the answers' backs. */
export class IngestionPipeline {
  readonly #sends = new Set<Promise<unknown>>()
  readonly #provider: BasicTracerProvider
  readonly #tracer
  readonly #log: Log
  #failing = false

  constructor({ connectionString, endpoint }: Ingestion, credential: TelemetryCredential, log: Log) {
    this.#log = log
    const exporter = new AzureMonitorTraceExporter({
      connectionString,
      // The exporter makes https of the connection string's http.
      ...(credential ? { credential } : { host: endpoint, allowInsecureConnection: true }),
      disableOfflineStorage: true,
      retryOptions: { maxRetries: 2, retryDelayInMs: 300 },
      additionalPolicies: [{ policy: this.#policy(), position: 'perCall' }],
    })
    const queue = new BatchSpanProcessor(exporter, {
      maxQueueSize: MAX_WAITING,
      maxExportBatchSize: 512,
      scheduledDelayMillis: 5_000,
      // A send ends by its own deadline; ending it here would start the next one beside it.
      exportTimeoutMillis: 600_000,
    })
    this.#provider = new BasicTracerProvider({
      sampler: new AlwaysOnSampler(),
      // The name of the role that Application Insights shows.
      resource: resourceFromAttributes({ 'service.name': 'expenses' }),
      spanProcessors: [queue],
    })
    this.#tracer = this.#provider.getTracer('audit')
  }

  /** The caller's `oid` is personal data: it stays in the audit line. `ended`: milliseconds since 1970. */
  add({ decision, reason, tool, client, obo, ...line }: AuditLine, ended: number): void {
    const http = {
      'http.request.method': 'POST',
      'http.route': '/mcp',
      'http.response.status_code': line.status,
    }
    const dimensions = { decision, reason, tool, client, obo, request_id: line.request_id }
    const span = this.#tracer.startSpan('POST /mcp', {
      root: true,
      kind: SpanKind.SERVER,
      startTime: ended - line.duration_ms,
      attributes: { ...http, ...dimensions },
    })
    span.end(ended)
  }

  /** Sends what waits; what cannot be sent is lost. */
  async close(): Promise<void> {
    // The provider does not wait for what it is sending already.
    await Promise.allSettled([this.#provider.shutdown(), ...this.#sends])
  }

  #policy(): Policy {
    return {
      name: 'deadline',
      sendRequest: async (request, next) => {
        request.abortSignal = AbortSignal.timeout(SEND_MS)
        const send = next(request)
        this.#sends.add(send)
        try {
          const response = await send
          this.#note(response.status)
          return response
        } catch (error) {
          this.#note(0)
          throw error
        } finally {
          this.#sends.delete(send)
        }
      },
    }
  }

  /** Says once that telemetry is lost, and once that it is not any more. */
  #note(status: number): void {
    const failing = status === 0 || status >= 400
    if (failing === this.#failing) return
    this.#failing = failing
    if (failing) this.#log.warn(REFUSED, { status })
    else this.#log.info('Application Insights takes telemetry again.')
  }
}
