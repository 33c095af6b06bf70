/** Runs the shell steps of a job here, as the runner does: bash, GITHUB_ENV, one environment per step. */
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Further } from '../../../scripts/whatif/further.ts'
import { action } from '../package/runner.ts'
import { type Call, execute, inProject, type World } from './project.ts'
import { type Job, jobOf, type Step } from './workflows.ts'

export interface Outcome {
  code: number
  output: string
  calls: Call[]
  /** What a step wrote for people. */
  summary: string
}

type Texts = Record<string, string>
const OURS = './.github/actions/identity-what-if'
/** What the last step says depends on what the action has said. */
const lastOf = ({ steps }: Job) => [...steps.filter(({ uses }) => uses === OURS), ...steps.slice(-1)]
const textIn = (file: string) => readFile(file, 'utf8').catch(() => '')

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

/** What the action leaves, as `world` has it; tests/scripts/package/action.test.ts runs it for real. */
async function act({ answers }: World, step: Step, values: Texts, folder: string, summary: string) {
  if (step.uses !== OURS) return {}
  const inputs = filled(step.with, values)
  for (const name of Object.keys(inputs))
    if (!(name in action.inputs)) throw new Error(`The action has no input ${name}.`)
  Further.parse(JSON.parse(await readFile(inputs.desired ?? '', 'utf8')))
  const said = (match: string) =>
    answers.find((one) => one.program === 'identity-what-if' && one.match === match)
  const [json, markdown] = [said('json'), said('markdown')]
  const code = json?.code ?? 1
  if (code !== 1) await writeFile(join(folder, 'identity-what-if.json'), json?.stdout ?? '')
  await writeFile(join(folder, 'identity-what-if.md'), markdown?.stdout ?? 'It could not be told.')
  await appendFile(summary, markdown?.stdout ?? 'It could not be told.')
  return { 'steps.identities.outputs.reports': folder, 'steps.identities.outputs.exit-code': String(code) }
}

/** The variables that earlier steps have set. */
const settingsIn = (text: string) =>
  Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

/** The files that earlier steps would have left. */
async function leave(files: Record<string, unknown>, folder: string): Promise<void> {
  for (const [path, content] of Object.entries({ 'desired.json': {}, ...files }))
    await writeFile(join(folder, path), JSON.stringify(content))
}

const runnerOf = ({ permissions }: Job, folder: string) => ({
  GITHUB_REPOSITORY: 'contoso/expenses',
  RUNNER_TEMP: folder,
  // Given to every step of a job that may sign in.
  ...('id-token' in permissions && { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'may-sign-in' }),
})

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
      ...runnerOf(job, folder),
      GITHUB_ENV: settings,
      GITHUB_STEP_SUMMARY: summaryFile,
    }
    const values: Record<string, string> = {
      'runner.temp': folder,
      'steps.pack.outputs.package': 'identity-what-if.tgz',
      'steps.pack.outputs.integrity': 'sha512-x',
      ...given,
    }
    if (from) await leave(from, folder)
    let output = ''
    for (const step of from ? lastOf(job) : job.steps) {
      Object.assign(values, await act(world, step, values, folder, summaryFile))
      if (step.run === undefined) continue
      const kept = settingsIn(await readFile(settings, 'utf8'))
      const env = { ...runner, ...filled(job.env, values), ...kept, ...filled(step.env, values) }
      const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run]
      const ended = await execute('bash', args, folder, env)
      output += ended.output
      if (ended.code !== 0) return { code: ended.code, output, summary: await textIn(summaryFile) }
    }
    return { code: 0, output, summary: await textIn(summaryFile) }
  })
}
