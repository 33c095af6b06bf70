/** How a step of a workflow starts and ends: its variables, one clear message and exit code 1 on failure. */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import { isStarted } from '../cli/started.ts'

/** Runs `main` if the file of `meta` is what was started; nothing happens where it was imported. */
export async function runStep<T extends z.ZodRawShape>(
  meta: ImportMeta,
  variables: T,
  main: (values: z.infer<z.ZodObject<T>>) => Promise<void>,
): Promise<void> {
  if (!isStarted(meta)) return
  try {
    const values = z.object(variables).safeParse(process.env)
    if (!values.success) {
      const names = values.error.issues.map(({ path }) => path.join('.')).join(', ')
      throw new Problem({
        what: `Missing or wrong: ${names}.`,
        why: 'This is a step of a workflow; .github/workflows/ says what it is given.',
        fix: 'Correct the env of the step',
      })
    }
    await main(values.data)
  } catch (error) {
    console.error(`\n✗ ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}
