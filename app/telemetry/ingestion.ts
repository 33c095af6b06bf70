import {
  type AzureMonitorExporterOptions,
  AzureMonitorTraceExporter,
} from '@azure/monitor-opentelemetry-exporter'
import type { Ingestion } from './connection-string.ts'
import type { Log } from './log.ts'

export type TelemetryCredential = AzureMonitorExporterOptions['credential']
type Policy = NonNullable<AzureMonitorExporterOptions['additionalPolicies']>[number]['policy']

/** One batch, its token and its retries. */
const SEND_MS = 4_000
const REFUSED =
  "Application Insights takes no telemetry; requests are answered all the same. Check its health, APPLICATIONINSIGHTS_CONNECTION_STRING and that the server's identity is Monitoring Metrics Publisher there."

/** The way of spans into Application Insights, behind the answers' backs. Without a credential: to an emulator. */
export function ingestionExporter(
  { connectionString, endpoint }: Ingestion,
  credential: TelemetryCredential,
  log: Log,
): AzureMonitorTraceExporter {
  return new AzureMonitorTraceExporter({
    connectionString,
    // The exporter makes https of the connection string's http.
    ...(credential ? { credential } : { host: endpoint, allowInsecureConnection: true }),
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 2, retryDelayInMs: 300 },
    additionalPolicies: [{ policy: watched(log), position: 'perCall' }],
  })
}

/** Ends a send by our deadline; says once that telemetry is lost, and once that it is not any more. */
function watched(log: Log): Policy {
  let failing = false
  const note = (status: number) => {
    const fails = status === 0 || status >= 400
    if (fails === failing) return
    failing = fails
    if (fails) log.warn(REFUSED, { status })
    else log.info('Application Insights takes telemetry again.')
  }
  return {
    name: 'deadline',
    sendRequest: async (request, next) => {
      request.abortSignal = AbortSignal.timeout(SEND_MS)
      try {
        const response = await next(request)
        note(response.status)
        return response
      } catch (error) {
        note(0)
        throw error
      }
    },
  }
}
