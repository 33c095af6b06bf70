import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  azd,
  main,
  POLICIES,
  PRODUCTION,
  pipeline,
  REPOSITORY,
  repository,
  restricted,
  subject,
  world,
} from './pipeline-run.ts'
import { type Call, notHere, type World } from './project.ts'
import { variables } from './worlds.ts'

const lines = (calls: Call[]) => calls.map(({ program, args }) => `${program} ${args.join(' ')}`)
const indexOf = (calls: Call[], part: string) => lines(calls).findIndex((line) => line.includes(part))
const refuses = async (around: World, message: RegExp, args: string[] = [], env = {}) => {
  const { code, output, calls } = await pipeline(around, args, env)
  assert.equal(code, 1, output)
  assert.match(output, message)
  assert.match(output, /\n {2}fix: /)
  assert.equal(indexOf(calls, 'sub create'), -1, 'no identity must have been made')
}

describe('npm run pipeline', { skip: notHere, concurrency: 2 }, () => {
  it('restricts production, deploys the identities, sets the variables, in this order', async () => {
    const { code, output, calls } = await pipeline(world(), [], { ADMIN_MEMBERS: 'a-person', NODE_ENV: 'x' })
    assert.equal(code, 0, output)
    const order = [
      `PUT ${PRODUCTION}`,
      `POST ${POLICIES}`,
      'az deployment sub create',
      'variable set AZURE_ENV_NAME',
    ]
    const at = order.map((part) => indexOf(calls, part))
    assert.ok(!at.includes(-1), String(at))
    assert.deepEqual(
      at,
      at.toSorted((a, b) => a - b),
    )
    const set = lines(calls).filter((line) => line.startsWith('gh variable set'))
    const wanted = { ...azd, ...variables, ADMIN_MEMBERS: 'a-person' }
    for (const line of set) {
      const [, name = '', value] = /set (\w+) --repo Contoso\/expenses --body (\S+)/.exec(line) ?? []
      assert.equal(value, Object.entries(wanted).find(([key]) => key === name)?.[1], name)
      assert.equal(line.endsWith('--env production'), name === 'AZURE_DEPLOY_CLIENT_ID', name)
    }
    assert.equal(set.length, 7)
    // The workflows do nothing until this one is there.
    assert.match(set.at(-1) ?? '', /AZURE_REVIEW_CLIENT_ID/)
    assert.ok(indexOf(calls, 'label create identity-approved') > 0)
    assert.match(output, /Rights that are in force now:[\s\S]*AppRoleAssignment\.ReadWrite\.All/)
    assert.match(output, /nobody has to approve a deployment/)
  })

  it('changes nothing in production the second time, and keeps its reviewers the first', async () => {
    const rules = [{ type: 'required_reviewers', reviewers: [{ type: 'User', reviewer: { id: 9 } }] }]
    const there = { [PRODUCTION]: restricted(rules), [POLICIES]: { branch_policies: [main] } }
    const again = await pipeline(world(there))
    assert.equal(again.code, 0, again.output)
    assert.deepEqual(
      [indexOf(again.calls, '--method'), again.output.includes('nobody has to approve')],
      [-1, false],
    )
    const open = { [PRODUCTION]: { deployment_branch_policy: null, protection_rules: rules } }
    const first = await pipeline(world(open))
    const put = first.calls.find(({ args }) => args.includes('PUT'))
    assert.deepEqual(put?.body?.reviewers, [{ type: 'User', id: 9 }])
  })

  it('tells the template the names as GitHub spells them, and ids where its subjects have them', async () => {
    const subjectOf = async (immutable: boolean) => {
      const told = { ...subject, use_immutable_subject: immutable }
      const around = world({ [`${REPOSITORY}/actions/oidc/customization/sub`]: told })
      const { calls } = await pipeline(around, ['contoso/expenses'])
      return calls[indexOf(calls, 'sub create')]?.subject
    }
    assert.deepEqual(await subjectOf(false), ['', 'expenses', 'Contoso', ''])
    assert.deepEqual(await subjectOf(true), ['456789', 'expenses', 'Contoso', '123456'])
  })

  it('refuses an environment that more than main may use, before there is an identity', async () => {
    const wide = { branch_policies: [main, { id: 2, name: 'release/*', type: 'branch' }] }
    const around = world({ [PRODUCTION]: restricted(), [POLICIES]: wide })
    await refuses(around, /open to more than the branch main: branch release\/\*[\s\S]*DELETE .*\/2/)
  })

  it('refuses a plan of GitHub that takes the rule and does not keep it', async () => {
    const around = world({ [PRODUCTION]: { deployment_branch_policy: null } })
    around.effects = { [`POST ${POLICIES}`]: { [POLICIES]: { branch_policies: [main] } } }
    await refuses(around, /no rule is in force[\s\S]*GitHub plan/)
  })

  it('refuses subjects of the repository’s own, another default branch, and whoever is no administrator', async () => {
    const own = { [`${REPOSITORY}/actions/oidc/customization/sub`]: { use_default: false } }
    await refuses(world(own), /subjects of its own[\s\S]*use_default=true/)
    const elsewhere = { 'repos/contoso/expenses': repository({ default_branch: 'master' }) }
    await refuses(world(elsewhere), /default branch of Contoso\/expenses is master[\s\S]*new_name=main/)
    const guest = { 'repos/contoso/expenses': repository({ permissions: { admin: false } }) }
    await refuses(world(guest), /not an administrator of Contoso\/expenses/)
  })

  it('refuses a repository of another form, an unknown one, and an environment without a region', async () => {
    await refuses(world(), /https:\/\/x is not of the form owner\/repository/, ['https://x'])
    await refuses(world(), /GitHub has no repos\/contoso\/other/, ['contoso/other'])
    await refuses(world(), /AZURE_LOCATION is missing/, [], { AZURE_LOCATION: '' })
  })

  it('says what it does, and what is to be approved, without doing anything', async () => {
    const help = await pipeline(world(), ['--help'])
    assert.deepEqual([help.code, help.calls], [0, []])
    assert.match(help.output, /^npm run pipeline -- \[--explain\] \[owner\/repository\]/)
    const explained = await pipeline(world(), ['--explain'], { RESTRICT_TO_ASSIGNED_USERS: 'false' })
    assert.deepEqual([explained.code, explained.calls], [0, []])
    assert.match(explained.output, /Review identity[\s\S]*Deploy identity/)
    assert.doesNotMatch(explained.output, /AppRoleAssignment/)
  })
})
