/**
 * A day of the server, in the tables of the workbook: the lines and the telemetry of a real process, which people call
 * and which loses services for a while. It takes some seconds; the times of that day are those of day-plan.ts,
 * durations are as they were.
 */
import { once } from 'node:events'
import type { Request } from 'express'
import { z } from 'zod'
import { startIngestion, type TelemetryItem } from '../app/ingestion.ts'
import { lunch, post } from '../e2e/rpc.ts'
import { type System, startSystem, type UserName } from '../e2e/system.ts'
import type { Row } from '../infra/kql.ts'
import { rowOfItem, rowOfLine, type Table, tableOfItem } from '../infra/tables.ts'
import { PARTS, type Part } from './day-plan.ts'

export type Day = Readonly<Record<Table, readonly Row[]>>

/** As Bicep names it. */
export const SERVER = 'ca-abcdefghijklm'
export const MIDNIGHT = Date.UTC(2026, 10, 20)
const MINUTE_MS = 60_000
/** A server that sends no telemetry by then never does. */
const AWAKE_MS = 20_000
const message = (tool: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: tool, arguments: tool === 'add_user_expense' ? lunch() : {} },
})

/** Calls until the server has loaded its telemetry: before that it tells of requests, and not of what they depend on. */
async function awaken({ mcp, tenant, tokenFor }: System): Promise<void> {
  let isTraced = false
  const note = ({ headers }: Request) => {
    isTraced ||= headers.traceparent !== undefined
    return false
  }
  const noting = tenant.faults.on('keys', { close: true, only: note })
  const patience = AbortSignal.timeout(AWAKE_MS)
  while (!isTraced) {
    patience.throwIfAborted()
    await post(mcp, message('get_user_expenses'), { token: await tokenFor('Bob') })
    // Whose keys are new must be asked for them.
    await tenant.rotateKeys()
  }
  noting.clear()
}

/** Makes the calls; when each was, in milliseconds since 1970, by the id of its request. */
async function live(system: System): Promise<Map<string, number>> {
  const times = new Map<string, number>()
  const signedIn = new Map<string, string>()
  /** For about an hour, and anew whenever something is wrong. */
  const tokenOf = async (who: UserName, part: Part, at: number) => {
    const time = `${who} ${part.begin ? at : Math.floor(at / 60)}`
    const token = signedIn.get(time) ?? (await system.tokenFor(who))
    signedIn.set(time, token)
    return token
  }
  for (const part of PARTS) {
    part.begin?.(system)
    for (const { at, who, tool, token: wrong } of part.calls) {
      const token = who ? await tokenOf(who, part, at) : wrong
      const response = await post(system.mcp, message(tool), token === undefined ? {} : { token })
      await response.arrayBuffer()
      times.set(response.headers.get('x-request-id') ?? '', MIDNIGHT + at * MINUTE_MS)
    }
    system.tenant.faults.clear()
    system.cosmos.faults.clear()
  }
  return times
}

const Line = z.looseObject({
  request_id: z.string().optional(),
  count: z.int().optional(),
  decision: z.string().optional(),
  reason: z.string().optional(),
})

/**
 * A line has the time of its request, one that counts requests that of the last of its kind, others that of the line
 * before. What came before the day is left out.
 */
function rowsOfLines(lines: readonly string[], times: ReadonlyMap<string, number>): Row[] {
  const kinds = new Map<string, number>()
  let before = MIDNIGHT
  return lines.flatMap((text): Row[] => {
    const { request_id, count, decision, reason } = Line.parse(JSON.parse(text))
    if (request_id && !times.has(request_id)) return []
    const kind = `${decision} ${reason}`
    before = (count ? kinds.get(kind) : times.get(request_id ?? '')) ?? before
    kinds.set(kind, before)
    return [rowOfLine(SERVER, text, new Date(before))]
  })
}

/** The emulator answers no query plan (docs/emulators.md), Cosmos DB does: a failure that no deployment has. */
const isQueryPlan = ({ data }: TelemetryItem) => data.baseData.name === 'query plan'

/** What a request depended on keeps its distance from the request. */
function rowsOfItems(items: readonly TelemetryItem[], times: ReadonlyMap<string, number>) {
  const shifts = new Map<string | undefined, number>()
  for (const { tags, time, data } of items) {
    const planned = times.get(data.baseData.properties.request_id ?? '')
    if (planned !== undefined) shifts.set(tags['ai.operation.id'], planned - Date.parse(time))
  }
  const known = items.filter(({ tags }) => shifts.has(tags['ai.operation.id']))
  return (table: Table): Row[] =>
    known
      .filter((item) => tableOfItem(item) === table && !isQueryPlan(item))
      .map((item) => {
        const shift = shifts.get(item.tags['ai.operation.id']) ?? 0
        return rowOfItem(item, new Date(Date.parse(item.time) + shift))
      })
}

export async function recordDay(): Promise<Day> {
  const ingestion = await startIngestion()
  const system = await startSystem({ APPLICATIONINSIGHTS_CONNECTION_STRING: ingestion.connectionString })
  try {
    await awaken(system)
    const times = await live(system)
    // Before it ends it sends what waits, and writes what was only counted.
    const closed = once(system.process(), 'close')
    system.process().kill('SIGINT')
    await closed
    const rowsOf = rowsOfItems(ingestion.items(), times)
    return {
      ContainerAppConsoleLogs: rowsOfLines(system.lines(), times),
      AppRequests: rowsOf('AppRequests'),
      AppDependencies: rowsOf('AppDependencies'),
    }
  } finally {
    await system.stop()
    ingestion.close()
  }
}
