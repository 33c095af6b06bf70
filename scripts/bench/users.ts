import { randomUUID } from 'node:crypto'
import { load, requestOf, shown } from './load.ts'
import { residentMegabytes } from './processes.ts'
import type { Stage } from './stage.ts'
import type { Row } from './table.ts'

const USERS = [1, 1_000, 20_000]
const REQUESTS = 20_000

/** tools/call of so many users, each with a token of their own: after everybody has called once, and once more. */
export async function userRows(stage: Stage): Promise<Row[]> {
  const rows: Row[] = []
  for (const users of USERS) {
    const tokens = await Promise.all(Array.from({ length: users }, () => stage.tokenFor(randomUUID())))
    const requests = tokens.map((token) => requestOf('tools/call', '2025-11-25', token))
    const server = await stage.ours('scripts/bench/memory-server.ts')
    const first = await load(stage.mcp, server, requests, { amount: REQUESTS })
    const again = await load(stage.mcp, server, requests, { amount: REQUESTS })
    const megabytes = residentMegabytes(server)
    rows.push({
      what: `tools/call, ${users} user${users === 1 ? '' : 's'}`,
      measured: `${shown(again)}; ${first.perCpu.toFixed(0)} when new; ${megabytes?.toFixed(0) ?? '?'} MB`,
    })
    await stage.stop()
  }
  return rows
}
