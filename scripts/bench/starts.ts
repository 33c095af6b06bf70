import { join } from 'node:path'
import { type Method, requestOf, requireAnswer } from './load.ts'
import { cpuSeconds, median, type Started, stop } from './processes.ts'
import type { Stage } from './stage.ts'
import type { Row } from './table.ts'

const RUNS = 7
const OURS = 'this server'

type Start = (more: Record<string, string>) => Promise<Started & { url: string }>
type Times = Readonly<{ listening: number; first: number; cpu: number }>

/**
 * From the start of a process to its first line, and to its first tools/list: the shipped bundle and the SDKs' examples,
 * bundled alike, each with a compile cache of its own and the image's flags. Ours also asks for a group in between.
 */
export async function startRows(stage: Stage, caches: string): Promise<Row[]> {
  const theirs =
    (program: string): Start =>
    (more) =>
      stage.theirs(stage.bundle(program), more)
  const starts: [string, Start][] = [
    [OURS, (more) => stage.ours('app/server.ts', more)],
    ['floor', theirs('scripts/bench/floor.ts')],
    ['SDK v1 example', theirs('scripts/bench/peers/sdk-v1.ts')],
    ['SDK v2 example', theirs('scripts/bench/peers/sdk-v2.ts')],
  ]
  const token = await stage.tokenFor()
  const times = new Map<string, Times[]>(starts.map(([who]) => [who, []]))
  for (let run = -1; run < RUNS; run++) {
    for (const [who, start] of starts) {
      const measured = await startOnce(start, join(caches, who.replaceAll(' ', '-')), token, who !== 'floor')
      // The first run fills the compile cache, as the image's build does.
      if (run >= 0) times.get(who)?.push(measured)
    }
  }
  return rowsOf(times)
}

async function startOnce(start: Start, cache: string, token: string, lists: boolean): Promise<Times> {
  const began = performance.now()
  const server = await start({ NODE_COMPILE_CACHE: cache })
  const method: Method = lists ? 'tools/list' : 'tools/call'
  const request = requestOf(method, '2025-11-25', token)
  if (lists) await requireAnswer(server.url, request)
  else await (await fetch(server.url, request)).text()
  const first = performance.now() - began
  const cpu = cpuSeconds(server) * 1000
  // By a signal that it can catch, so that the cache is written.
  await stop(server, 'SIGTERM')
  return { listening: server.milliseconds, first, cpu }
}

function rowsOf(all: ReadonlyMap<string, readonly Times[]>): Row[] {
  const ours = all.get(OURS) ?? []
  return [...all].map(([who, runs]): Row => {
    const of = (pick: (run: Times) => number) => median(runs.map(pick)).toFixed(0)
    const what = `start, bundled alike: ${who}`
    const measured = `listening after ${of((run) => run.listening)} ms, first answer after ${of((run) => run.first)} ms (CPU ${of((run) => run.cpu)} ms)`
    if (who === OURS || who === 'floor') return { what, measured }
    const ratio = median(ours.map((run, index) => run.first / (runs[index]?.first ?? Number.NaN)))
    return { what, measured: `${measured}; ours ${ratio.toFixed(2)} times`, goal: '<= 1', met: ratio <= 1 }
  })
}
