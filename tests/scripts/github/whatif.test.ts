import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runJob } from './job.ts'
import { commentOf, preview, report, writes } from './previews.ts'
import { notHere } from './project.ts'
import { arm, given, HEAD, pullRequest, REPOSITORY, untold, variables, whatif, world } from './worlds.ts'

describe('The comment on a pull request', { skip: notHere, concurrency: 2 }, () => {
  it('is made once, with the state of identities and of Azure resources', async () => {
    const outcome = await preview(world(whatif(0, [], 'No identity changes'), pullRequest()))
    assert.equal(outcome.code, 0, outcome.output)
    const [call, ...more] = writes(outcome)
    assert.deepEqual(more, [])
    assert.deepEqual(call?.args.slice(0, 4), ['api', '--method', 'POST', `${REPOSITORY}/issues/7/comments`])
    assert.match(commentOf(outcome), /^<!-- what-if -->\n✅ No identity change of high risk\./)
    assert.match(commentOf(outcome), /No identity changes[\s\S]*No Azure resource would change/)
    assert.ok(commentOf(outcome).includes(HEAD))
  })

  it('is written anew by the next run', async () => {
    const bot = { login: 'github-actions[bot]' }
    const comments = [
      { id: 1, body: 'Looks good', user: { login: 'somebody' } },
      { id: 2, body: '<!-- what-if -->\nnot ours', user: { login: 'somebody' } },
      { id: 3, body: '<!-- what-if -->\nold', user: bot },
    ]
    const outcome = await report({ comments }, 0)
    assert.equal(outcome.code, 0, outcome.output)
    assert.deepEqual(
      writes(outcome).map(({ args }) => args.slice(2, 4)),
      [['PATCH', `${REPOSITORY}/issues/comments/3`]],
    )
  })

  it('lists the Azure resources that would change, and nothing that would not', async () => {
    const changes = [
      { changeType: 'Modify', resourceId: '/a/b/containerApps/ca|x', delta: [{ path: 'properties.image' }] },
      { changeType: 'NoChange', resourceId: '/a/b/accounts/c', delta: null },
    ]
    const outcome = await preview({
      answers: [arm(changes), ...world(whatif(0)).answers],
      github: pullRequest(),
    })
    assert.match(commentOf(outcome), /1 Azure resource would change/)
    assert.match(commentOf(outcome), /\| Modify \| `containerApps\/ca\\\|x` \| `properties\.image` \|/)
    assert.doesNotMatch(commentOf(outcome), /accounts/)
  })

  it('is cut where GitHub would refuse it', async () => {
    const outcome = await report({}, 0, 'x'.repeat(90_000))
    assert.equal(outcome.code, 0, outcome.output)
    assert.ok(commentOf(outcome).length < 65_536)
  })

  it('says why when the identities cannot be compared, and the check fails', async () => {
    const outcome = await preview(world(untold('Group.Read.All is missing'), pullRequest()))
    assert.equal(outcome.code, 1)
    assert.match(commentOf(outcome), /❌ A preview failed[\s\S]*Group\.Read\.All is missing[\s\S]*Not asked/)
    // It compiles what it is given, whatever that reads.
    assert.ok(!outcome.calls.some(({ args }) => args.includes('what-if')))
  })

  it('says why when Azure gives no preview, and the check fails', async () => {
    const refused = arm([], 1, 'AuthorizationFailed')
    const outcome = await preview({ answers: [refused, ...world(whatif(0)).answers], github: pullRequest() })
    assert.equal(outcome.code, 1)
    assert.match(commentOf(outcome), /❌ A preview failed[\s\S]*AuthorizationFailed/)
  })

  it('says so when the risks cannot be read', async () => {
    for (const stdout of ['{"schemaVersion":9}', 'npm notice', '']) {
      const odd = { program: 'identity-what-if' as const, match: 'json', code: 2, stdout }
      const outcome = await preview(world([odd], pullRequest()))
      assert.equal(outcome.code, 1)
      assert.match(commentOf(outcome), /not of the expected format/)
    }
  })
})

describe('The steps of a preview', { skip: notHere, concurrency: 2 }, () => {
  it("read only, and give the token for GitHub to our own report alone, not to what reads the pull request's files", async () => {
    const { calls } = await preview(world(whatif(0), pullRequest()))
    for (const { program, mayWriteGitHub } of calls) assert.equal(mayWriteGitHub, program === 'gh', program)
    const az = calls.filter(({ program }) => program === 'az').map(({ args }) => args.join(' '))
    assert.deepEqual(
      az.map((line) => line.split(' --')[0]),
      ['resource list', 'identity list', 'containerapp env list', 'deployment sub what-if'],
    )
    assert.match(az[3] ?? '', /--parameters infra\/main\.bicepparam --validation-level providerNoRbac/)
    const [arm] = calls.filter(({ args }) => args.includes('what-if'))
    assert.equal(arm?.maySignIn, false)
    const azd = calls.filter(({ program }) => program === 'azd').map(({ args }) => args.join(' '))
    assert.deepEqual(azd, [
      `auth login --client-id ${variables.AZURE_REVIEW_CLIENT_ID} --tenant-id ${variables.AZURE_TENANT_ID} --federated-credential-provider github`,
    ])
  })

  it('stop with the command that helps when the pipeline is not set up', async () => {
    const outcome = await preview(world(whatif(0)), { 'toJSON(vars)': '{}' })
    assert.equal(outcome.code, 1)
    assert.match(outcome.output, /no variable AZURE_ENV_NAME\. Run once: npm run pipeline/)
  })
})

describe('A pull request from a fork', { skip: notHere, concurrency: 2 }, () => {
  const fork = (files: unknown[]) =>
    runJob('whatif.yml', 'fork', world([], { [`${REPOSITORY}/pulls/7/files`]: files }), given())

  it('is told why there is no preview, and passes when there is nothing to preview', async () => {
    const outcome = await fork([{ filename: 'app/server.ts' }, { filename: 'README.md' }])
    assert.equal(outcome.code, 0, outcome.output)
    assert.match(outcome.summary, /comes from a fork: GitHub gives it no token/)
  })

  it('fails when it changes infrastructure, also by moving a file away', async () => {
    for (const file of [
      { filename: 'infra/permissions.json' },
      { filename: '.github/workflows/whatif.yml' },
      { filename: 'docs/x', previous_filename: 'scripts/github/review.ts' },
    ]) {
      const outcome = await fork([file])
      assert.equal(outcome.code, 1, outcome.output)
      assert.match(outcome.summary, /A maintainer who has read it pushes the branch/)
      assert.deepEqual(writes(outcome), [])
    }
  })
})
