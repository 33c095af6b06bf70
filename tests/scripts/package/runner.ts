/**
 * Runs a composite action as the runner of GitHub Actions does: each step in bash, with files for outputs and summary.
 * https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax; an expression that is not known here
 * is a fault of the test.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { ended } from '../hooks.ts'

export const FOLDER = fileURLToPath(new URL('../../../.github/actions/identity-what-if/', import.meta.url))
const Texts = z.record(z.string(), z.string())
/** No step of another action: all that runs is in this repository. */
const Step = z.strictObject({
  id: z.string(),
  if: z.string().optional(),
  shell: z.literal('bash'),
  env: Texts.default({}),
  run: z.string(),
})
export const Action = z.strictObject({
  name: z.string(),
  description: z.string().max(125),
  inputs: z.record(
    z.string().regex(/^[a-z][a-z-]*$/),
    z.strictObject({
      description: z.string(),
      default: z.string().optional(),
      required: z.boolean().optional(),
    }),
  ),
  outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })),
  runs: z.strictObject({ using: z.literal('composite'), steps: z.array(Step).min(1) }),
})
export const action = Action.parse(parse(await readFile(join(FOLDER, 'action.yml'), 'utf8')))

type Values = Record<string, string>
interface Contexts {
  inputs: Values
  steps: Record<string, Values>
  token: string
}

/** One name of a context; without a value it is empty, but an input or a step has to be there. */
function named(name: string, { inputs, steps, token }: Contexts): string {
  if (name === 'github.token') return token
  const [, input] = /^inputs\.([a-z-]+)$/.exec(name) ?? []
  if (input !== undefined && inputs[input] !== undefined) return inputs[input]
  const [, step = '', output = ''] = /^steps\.([a-z]+)\.outputs\.([a-z-]+)$/.exec(name) ?? []
  if (action.runs.steps.some(({ id }) => id === step)) return steps[step]?.[output] ?? ''
  throw new Error(`The expression ${name} is not known here.`)
}

function evaluated(expression: string, contexts: Contexts): string {
  const [, name = '', usual] = /^(\S+) \|\| '([^']*)'$/.exec(expression) ?? [undefined, expression]
  return named(name, contexts) || (usual ?? '')
}

const filled = (text: string, contexts: Contexts) =>
  text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => evaluated(expression, contexts))

function isWanted(condition: string | undefined, contexts: Contexts): boolean {
  if (condition === undefined) return true
  const [, name, value] = /^(\S+) != '([^']*)'$/.exec(condition) ?? []
  if (name === undefined) throw new Error(`The condition ${condition} is not known here.`)
  return named(name, contexts) !== value
}

/** Those that are required must be given; an unknown one is a warning of GitHub, and a fault here. */
function inputsOf(given: Values, token: string): Values {
  for (const name of Object.keys(given))
    if (!(name in action.inputs)) throw new Error(`The action has no input ${name}.`)
  return Object.fromEntries(
    Object.entries(action.inputs).map(([name, { default: usual = '', required }]) => {
      const value = given[name]
      if (required && value === undefined) throw new Error(`The input ${name} is required.`)
      const contexts = { inputs: {}, steps: {}, token }
      return [name, value ?? filled(usual, contexts)]
    }),
  )
}

const outputsIn = (text: string): Values =>
  Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => z.tuple([z.string(), z.string()]).parse(line.split(/=(.*)/s).slice(0, 2))),
  )

/**
 * What the runner would obey in a log: a line that begins with `::`, or one with `##[` anywhere, unless commands are
 * stopped. https://docs.github.com/actions/reference/workflow-commands-for-github-actions, "Stopping and starting".
 */
export function commandsIn(log: string): string[] {
  let stopped: string | undefined
  return log.split('\n').flatMap((line) => {
    const text = line.trim()
    if (stopped !== undefined) {
      if (text === `::${stopped}::`) stopped = undefined
      return []
    }
    const [, token] = /^::stop-commands::(.+)$/.exec(text) ?? []
    if (token) {
      stopped = token
      return []
    }
    return text.startsWith('::') || text.includes('##[') ? [text] : []
  })
}

export interface Use {
  with: Values
  /** Of the job. */
  env: Values
  /** Undefined: the job runs for a push. */
  event?: { name?: string; payload: unknown } | undefined
  workspace: string
  /** Where the folder of the runner is made; it stays, because the reports are in it. */
  temp: string
  token: string
  api: string
}
export interface Used {
  code: number
  outputs: Values
  log: string
  summary: string
}

export async function use({
  with: given,
  env,
  event,
  workspace,
  temp: parent,
  token,
  api,
}: Use): Promise<Used> {
  const temp = await mkdtemp(join(parent, 'runner-'))
  const contexts: Contexts = { inputs: inputsOf(given, token), steps: {}, token }
  const [eventFile, summaryFile] = [join(temp, 'event.json'), join(temp, 'summary.md')]
  const outputFile = join(temp, 'output')
  await writeFile(eventFile, JSON.stringify(event?.payload ?? {}))
  await writeFile(summaryFile, '')
  const runner = {
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', RUNNER_TEMP: temp },
    ...{ GITHUB_ACTION_PATH: FOLDER.replace(/[\\/]$/, ''), GITHUB_WORKSPACE: workspace, GITHUB_API_URL: api },
    ...{ GITHUB_EVENT_NAME: event ? (event.name ?? 'pull_request') : 'push', GITHUB_EVENT_PATH: eventFile },
    ...{ GITHUB_OUTPUT: outputFile, GITHUB_STEP_SUMMARY: summaryFile },
  }
  let [code, log] = [0, '']
  for (const step of action.runs.steps) {
    if (code !== 0 || !isWanted(step.if, contexts)) continue
    await writeFile(outputFile, '')
    const script = join(temp, 'step.sh')
    await writeFile(script, step.run)
    const own = Object.entries(step.env).map(([name, text]) => [name, filled(text, contexts)])
    const run = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
      cwd: workspace,
      env: { ...env, ...runner, ...Object.fromEntries(own) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { code: ending, output } = await ended(run)
    code = ending ?? 1
    log += output
    contexts.steps[step.id] = outputsIn(await readFile(outputFile, 'utf8'))
  }
  const outputs = Object.entries(action.outputs).map(([name, { value }]) => [name, filled(value, contexts)])
  return { code, log, outputs: Object.fromEntries(outputs), summary: await readFile(summaryFile, 'utf8') }
}
