import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base'

/** More spans than this wait for nothing: what does not fit is dropped. About 2 MB. */
const MAX_WAITING = 2_048

/**
 * Collects spans and exports them in batches. From its making on OpenTelemetry's API works: spans, their context and
 * its propagation. The exporter is loaded when there is a first batch for it, so that no early request waits for that.
 */
export class Spans {
  readonly #provider: BasicTracerProvider
  readonly #exporter: LateExporter

  constructor(load: () => Promise<SpanExporter>) {
    this.#exporter = new LateExporter(load)
    const queue = new BatchSpanProcessor(this.#exporter, {
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
    trace.setGlobalTracerProvider(this.#provider)
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  }

  /** Sends what waits; what cannot be sent is lost. */
  async close(): Promise<void> {
    await this.#provider.shutdown().catch(() => undefined)
    // The provider does not wait for what it is sending already.
    await this.#exporter.idle()
    trace.disable()
    context.disable()
    propagation.disable()
  }
}

class LateExporter implements SpanExporter {
  readonly #load: () => Promise<SpanExporter>
  readonly #running = new Set<Promise<ExportResult>>()
  #loaded: Promise<SpanExporter> | undefined

  constructor(load: () => Promise<SpanExporter>) {
    this.#load = load
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const sending = this.#send(spans)
    this.#running.add(sending)
    void sending.then((result) => {
      this.#running.delete(sending)
      done(result)
    })
  }

  async #send(spans: ReadableSpan[]): Promise<ExportResult> {
    try {
      this.#loaded ??= this.#load()
      const exporter = await this.#loaded
      return await new Promise((resolve) => exporter.export(spans, resolve))
    } catch (error) {
      return { code: ExportResultCode.FAILED, ...(error instanceof Error && { error }) }
    }
  }

  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  async shutdown(): Promise<void> {
    await this.idle()
    await (await this.#loaded?.catch(() => undefined))?.shutdown()
  }
}
