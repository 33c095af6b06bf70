/** Runs the shell steps of a job here, as the runner does: bash, GITHUB_ENV, one environment per step. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, execute, inProject, type World } from './project.ts'
import { jobOf } from './workflows.ts'

export interface Outcome {
  code: number
  output: string
  calls: Call[]
  /** What a step wrote for people. */
  summary: string
}

/** Fills in what GitHub fills in; an expression that is not given is a fault of the test. */
const filled = (values: Record<string, string> | undefined, given: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([name, text]) => [
      name,
      text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
        const value = given[expression]
        if (value === undefined) throw new Error(`No value for ${expression}`)
        return value
      }),
    ]),
  )

/** `from`: the files that earlier steps would have left, by path, when only the last step is of interest. */
export async function runJob(
  file: string,
  name: string,
  world: World,
  given: Record<string, string>,
  from?: Record<string, unknown>,
): Promise<Outcome> {
  const job = await jobOf(file, name)
  return inProject(world, async (folder, basic) => {
    const [settings, summaryFile] = [join(folder, 'github-env'), join(folder, 'summary.md')]
    await writeFile(settings, '')
    const runner = {
      ...basic,
      GITHUB_ENV: settings,
      GITHUB_STEP_SUMMARY: summaryFile,
      GITHUB_REPOSITORY: 'contoso/expenses',
    }
    const values = { 'runner.temp': folder, ...given }
    for (const [path, content] of Object.entries(from ?? {}))
      await writeFile(join(folder, path), JSON.stringify(content))
    let output = ''
    let code = 0
    for (const step of from ? job.steps.slice(-1) : job.steps) {
      if (step.run === undefined) continue
      const set = (await readFile(settings, 'utf8')).split('\n').filter(Boolean)
      const kept = Object.fromEntries(
        set.map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
      )
      const env = { ...runner, ...filled(job.env, values), ...kept, ...filled(step.env, values) }
      const ended = await execute(
        'bash',
        ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run],
        folder,
        env,
      )
      output += ended.output
      code = ended.code
      if (code !== 0) break
    }
    return { code, output, summary: await readFile(summaryFile, 'utf8').catch(() => '') }
  })
}
