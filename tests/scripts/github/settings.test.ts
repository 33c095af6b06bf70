import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settingNames, settingsOf } from '../../../scripts/github/settings.ts'
import { runJob } from './job.ts'
import { type Answer, notHere } from './project.ts'
import { given, whatif, world } from './worlds.ts'

describe('The settings of a workflow', () => {
  it('are what infra/main.bicepparam reads, and nothing that changes how programs run', async () => {
    const names = await settingNames()
    for (const name of ['AZURE_ENV_NAME', 'AZURE_LOCATION', 'ADMIN_MEMBERS', 'RESTRICT_TO_ASSIGNED_USERS'])
      assert.ok(names.includes(name), name)
    const odd = { NODE_OPTIONS: '--import x', PATH: '/tmp', CI: 'false', AZURE_PRINCIPAL_TYPE: 'User' }
    assert.deepEqual(settingsOf({ ...odd, AZURE_ENV_NAME: ' dev ', ALERT_EMAIL: '' }, names), [
      ['AZURE_ENV_NAME', 'dev'],
    ])
  })

  it('are one line each', () => {
    assert.throws(
      () => settingsOf({ ALERT_EMAIL: 'a\nPATH=/tmp' }, ['ALERT_EMAIL']),
      /ALERT_EMAIL must be one line/,
    )
  })
})

describe('What settings find out in Azure', { skip: notHere, concurrency: 2 }, () => {
  const deploy = (answers: Answer[]) => runJob('deploy.yml', 'deploy', world(answers), given())
  const az = (match: string, stderr: string): Answer => ({ program: 'az', match, code: 1, stderr })

  it('is asked of the resource group of the environment alone', async () => {
    const outcome = await deploy(whatif(0))
    assert.equal(outcome.code, 0, outcome.output)
    const lists = outcome.calls.filter(({ args }) => args.includes('list'))
    assert.equal(lists.length, 6)
    for (const { args } of lists) {
      const at = args.indexOf('list')
      assert.deepEqual(args.slice(at + 1, at + 3), ['--resource-group', 'rg-dev'])
    }
  })

  it('is nothing where the resource group is gone', async () => {
    const gone = "(ResourceGroupNotFound) Resource group 'rg-dev' could not be found."
    const outcome = await deploy([
      az('resource list', gone),
      az('identity list', gone),
      az('env list', gone),
      ...whatif(0),
    ])
    assert.equal(outcome.code, 0, outcome.output)
    assert.doesNotMatch(outcome.output, /Settings: .*SERVER_IDENTITY_PRINCIPAL_ID/)
  })

  it('stops the job when it is refused, with what helps against that', async () => {
    const lacking = await deploy([az('resource list', 'AuthorizationFailed'), ...whatif(0)])
    assert.equal(lacking.code, 1)
    assert.match(lacking.output, /az resource list --resource-group failed: Auth[\s\S]*fix: npm run pipeline/)
    const late = await deploy([
      az('resource list', 'AADSTS700024: not within its valid time range'),
      ...whatif(0),
    ])
    assert.equal(late.code, 1)
    assert.match(late.output, /fix: az login .*gh run rerun --failed/)
    assert.doesNotMatch(late.output, /npm run pipeline/)
  })
})
