/** What the GitHub action runs: one what-if, its reports as files, the outputs, the summary and one comment. */
import { randomUUID } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { type Command, parseCommand } from '../whatif/command.ts'
import { decideExitCode, renderJson, type Summary, summarize } from '../whatif/report.ts'
import { fence, renderMarkdown } from '../whatif/report-markdown.ts'
import { renderSarif } from '../whatif/report-sarif.ts'
import { renderText } from '../whatif/report-text.ts'
import { askWhatIf } from '../whatif/whatif.ts'
import { type GitHub, type PullRequest, pullRequestOf, readAt, saveComment } from './github.ts'
import { surroundingsOf } from './surroundings.ts'
import { inOurWords } from './words.ts'

const NAME = 'identity-what-if'
const flag = z.enum(['true', 'false']).transform((text) => text === 'true')

/** action.yml gives the inputs, the runner the rest. */
const Job = z.object({
  INPUT_FOLDER: z.string().default('infra'),
  INPUT_PARAMETERS: z.string().optional(),
  INPUT_SET: z.string().default(''),
  INPUT_RESOURCE_GROUP: z.string().optional(),
  INPUT_VARIABLES: z.string().default(''),
  INPUT_LEVEL: z.string().default('high'),
  INPUT_FAIL: flag.default(true),
  INPUT_DRIFT: flag.default(false),
  INPUT_COMMENT: flag.default(true),
  INPUT_COMMENT_AUTHOR: z.string().default('github-actions[bot]'),
  INPUT_EXCEPTIONS: z.string().optional(),
  INPUT_DESIRED: z.string().optional(),
  INPUT_COMPILER: z.string().optional(),
  INPUT_TOKEN: z.string().optional(),
  REPORTS: z.string(),
  AZURE_CONFIG_DIR: z.string().optional(),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
  GITHUB_EVENT_NAME: z.string(),
  GITHUB_EVENT_PATH: z.string().optional(),
  GITHUB_OUTPUT: z.string(),
  GITHUB_STEP_SUMMARY: z.string(),
  GITHUB_WORKSPACE: z.string(),
})
type Job = z.infer<typeof Job>

const option = (name: string, value: string | undefined) => (value ? [`--${name}`, value] : [])

/** As somebody would write it on a command line. */
function commandOf(job: Job): Command {
  const set = job.INPUT_SET.split('\n').map((line) => line.trim())
  return parseCommand([
    ...(job.INPUT_PARAMETERS ? option('parameters', job.INPUT_PARAMETERS) : ['--infra', job.INPUT_FOLDER]),
    ...set.flatMap((line) => option('set', line)),
    ...option('resource-group', job.INPUT_RESOURCE_GROUP),
    ...job.INPUT_VARIABLES.split(/[\s,]+/).flatMap((name) => option('variable', name)),
    ...option('fail-on', job.INPUT_LEVEL),
    ...option('exceptions', job.INPUT_EXCEPTIONS),
    ...option('desired', job.INPUT_DESIRED),
    ...(job.INPUT_DRIFT ? ['--drift'] : []),
  ])
}

/** Where `az bicep install` has put the compiler that action.yml names; PATH may hold another one. */
function nameCompiler({ INPUT_COMPILER, AZURE_CONFIG_DIR = join(homedir(), '.azure') }: Job): void {
  if (!INPUT_COMPILER) return
  process.env.BICEP = join(AZURE_CONFIG_DIR, 'bin', process.platform === 'win32' ? 'bicep.exe' : 'bicep')
}

const gitHubOf = ({ GITHUB_API_URL: api, INPUT_TOKEN: token }: Job): GitHub | undefined =>
  token ? { api, token } : undefined

/**
 * What is checked out there has been reviewed, or whoever may start the job by hand has chosen it:
 * https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
 */
const OF_THE_BRANCH = ['push', 'schedule', 'workflow_dispatch']

/** Nobody accepts their own exception: on a pull request the file of the base branch counts, or none. */
async function exceptionsOf(
  job: Job,
  command: Command,
  pull: PullRequest | undefined,
): Promise<string | undefined> {
  if (command.exceptions || OF_THE_BRANCH.includes(job.GITHUB_EVENT_NAME)) return command.exceptions
  const file = join(job.REPORTS, 'identity-exceptions.json')
  // Not written: none count.
  if (!pull) return file
  const beside = resolve(dirname(command.parameters), 'identity-exceptions.json')
  const path = relative(job.GITHUB_WORKSPACE, beside).replaceAll('\\', '/')
  const github = gitHubOf(job)
  const text = github && (await readAt(github, pull.repository, path, pull.base))
  if (text !== undefined) await writeFile(file, text)
  return file
}

