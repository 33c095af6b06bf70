/** Other programs: az, azd, gh, npm. Their arguments are never part of a shell's text. */
import { $, usePowerShell } from 'zx/core'
import { isMissing, notInstalled, ROOT } from '../cli/azd.ts'
import { Problem } from '../cli/problem.ts'
import { signInRemedyOf } from '../cli/remedies.ts'

export interface Result {
  code: number
  stdout: string
  stderr: string
}

const LOGIN: Readonly<Record<string, string>> = { az: 'az login', azd: 'azd auth login' }

interface Options {
  /** Variables besides those of this process. */
  env?: Record<string, string>
  /** Names of variables of this process that are not passed on. */
  hidden?: RegExp
  /** Sent as JSON to the program's standard input. */
  input?: unknown
}

const shown = (hidden?: RegExp) =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !hidden?.test(name)))

const UNDONE = 'Nothing after this step has been done.'

/** What happened, whatever the exit code; throws a Problem where the program is not installed. */
export async function attempt(program: string, args: string[], options: Options = {}): Promise<Result> {
  // Windows has no bash of its own; PowerShell is always there.
  if (process.platform === 'win32') usePowerShell()
  const { exitCode, stdout, stderr } = await $({
    cwd: ROOT,
    quiet: true,
    nothrow: true,
    env: { ...shown(options.hidden), ...options.env },
    ...(options.input !== undefined && { input: JSON.stringify(options.input) }),
  })`${program} ${args}`
  const missing = isMissing(exitCode, stderr) && notInstalled(program, UNDONE)
  if (missing) throw missing
  return { code: exitCode ?? 1, stdout, stderr }
}

/** The answer; throws when the program fails. `fix` says what usually helps. */
export async function run(
  program: string,
  args: string[],
  { fix, ...options }: Options & { fix: string },
): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options)
  if (code === 0) return stdout
  throw failed(program, args, stderr.trim() || stdout.trim() || `exit code ${code}`, fix)
}

/** Whatever the step needs: who is not signed in is helped by that alone. */
export function failed(program: string, args: string[], said: string, fix: string): Problem {
  const known = signInRemedyOf(said, LOGIN[program])
  return new Problem({
    what: `${program} ${args.slice(0, 3).join(' ')} failed: ${said.trim()}`,
    why: known?.cause ?? UNDONE,
    fix: known?.fix ?? fix,
  })
}

/** What a program printed; undefined: that is no JSON, and whoever asked says so in words. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
