import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export type Started = { child: ChildProcess; line: string; milliseconds: number }

/** Starts a Node process and waits for its first line on stdout. */
export async function start(args: string[], env: Record<string, string> = {}): Promise<Started> {
  const began = performance.now()
  const child = spawn(process.execPath, args, {
    env: { ...(process.env.PATH && { PATH: process.env.PATH }), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${args.join(' ')} ended with ${code}.`))),
  ])
  // The rest is dropped unread: splitting audit lines would slow the load that this process makes.
  lines.close()
  child.stdout.resume()
  return { child, line: String(line), milliseconds: performance.now() - began }
}

export async function stop({ child }: Started, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode === null && child.kill(signal)) await once(child, 'exit')
}

/** Resident memory in megabytes; undefined where there is no `ps`. */
export function residentMegabytes({ child }: Started): number | undefined {
  try {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)]).toString()) / 1024
  } catch {
    return undefined
  }
}

/** CPU time that a process has taken so far, in seconds; NaN where there is no /proc. */
export function cpuSeconds({ child }: Started): number {
  try {
    // Fields 14 and 15 in ticks of 10 ms (proc(5)); the second field, in parentheses, may hold spaces.
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 ? high : (high + (sorted[middle - 1] ?? high)) / 2
}