interface Told {
  code: 0 | 1 | 2
  summary?: Summary
  markdown: string
  /** For the log. */
  text: string
}

async function tell(job: Job, pull: PullRequest | undefined): Promise<Told> {
  nameCompiler(job)
  const command = commandOf(job)
  const exceptions = await exceptionsOf(job, command, pull)
  const { parameters, allowed } = command
  const context = await surroundingsOf(parameters, { allowed, isStoredTrusted: false })
  const result = await askWhatIf(context, { ...command, exceptions })
  await writeFile(join(job.REPORTS, `${NAME}.json`), renderJson(result))
  await writeFile(join(job.REPORTS, `${NAME}.sarif`), renderSarif(result))
  return {
    code: decideExitCode(result, command.failOn),
    summary: summarize(result),
    markdown: renderMarkdown(result),
    text: renderText(result, false),
  }
}

/** A comment that says "no changes" must not outlive the commit that it was about. */
function failed(error: unknown, pull: PullRequest | undefined): Told {
  const said = inOurWords(error instanceof Error ? error.message : String(error))
  const fork = pull?.isFork
    ? ['', 'This pull request comes from a fork: GitHub gives it no token to sign in with.']
    : []
  const title = ['### Identity what-if', '', '**It could not be told.**']
  const markdown = [...title, ...fork, '', ...fence('text', said), '']
  return { code: 1, markdown: markdown.join('\n'), text: `✗ ${said}` }
}

/** Names from the template and the directory must not become commands of the runner. */
function log(text: string): void {
  const end = randomUUID()
  console.log(`::stop-commands::${end}\n${text}\n::${end}::`)
}

/** https://docs.github.com/actions/reference/workflow-commands-for-github-actions: a command ends at its line. */
const notice = (level: 'notice' | 'error', text: string) =>
  console.log(
    `::${level} title=${NAME}::${text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}`,
  )

const outputsOf = ({ code, summary }: Told): string => {
  const { risks, ...counts } = summary ?? {}
  const outputs = Object.entries({ 'exit-code': code, ...counts, ...risks })
  return outputs.map(([name, value]) => `${name}=${value}\n`).join('')
}

/** One for each template of a repository. */
const markOf = ({ INPUT_PARAMETERS, INPUT_FOLDER, INPUT_RESOURCE_GROUP }: Job) => {
  const of = [INPUT_PARAMETERS ?? INPUT_FOLDER, INPUT_RESOURCE_GROUP ?? []].flat().map(encodeURIComponent)
  return `<!-- ${NAME} of ${of.join(' ')} -->`
}

async function run(): Promise<number> {
  const set = Object.entries(process.env).filter(([, value]) => value !== '')
  const job = Job.parse(Object.fromEntries(set))
  const github = gitHubOf(job)
  let pull: PullRequest | undefined
  let told: Told
  try {
    pull = await pullRequestOf(job.GITHUB_EVENT_NAME, job.GITHUB_EVENT_PATH)
    told = await tell(job, pull)
  } catch (error) {
    told = failed(error, pull)
  }
  log(told.text)
  await writeFile(join(job.REPORTS, `${NAME}.md`), told.markdown)
  await appendFile(job.GITHUB_OUTPUT, outputsOf(told))
  await appendFile(job.GITHUB_STEP_SUMMARY, `${told.markdown}\n`)
  if (job.INPUT_COMMENT && github && pull) {
    const text = `${told.markdown}\n<sub>${pull.head}</sub>`
    const comment = { mark: markOf(job), author: job.INPUT_COMMENT_AUTHOR, text }
    const { saved, said } = await saveComment(github, pull, comment)
    if (saved) console.log(said)
    else notice('notice', `${said} The summary of the job says the same.`)
  }
  if (told.code === 1) notice('error', told.text.split('\n')[0] ?? '')
  return told.code === 2 && !job.INPUT_FAIL ? 0 : told.code
}

process.exitCode = await run()
