import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Outcome, runJob } from './job.ts'
import { type Answer, notHere } from './project.ts'
import { given, high, REPOSITORY, server, untold, variables, whatif, world } from './worlds.ts'

const lines = ({ calls }: Outcome) => calls.map(({ program, args }) => `${program} ${args.join(' ')}`)

describe('deploy.yml', { skip: notHere, concurrency: 2 }, () => {
  const deploy = (answers: Answer[]) => runJob('deploy.yml', 'deploy', world(answers), given())
  /** Only the last step. */
  const settle = (answers: Answer[]) => runJob('deploy.yml', 'deploy', world(answers), given(), {})

  it('provisions without azd’s memory, deploys, and ends when identities are as declared', async () => {
    const outcome = await deploy([server(false), ...whatif(0, [], 'No identity changes')])
    assert.equal(outcome.code, 0, outcome.output)
    const azd = lines(outcome).filter((line) => line.startsWith('azd '))
    assert.match(azd[0] ?? '', new RegExp(`^azd auth login --client-id ${variables.AZURE_DEPLOY_CLIENT_ID} `))
    assert.deepEqual(azd.slice(1), ['azd provision --no-state --no-prompt', 'azd deploy --no-prompt'])
    assert.match(outcome.summary, /No identity changes/)
    assert.ok(!outcome.calls.some(({ program, mayWriteGitHub }) => program === 'gh' || mayWriteGitHub))
  })

  it('fails when identities differ from what has just been deployed', async () => {
    const outcome = await settle(whatif(2, [high]))
    assert.equal(outcome.code, 1)
    assert.match(outcome.output, /identities are not as declared\. Run the workflow again/)
  })

  it('fails when it cannot be told', async () => {
    const outcome = await settle(untold('Graph is away'))
    assert.equal(outcome.code, 1)
    assert.match(outcome.output, /cannot be told/)
    assert.match(outcome.summary, /Graph is away/)
  })

  it('deploys nothing when provisioning fails', async () => {
    const outcome = await deploy([
      { program: 'azd', match: 'provision', code: 1, stderr: 'quota' },
      ...whatif(0),
    ])
    assert.equal(outcome.code, 1)
    assert.ok(!lines(outcome).some((line) => line.startsWith('azd deploy') || line.includes('whatif')))
  })
})

describe('drift.yml', { skip: notHere, concurrency: 2 }, () => {
  const user = { login: 'github-actions[bot]' }
  const ours = { number: 5, body: '<!-- identity-drift -->\nold', user }
  const others = [
    { number: 3, body: '<!-- identity-drift -->', user: { login: 'somebody' } },
    { number: 4, body: null, user },
    { number: 6, body: '<!-- identity-drift -->', user, pull_request: {} },
  ]
  const around = (answers: Answer[], issues: unknown[]) =>
    world(answers, { [`${REPOSITORY}/issues`]: issues })
  /** Only the last step. */
  const compare = (answers: Answer[], issues: unknown[]) =>
    runJob('drift.yml', 'compare', around(answers, issues), given(), {})
  const writes = ({ calls }: Outcome) =>
    calls
      .filter(({ args }) => args.includes('--method'))
      .map(({ args, body }) => ({ to: args.slice(2, 4), body }))

  it('opens one issue when the directory differs', async () => {
    const outcome = await compare(whatif(2, [high], 'a secret was added'), others)
    assert.equal(outcome.code, 0, outcome.output)
    const [write, ...more] = writes(outcome)
    assert.deepEqual(more, [])
    assert.deepEqual(write?.to, ['POST', `${REPOSITORY}/issues`])
    assert.match(String(write?.body?.title), /Identities differ/)
    assert.match(
      String(write?.body?.body),
      /^<!-- identity-drift -->[\s\S]*actions\/runs\/42[\s\S]*a secret was added/,
    )
  })

  it('brings that issue up to date the next night', async () => {
    const outcome = await compare(whatif(2, [high]), [...others, ours])
    assert.deepEqual(
      writes(outcome).map(({ to }) => to),
      [['PATCH', `${REPOSITORY}/issues/5`]],
    )
  })

  it('closes it when there is no difference any more', async () => {
    const outcome = await compare(whatif(0), [...others, ours])
    assert.equal(outcome.code, 0, outcome.output)
    assert.deepEqual(
      writes(outcome).map(({ to }) => to),
      [
        ['POST', `${REPOSITORY}/issues/5/comments`],
        ['PATCH', `${REPOSITORY}/issues/5`],
      ],
    )
    assert.deepEqual(writes(outcome)[1]?.body, { state: 'closed' })
  })

  it('does nothing when all is as declared', async () => {
    assert.deepEqual(writes(await compare(whatif(0), others)), [])
  })

  it('fails, and touches no issue, when it cannot compare', async () => {
    const outcome = await compare(untold('no right'), [ours])
    assert.equal(outcome.code, 1)
    assert.match(outcome.output, /no right/)
    assert.deepEqual(writes(outcome), [])
  })

  it('signs in as the identity that only reads', async () => {
    const outcome = await runJob('drift.yml', 'compare', around(whatif(0), []), given())
    assert.equal(outcome.code, 0, outcome.output)
    assert.ok(lines(outcome).some((line) => line.includes(variables.AZURE_REVIEW_CLIENT_ID)))
    assert.ok(!lines(outcome).some((line) => line.includes(variables.AZURE_DEPLOY_CLIENT_ID)))
  })
})
