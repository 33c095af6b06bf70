import autocannon from 'autocannon'
import { loadPermissions } from '../../app/permissions.ts'
import { startCosmos } from '../emulators/cosmos.ts'
import { freePort } from '../emulators/loopback.ts'
import { seedDirectory } from '../emulators/seed.ts'
import { STORE, serverEnvironment } from '../emulators/server-environment.ts'
import { startTenant } from '../emulators/tenant.ts'
import { median, residentMegabytes, type Started, start, stop } from './processes.ts'
import type { Row } from './table.ts'

const ROUNDS = 5
const SECONDS = 2
const CONNECTIONS = 16
/** The image's own (app/Dockerfile). */
export const MEMORY_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=512']

const message = (method: string, params: unknown) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const CALL = message('tools/call', { name: 'get_user_expenses', arguments: {} })
const LIST = message('tools/list', {})

type Load = { rate: number; p50: number; p99: number }

async function load(url: string, token: string, body: string, seconds = SECONDS): Promise<Load> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const result = await autocannon({
    url,
    method: 'POST',
    headers,
    body,
    connections: CONNECTIONS,
    duration: seconds,
  })
  if (result.non2xx + result.errors > 0)
    throw new Error(`${result.non2xx} refusals and ${result.errors} errors at ${url}.`)
  return { rate: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 }
}

/** Requests a second of our path as a share of the floor's, in turn, so that a slow machine slows both. */
export async function requestRows(bundle: string): Promise<Row[]> {
  const [memoryPort, cosmosPort] = [await freePort(), await freePort()]
  const urlOf = (port: number) => `http://localhost:${port}/mcp`
  const mcpUrls = [urlOf(memoryPort), urlOf(cosmosPort)]
  const seed = seedDirectory({ mcpUrls, permissions: loadPermissions() })
  const tenant = await startTenant({ ...seed, port: 0 })
  const cosmos = await startCosmos({ ...STORE, port: 0, file: ':memory:' })
  const env = (port: number) => ({
    ...serverEnvironment(urlOf(port), { seed, tenant, cosmos }),
    RATE_LIMIT_PER_MINUTE: '1000000',
  })
  const issuer = `${tenant.url}/${seed.tenantId}`
  const here = (file: string) => new URL(file, import.meta.url).pathname
  const started: Started[] = []
  try {
    const floor = await start([
      here('floor.ts'),
      `${issuer}/discovery/v2.0/keys`,
      `${issuer}/v2.0`,
      seed.apiAppId,
    ])
    started.push(floor)
    started.push(await start([...MEMORY_FLAGS, here('memory-server.ts')], env(memoryPort)))
    const production = await start([...MEMORY_FLAGS, bundle], env(cosmosPort))
    started.push(production)
    const tokenFor = (mcp: string) =>
      tenant.tokenFor({
        user: 'Alice',
        clientId: seed.clientId,
        scope: `${mcp}/user_impersonation`,
        resource: mcp,
      })
    const targets = [
      { name: 'floor', url: urlOf(Number(floor.line)), token: await tokenFor(urlOf(memoryPort)), body: CALL },
      { name: 'tools/call', url: urlOf(memoryPort), token: await tokenFor(urlOf(memoryPort)), body: CALL },
      { name: 'tools/list', url: urlOf(memoryPort), token: await tokenFor(urlOf(memoryPort)), body: LIST },
    ]
    for (const { url, token, body } of targets) await load(url, token, body)
    const rounds: Record<string, Load>[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const measured: Record<string, Load> = {}
      for (const { name, url, token, body } of targets) measured[name] = await load(url, token, body)
      rounds.push(measured)
    }
    const throughCosmos = await load(urlOf(cosmosPort), await tokenFor(urlOf(cosmosPort)), CALL, 5)
    const megabytes = residentMegabytes(production)
    return [
      ...rowsOf(rounds),
      {
        what: 'tools/call through the Cosmos stand-in',
        measured: `${throughCosmos.rate.toFixed(0)} req/s, p50 ${throughCosmos.p50} ms, p99 ${throughCosmos.p99} ms`,
      },
      {
        what: 'memory after load, with the image’s flags',
        measured: megabytes === undefined ? 'not measured here' : `${megabytes.toFixed(0)} MB`,
        goal: '< 160 MB',
        ...(megabytes !== undefined && { met: megabytes < 160 }),
      },
    ]
  } finally {
    await Promise.all(started.map(stop))
    await Promise.all([tenant.close(), cosmos.close()])
  }
}

function rowsOf(rounds: readonly Record<string, Load>[]): Row[] {
  const of = (name: string, pick: (load: Load) => number) =>
    median(rounds.map((round) => (round[name] ? pick(round[name]) : Number.NaN)))
  const latency = (name: string) =>
    `p50 ${of(name, ({ p50 }) => p50)} ms, p99 ${of(name, ({ p99 }) => p99)} ms`
  const floor: Row = {
    what: 'floor: Express echo, RS256 verified',
    measured: `${of('floor', ({ rate }) => rate).toFixed(0)} req/s, ${latency('floor')}`,
  }
  return [
    floor,
    ...['tools/call', 'tools/list'].map((name) => {
      const share = median(rounds.map((round) => (round[name]?.rate ?? 0) / (round.floor?.rate ?? 1)))
      return {
        what: `${name} against the floor`,
        measured: `${(share * 100).toFixed(0)} % (${of(name, ({ rate }) => rate).toFixed(0)} req/s, ${latency(name)})`,
        goal: '>= 60 %',
        met: share >= 0.6,
      }
    }),
  ]
}
