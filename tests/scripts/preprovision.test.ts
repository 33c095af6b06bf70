import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { deleted } from '../../scripts/hooks/belongings.ts'
import { namesOf } from '../../scripts/hooks/names.ts'
import { preprovision } from '../../scripts/preprovision.ts'
import { purge, restore } from '../../scripts/recycle-bin.ts'
import { withoutCompiler } from './directory-harness.ts'
import { type Played, type Stage, startStage } from './stage.ts'

describe('preprovision', { skip: withoutCompiler }, () => {
  let stage: Stage
  let deployed: Record<string, string>
  let complete: ReturnType<Stage['save']>

  before(async () => {
    stage = await startStage()
    deployed = await stage.up()
    complete = stage.save()
  })
  beforeEach(() => complete.restore())
  after(() => stage.stop())

  const refuses = async (context: Played, ...expected: RegExp[]) => {
    const error: unknown = await preprovision(context).then(
      () => undefined,
      (reason) => reason,
    )
    assert.ok(error instanceof Error, 'preprovision let it pass')
    for (const text of expected) assert.match(error.message, text)
    // Every problem ends with what mends it.
    for (const problem of error.message.split('\n\n✗ ')) assert.match(problem, /\n {2}why: .+\n {2}fix: .+$/)
    assert.deepEqual(stage.writes(), [], 'preprovision changes nothing')
  }
  const api = () => {
    const app = stage.directory.applications.find(({ appId }) => appId === deployed.ENTRA_CLIENT_ID)
    assert.ok(app)
    return app
  }
  const remove = async (path: string) => {
    const { directory } = await stage.context(deployed)
    await directory.remove(path)
    stage.resetWrites()
  }

  const binned = async ({ directory, environment }: Played) =>
    (await deleted(directory, namesOf(environment))).items

  it('passes over an untouched environment', async () => {
    const context = await stage.context(deployed)
    await preprovision(context)
    assert.ok(context.lines.every((line) => line.startsWith('✓ ')))
  })

  it('refuses an azd that is too old, and takes newer ones and daily builds', async () => {
    const context = await stage.context(deployed)
    const withAzd = (version: string) => ({ ...context, azdVersion: async () => version })
    await refuses(withAzd('1.23.9'), /azd is 1\.23\.9; this template needs 1\.23\.15/, /fix: winget upgrade/)
    for (const version of ['1.23.15', '1.24.0-beta.1', '2.0.0']) await preprovision(withAzd(version))
  })

  it('refuses another tenant than the one that was deployed to', async () => {
    const other = randomUUID()
    const variables = { ...deployed, AZURE_TENANT_ID: other }
    await refuses(await stage.context(variables), new RegExp(`fix: azd auth login --tenant-id ${other}`))
  })

  it('refuses a pipeline without the application permissions, and names them', async () => {
    const token = await stage.appToken(['Application.Read.All', 'Group.Read.All'])
    const context = await stage.context(deployed, { token })
    await refuses(context, /may not create app registrations and groups/, /Application\.ReadWrite\.All/)
  })

  it('says what it cannot know and lets the deployment decide', async () => {
    const context = await stage.context(deployed, { operator: 'Quinn' })
    await preprovision(context)
    assert.ok(
      context.lines.some((line) => /May create .+: the tenant does not show it/.test(line)),
      context.lines.join(),
    )
    assert.ok(
      context.lines.some((line) => /consent: no: .+ saves a consent pack/.test(line)),
      context.lines.join(),
    )
  })

  it('refuses names that an object of somebody else holds', async () => {
    api().tags = []
    const group = stage.directory.groups.find(({ id }) => id === deployed.ENTRA_USERS_GROUP_ID)
    assert.ok(group)
    group.description = 'Mine'
    const { ENTRA_USERS_GROUP_ID: _id, ...withoutGroup } = deployed
    await refuses(
      await stage.context(withoutGroup),
      /app registration "Expenses MCP server \(dev\)"/,
      /group "Expenses MCP server: users \(dev\)"/,
      /azd env new/,
    )
  })

  it('refuses a twin in the recycle bin, which can be restored with its id', async () => {
    const { id } = api()
    await remove(`/applications/${id}`)
    await refuses(
      await stage.context(deployed),
      /property uniqueName already exists/,
      /npm run recycle-bin -- restore --environment dev/,
      /gone from the directory: mcp-expenses-api-dev-\w+/,
      /azd provision --no-state/,
    )
    const context = await stage.context(deployed)
    await restore(context, await binned(context))
    assert.equal(api().id, id)
    stage.resetWrites()
    await preprovision(await stage.context(deployed))
    assert.deepEqual(await binned(context), [])
  })

  it('goes on where the recycle bin is closed to who deploys, and says who could look', async () => {
    const { id } = api()
    await remove(`/applications/${id}`)
    // As before a first deployment: the app that is gone is another check's matter.
    const variables = { ...deployed, ENTRA_CLIENT_ID: '' }
    await refuses(await stage.context(variables), /recycle bin holds/)
    const context = await stage.context(variables, { operator: 'Quinn' })
    await preprovision(context)
    const [line] = context.lines.filter((text) => text.includes('recycle bin'))
    assert.match(
      line ?? '',
      /^✓ No twin in the recycle bin: cannot be told, .+apps: Application Administrator.+groups: Groups Administrator/,
    )
  })

  it('refuses the twin that it sees and says nothing of the part that it does not', async () => {
    const roles = stage.directory.directoryRoles
    const held = structuredClone(roles)
    await remove(`/applications/${api().id}`)
    const groups = roles.find(({ displayName }) => displayName === 'Groups Administrator')
    assert.ok(groups)
    groups.members.length = 0
    await refuses(await stage.context({ ...deployed, ENTRA_CLIENT_ID: '' }), /recycle bin holds/)
    roles.splice(0, Infinity, ...held)
  })

  it('tells an app that is gone for good from one that was never deployed', async () => {
    const { id } = api()
    await remove(`/applications/${id}`)
    const context = await stage.context(deployed)
    assert.deepEqual(await purge(context, await binned(context)), [])
    stage.resetWrites()
    await refuses(
      context,
      /gone from the directory/,
      /azd env set ENTRA_CLIENT_ID "" && azd provision --no-state/,
    )
    // The first half of that command tells the check that all is known.
    await preprovision(await stage.context({ ...deployed, ENTRA_CLIENT_ID: '' }))
  })

  it('lets the dev app be added later', async () => {
    const dev = stage.directory.applications.findIndex(({ appId }) => appId === deployed.ENTRA_DEV_CLIENT_ID)
    stage.directory.applications.splice(dev, 1)
    await preprovision(await stage.context({ ...deployed, ENTRA_DEV_CLIENT_ID: '' }))
  })

  it('refuses a local URL that another app of the tenant has', async () => {
    const dev = stage.directory.applications.find(({ appId }) => appId === deployed.ENTRA_DEV_CLIENT_ID)
    assert.ok(dev)
    Object.assign(dev, { uniqueName: 'another-environment', tags: [] })
    const variables = { ...deployed, ENTRA_DEV_CLIENT_ID: '' }
    await refuses(
      await stage.context(variables),
      /http:\/\/localhost:8080\/mcp is an identifier URI of app registration/,
      /azd env set LOCAL_SERVER_URL http:\/\/localhost:8081\/mcp/,
    )
    await preprovision(await stage.context({ ...variables, LOCAL_SERVER_URL: 'http://localhost:8081/mcp' }))
  })

  it('refuses to remove or rename a scope that is enabled', async () => {
    const [scope] = api().api.oauth2PermissionScopes
    assert.ok(scope)
    api().api.oauth2PermissionScopes.push({ ...scope, id: randomUUID(), value: 'old' })
    Object.assign(scope, { value: 'before' })
    await refuses(
      await stage.context(deployed),
      /scope before would be renamed to user_impersonation while it is enabled/,
      /scope old would be removed while it is enabled/,
    )
    for (const one of api().api.oauth2PermissionScopes) one.isEnabled = false
    await preprovision(await stage.context(deployed))
  })

  it('tells of several problems at once, the same cause once', async () => {
    const context = await stage.context({ ...deployed, AZURE_TENANT_ID: randomUUID() })
    const old = { ...context, azdVersion: async () => '1.0.0' }
    await refuses(old, /azd is 1\.0\.0[\s\S]+signed in to tenant/)
  })

  it('stops at a switch that it cannot read', async () => {
    await assert.rejects(stage.context({ ...deployed, KEEP_IDENTITY: 'perhaps' }), {
      name: 'Problem',
      message: /KEEP_IDENTITY should be true or false[\s\S]*fix: azd env set/,
    })
    await assert.rejects(stage.context({ ...deployed, GRAPH_ENDPOINT: 'http://graph.example' }), {
      message: /GRAPH_ENDPOINT should be an https URL/,
    })
  })
})
