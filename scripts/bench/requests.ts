import { fileURLToPath } from 'node:url'
import { type Era, type Load, load, type Method, requestOf, requireAnswer, shown } from './load.ts'
import { median, residentMegabytes, type Started } from './processes.ts'
import type { Stage } from './stage.ts'
import type { Row } from './table.ts'

const ROUNDS = 5
/** At least so many times every peer's requests, with as much CPU: on a busy machine a second is no measure. */
const GOALS: Readonly<Record<Method, number>> = { 'tools/call': 3, 'tools/list': 5 }
const [OURS, FLOOR] = ['this server', 'floor: Express echo, the same token verified']

type Target = Readonly<{
  who: string
  method: Method
  era: Era
  url: string
  server: Started
  request: ReturnType<typeof requestOf>
}>
type Measured = Target & Readonly<{ rounds: Load[] }>

const PEERS: readonly { who: string; program: string; bundled: boolean; eras: readonly Era[] }[] = [
  { who: FLOOR, program: 'scripts/bench/floor.ts', bundled: true, eras: ['2025-11-25'] },
  {
    who: 'SDK v1, stateless example',
    program: 'scripts/bench/peers/sdk-v1.ts',
    bundled: true,
    eras: ['2025-11-25'],
  },
  {
    who: 'SDK v2, stateless example',
    program: 'scripts/bench/peers/sdk-v2.ts',
    bundled: true,
    eras: ['2025-11-25', '2026-07-28'],
  },
  // Its optional parts cannot be bundled; that costs time at its start, which is not compared.
  { who: 'fastmcp', program: 'scripts/bench/peers/fastmcp.mjs', bundled: false, eras: ['2025-11-25'] },
]

/**
 * Requests a second of our path and of every peer with the same tools, tokens and flags, in rotation, so that what slows
 * this machine slows all. Ratios are medians over the rounds, of requests per CPU second of the server.
 */
export async function requestRows(stage: Stage): Promise<Row[]> {
  const token = await stage.tokenFor()
  const ours = await stage.ours('scripts/bench/memory-server.ts')
  const methods: Method[] = ['tools/call', 'tools/list']
  const targets: Target[] = []
  const aim = (who: string, server: Started, url: string, eras: readonly Era[], asked: readonly Method[]) => {
    for (const era of eras)
      for (const method of asked)
        targets.push({ who, method, era, url, server, request: requestOf(method, era, token) })
  }
  aim(OURS, ours, stage.mcp, ['2025-11-25', '2026-07-28'], methods)
  for (const { who, program, bundled, eras } of PEERS) {
    const path = bundled ? stage.bundle(program) : fileURLToPath(new URL(`../../${program}`, import.meta.url))
    const server = await stage.theirs(path)
    aim(who, server, server.url, eras, who === FLOOR ? ['tools/call'] : methods)
  }
  const measured: Measured[] = targets.map((target) => ({ ...target, rounds: [] }))
  for (const { url, server, request, who } of targets) {
    if (who !== FLOOR) await requireAnswer(url, request)
    await load(url, server, [request], { duration: 1 })
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const { url, server, request, rounds } of measured)
      rounds.push(await load(url, server, [request], { duration: 1 }))
  await stage.stop()
  return rowsOf(measured)
}

const middle = (rounds: readonly Load[]): Load => ({
  rate: median(rounds.map(({ rate }) => rate)),
  p50: median(rounds.map(({ p50 }) => p50)),
  p99: median(rounds.map(({ p99 }) => p99)),
  perCpu: median(rounds.map(({ perCpu }) => perCpu)),
})

/** How many times the requests of `b`, measured in the same rounds, `a` answers with as much CPU. */
const times = (a: Measured, b: Measured) =>
  median(a.rounds.map(({ perCpu }, round) => perCpu / (b.rounds[round]?.perCpu ?? Number.NaN)))

function rowsOf(all: readonly Measured[]): Row[] {
  const find = (method: Method, era: Era) => {
    const found = all.find((one) => one.who === OURS && one.method === method && one.era === era)
    if (!found) throw new Error(`${method} of ${era} was not measured.`)
    return found
  }
  return all.map((one): Row => {
    const what = one.who === FLOOR ? one.who : `${one.method}, ${one.era}: ${one.who}`
    const own = shown(middle(one.rounds))
    const ours = find(one.method, one.era)
    if (one.who === FLOOR) return { what, measured: `${own}; ours ${times(ours, one).toFixed(2)} times` }
    if (one !== ours) {
      const [ratio, goal] = [times(ours, one), GOALS[one.method]]
      return {
        what,
        measured: `${own}; ours ${ratio.toFixed(1)} times`,
        goal: `>= ${goal}`,
        met: ratio >= goal,
      }
    }
    if (one.era === '2025-11-25') return { what, measured: own }
    const ratio = times(one, find(one.method, '2025-11-25'))
    // Two halves of one second never agree to the last request.
    return { what, measured: `${own}; ${ratio.toFixed(2)} times 2025`, goal: '>= 0.95', met: ratio >= 0.95 }
  })
}

/** The production server, with the database's client, and what it takes in memory. */
export async function productionRows(stage: Stage): Promise<Row[]> {
  const production = await stage.ours('app/server.ts')
  const request = requestOf('tools/call', '2025-11-25', await stage.tokenFor())
  await requireAnswer(stage.mcp, request)
  const throughCosmos = await load(stage.mcp, production, [request], { duration: 5 })
  const megabytes = residentMegabytes(production)
  await stage.stop()
  return [
    { what: 'tools/call through the Cosmos emulator', measured: shown(throughCosmos) },
    {
      what: 'memory after load, with the image’s flags',
      measured: megabytes === undefined ? 'not measured here' : `${megabytes.toFixed(0)} MB`,
      goal: '< 160 MB',
      ...(megabytes !== undefined && { met: megabytes < 160 }),
    },
  ]
}
