/** Programs whose failure ends a step. */
import { Problem } from '../cli/problem.ts'
import { attempt, type Options, UNDONE } from '../cli/program.ts'
import { signInRemedyOf } from '../cli/remedies.ts'

/** The answer; throws when the program fails. `fix` says what usually helps. */
export async function run(program: string, args: string[], options: Options & { fix: string }) {
  const { code, stdout, stderr } = await attempt(program, args, options)
  if (code === 0) return stdout
  throw failed(program, args, stderr.trim() || stdout.trim() || `exit code ${code}`, options.fix)
}

/** Whatever the step needs: who is not signed in is helped by that alone. */
export function failed(program: string, args: string[], said: string, fix: string): Problem {
  const known = signInRemedyOf(said, program === 'az' ? 'az login' : undefined)
  return new Problem({
    what: `${program} ${args.slice(0, 3).join(' ')} failed: ${said.trim()}`,
    why: known?.cause ?? UNDONE,
    fix: known?.fix ?? fix,
  })
}
