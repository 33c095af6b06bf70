/**
 * A day of the server, in the tables of the workbook: the lines and the telemetry of a real process, which people call
 * and which loses services for a while. It takes some seconds; the times of that day are a seeded plan's, durations
 * are as they were.
 */
import { once } from 'node:events'
import type { Request } from 'express'
import { z } from 'zod'
import { EntraError, errorBody } from '../../scripts/emulators/entra/refusals.ts'
import { startIngestion, type TelemetryItem } from '../app/ingestion.ts'
import { lunch, post } from '../e2e/rpc.ts'
import { type System, startSystem, type UserName } from '../e2e/system.ts'
import type { Row } from '../infra/kql.ts'
import { rowOfItem, rowOfLine, type Table, tableOfItem } from '../infra/tables.ts'

export type Day = Readonly<Record<Table, readonly Row[]>>

/** As Bicep names it. */
export const SERVER = 'ca-abcdefghijklm'
export const MIDNIGHT = Date.UTC(2026, 10, 20)
const MINUTE_MS = 60_000
const PEOPLE = ['Alice', 'Bob', 'Carol'] as const
/** Calls in each hour of a working day. */
const HOURS = [0, 0, 0, 0, 0, 2, 4, 14, 28, 36, 32, 24, 20, 28, 34, 30, 24, 14, 8, 6, 4, 2, 0, 0]
const TOOLS = ['get_user_expenses', 'get_user_expenses', 'add_user_expense', 'get_expense_stats'] as const

/** `at`: minutes since midnight. `token`: instead of one that is right. */
type Call = Readonly<{ at: number; tool: (typeof TOOLS)[number]; who?: UserName; token?: string }>
/** A part of the day; `begin` is what goes wrong in it. */
type Part = Readonly<{ calls: readonly Call[]; begin?: (system: System) => void }>

/** Park and Miller's minimal standard, from 0 to 1: the same day each time. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

function ordinaryDay(): Call[] {
  const random = randomNumbers(14)
  const oneOf = <Of>(all: readonly [Of, ...Of[]]): Of => all[Math.floor(random() * all.length)] ?? all[0]
  return HOURS.flatMap((calls, hour) =>
    Array.from({ length: calls }, () => ({
      at: (hour + random()) * 60,
      who: oneOf(PEOPLE),
      tool: oneOf(TOOLS),
    })),
  ).toSorted((a, b) => a.at - b.at)
}

/** So many calls within less than a quarter of an hour. */
const burst = (from: number, times: number, call: Omit<Call, 'at'>): Call[] =>
  Array.from({ length: times }, (_, index) => ({ at: from + (14 * index) / times, ...call }))

/** In the order in which they are lived: what is cached lasts, and of what nobody signed only ten of a kind have lines of their own. */
const PARTS: readonly Part[] = [
  {
    calls: burst(7 * 60, 6, { who: 'Alice', tool: 'get_expense_stats' }),
    begin: ({ tenant }) => {
      const body = { error: { code: 'Authorization_RequestDenied', message: 'No.' } }
      tenant.faults.on('graph', { answer: 403, body })
    },
  },
  {
    calls: burst(17 * 60, 1, { who: 'Bob', tool: 'get_expense_stats' }),
    begin: ({ tenant }) => tenant.faults.on('graph', { close: true }),
  },
  { calls: ordinaryDay() },
  {
    calls: burst(10 * 60 + 30, 8, { who: 'Bob', tool: 'get_user_expenses' }),
    begin: ({ cosmos }) => cosmos.faults.inject('query', { status: 503 }, 8),
  },
  {
    calls: burst(14 * 60, 24, { who: 'Alice', tool: 'get_expense_stats' }),
    begin: ({ tenant }) => {
      const body = errorBody(new EntraError(7000215, 'invalid_client', 'Wrong.'), 0)
      tenant.faults.on('obo', { answer: 401, body })
    },
  },
  { calls: burst(2 * 60 + 15, 25, { tool: 'get_user_expenses' }) },
  { calls: burst(2 * 60 + 15, 60, { tool: 'get_user_expenses', token: 'not.a.token' }) },
]

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
  while (!isTraced) {
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
const ofEmulator = ({ data }: TelemetryItem) => data.baseData.name === 'query plan'

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
      .filter((item) => tableOfItem(item) === table && !ofEmulator(item))
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
