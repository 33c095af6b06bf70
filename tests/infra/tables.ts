/**
 * Rows as Azure Monitor makes them of what a server writes and sends: the columns that queries here read, of
 * https://learn.microsoft.com/azure/azure-monitor/reference/tables/ containerappconsolelogs, apprequests, appdependencies.
 */
import type { TelemetryItem } from '../app/ingestion.ts'
import type { Row } from './kql-values.ts'

export const TABLES = ['ContainerAppConsoleLogs', 'AppRequests', 'AppDependencies'] as const
export type Table = (typeof TABLES)[number]

/** `line`: what the server has written to stdout. */
export const rowOfLine = (server: string, line: string, time: Date): Row => ({
  TimeGenerated: time,
  ContainerAppName: server,
  Log: line,
})

/** Of `[days.]hours:minutes:seconds`, in which the track API takes durations. */
function millisecondsOf(duration: string): number {
  const [, hours, minutes, seconds] = /^(\d\d):(\d\d):(\d\d\.\d+)$/.exec(duration) ?? []
  if (seconds === undefined) throw new Error(`No duration of less than a day: ${duration}`)
  return (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000
}

export const tableOfItem = ({ data }: TelemetryItem): Table =>
  data.baseType === 'RequestData' ? 'AppRequests' : 'AppDependencies'

export function rowOfItem({ tags, data: { baseData } }: TelemetryItem, time: Date): Row {
  const isRequest = 'responseCode' in baseData
  return {
    TimeGenerated: time,
    AppRoleName: tags['ai.cloud.role'],
    OperationId: tags['ai.operation.id'],
    Name: baseData.name,
    Success: baseData.success,
    DurationMs: millisecondsOf(baseData.duration),
    Properties: baseData.properties,
    ResultCode: isRequest ? baseData.responseCode : baseData.resultCode,
    // A string has no null (kusto/query/scalar-data-types/null-values).
    ...(!isRequest && { Target: baseData.target ?? '' }),
  }
}
