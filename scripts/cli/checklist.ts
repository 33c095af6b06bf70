/** A visible list of checks: ticked off one by one in a terminal, plain lines in a pipeline. */
import { Listr } from 'listr2'
import { explain } from './remedies.ts'

export interface Check {
  title: string
  /** Returns what is worth saying; throws what is wrong. */
  run: () => Promise<string | undefined>
}

/**
 * Runs every check, also after a failure: whoever mends one thing should know of all. Returns what is wrong, in the
 * order of the checks, the same cause once.
 */
export async function runChecks(
  checks: readonly Check[],
  { isTerminal, print }: { isTerminal: boolean; print: (line: string) => void },
): Promise<unknown[]> {
  const failures = new Map<Check, unknown>()
  const lineOf = async (check: Check) => {
    try {
      const detail = await check.run()
      return detail ? `${check.title}: ${detail}` : check.title
    } catch (error) {
      failures.set(check, error)
      // The whole text follows below the list.
      throw new Error(check.title)
    }
  }
  if (isTerminal) {
    const tasks = checks.map((check) => ({
      title: check.title,
      task: async (_context: unknown, task: { title: string }) => {
        task.title = await lineOf(check)
      },
    }))
    await new Listr(tasks, { concurrent: true, exitOnError: false }).run()
  } else {
    const lines = await Promise.all(checks.map((check) => lineOf(check).catch(() => check.title)))
    for (const [index, check] of checks.entries()) print(`${failures.has(check) ? '✗' : '✓'} ${lines[index]}`)
  }
  const errors = checks.filter((check) => failures.has(check)).map((check) => failures.get(check))
  return [...new Map(errors.map((error) => [explain(error), error])).values()]
}
