/** Other programs: az, azd, gh. Their arguments are never part of a shell's text. */
import { fileURLToPath } from 'node:url'
import { $, usePowerShell } from 'zx/core'
import { Problem } from './problem.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Options {
  /** The folder that it runs in; the project's, wherever the caller stands. */
  cwd?: string | undefined
  /** Variables besides those of this process. */
  env?: Record<string, string>
  /** Names of variables of this process that are not passed on. */
  hidden?: RegExp
  /** Sent as JSON to the program's standard input. */
  input?: unknown
  /** What it is needed for. */
  why?: string
}

export const UNDONE = 'Nothing after this step has been done.'

const INSTALL = {
  azd: 'https://aka.ms/azd    (without Azure: npm start)',
  az: 'https://aka.ms/azure-cli',
  gh: 'https://cli.github.com',
}

/** Where a program that is not here comes from, instead of what the shell says about it. */
export function notInstalled(program: string, why: string): Problem | undefined {
  const known = Object.entries(INSTALL).find(([name]) => name === program)
  return known && new Problem({ what: `${program} is not installed.`, why, fix: known[1] })
}

/** The shell has found no such program: bash ends with 127, PowerShell says so only. */
const isMissing = (code: number | null, said: string) =>
  code === 127 || (process.platform === 'win32' && /CommandNotFoundException|is not recognized as/.test(said))

/** What happened, whatever the exit code; throws a Problem where the program is not installed. */
export async function attempt(program: string, args: string[], options: Options = {}) {
  const { cwd = ROOT, env, hidden, input, why = UNDONE } = options
  // Windows has no bash of its own; PowerShell is always there.
  if (process.platform === 'win32') usePowerShell()
  const passedOn = Object.entries(process.env).filter(([name]) => !hidden?.test(name))
  const { exitCode, stdout, stderr } = await $({
    cwd,
    quiet: true,
    nothrow: true,
    env: { ...Object.fromEntries(passedOn), ...env },
    ...(input !== undefined && { input: JSON.stringify(input) }),
  })`${program} ${args}`
  const missing = isMissing(exitCode, stderr) && notInstalled(program, why)
  if (missing) throw missing
  return { code: exitCode ?? 1, stdout, stderr }
}
