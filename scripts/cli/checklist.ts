/** A visible list of checks: ticked off one by one in a terminal, plain lines in a pipeline. */
import { Listr } from 'listr2'
import { explain } from './remedies.ts'

export interface Check {
  title: string
  /** Returns what is worth saying; throws what is wrong. */
  run: () => Promise<string | undefined>
}

const told = (title: string, detail: string | undefined) => (detail ? `${title}: ${detail}` : title)

async function inPipeline(checks: readonly Check[], print: (line: string) => void): Promise<unknown[]> {
  const results = await Promise.allSettled(checks.map(({ run }) => run()))
  const errors: unknown[] = []
  for (const [index, { title }] of checks.entries()) {
    const result = results[index]
    if (result?.status === 'fulfilled') print(`✓ ${told(title, result.value)}`)
    else {
      errors.push(result?.reason)
      print(`✗ ${title}`)
    }
  }
  return errors
}

async function inTerminal(checks: readonly Check[]): Promise<unknown[]> {
  const errors: unknown[] = []
  const tasks = checks.map(({ title, run }) => ({
    title,
    task: async (_context: unknown, task: { title: string }) => {
      try {
        task.title = told(title, await run())
      } catch (error) {
        errors.push(error)
        // The whole text follows below the list.
        throw new Error(title)
      }
    },
  }))
  await new Listr(tasks, { concurrent: true, exitOnError: false }).run()
  return errors
}

/**
 * Runs every check, also after a failure: whoever mends one thing should know of all. Returns what is wrong, the same
 * cause once.
 */
export async function runChecks(
  checks: readonly Check[],
  { isTerminal, print }: { isTerminal: boolean; print: (line: string) => void },
): Promise<unknown[]> {
  const errors = isTerminal ? await inTerminal(checks) : await inPipeline(checks, print)
  return [...new Map(errors.map((error) => [explain(error), error])).values()]
}
