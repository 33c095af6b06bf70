import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { NOT_ASKED_YET } from '../../../scripts/cli/environment.ts'
import type { Group } from '../../../scripts/emulators/directory-objects.ts'
import { preprovision } from '../../../scripts/hooks/preprovision.ts'
import { deleted } from '../../../scripts/identity/belongings.ts'
import { namesOf } from '../../../scripts/identity/names.ts'
import { checkAssignment } from '../../../scripts/identity/preflight.ts'
import { purge, restore } from '../../../scripts/identity/recycle-bin.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Played, type Stage, startStage } from '../stage.ts'

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

  it('refuses values that cannot be deployed, and names those without effect', async () => {
    await refuses(
      await stage.context({ ...deployed, MIN_REPLICAS: '5', MAX_REPLICAS: '2' }),
      /MIN_REPLICAS 5 should not be greater than MAX_REPLICAS 2/,
    )
    await refuses(
      await stage.context({ ...deployed, LOCAL_SERVER_URL: 'http://localhost:8080/mcp/' }),
      /LOCAL_SERVER_URL "http:\/\/localhost:8080\/mcp\/" should be/,
    )
    const variables = {
      ...deployed,
      LOCAL_SERVER_URL: 'http://localhost:8081/mcp',
      LOCAL_DEVELOPMENT: 'false',
    }
    const context = await stage.context(variables)
    await preprovision(context)
    assert.ok(
      context.lines.includes(
        '✓ Values can be deployed: LOCAL_SERVER_URL is not used: LOCAL_DEVELOPMENT is false',
      ),
    )
  })

  it('leaves out what depends on the subscription while azd has not asked for it, and says so', async () => {
    // Would be refused: the names belong to somebody else.
    api().tags = []
    const context = await stage.context({
      ...stage.base,
      AZURE_SUBSCRIPTION_ID: NOT_ASKED_YET,
      AZURE_LOCATION: '',
    })
    await preprovision(context)
    const left = context.lines.filter((line) =>
      line.includes('not checked, because azd asks for the subscription later'),
    )
    assert.deepEqual(left.length, 5, context.lines.join('\n'))
    // What does not depend on it is checked all the same.
    await refuses(
      await stage.context({ ...stage.base, AZURE_SUBSCRIPTION_ID: NOT_ASKED_YET, MIN_REPLICAS: '-1' }),
      /MIN_REPLICAS/,
    )
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

  const PIPELINE = ['Application.ReadWrite.All', 'Group.ReadWrite.All'] as const
  const lineOf = ({ lines }: Played, title: string) => lines.find((line) => line.includes(title)) ?? ''

  it('refuses a pipeline that may not assign groups, unless nobody is assigned', async () => {
    const token = await stage.appToken([...PIPELINE])
    await refuses(
      await stage.context(deployed, { token }),
      /may not assign groups/,
      /permission AppRoleAssignment\.ReadWrite\.All, or: azd env set RESTRICT_TO_ASSIGNED_USERS false/,
    )
    const open = await stage.context({ ...deployed, RESTRICT_TO_ASSIGNED_USERS: 'false' }, { token })
    await preprovision(open)
    assert.match(lineOf(open, 'May assign groups'), /not needed/)
    const services = [{ name: 'report', principalId: crypto.randomUUID(), roles: ['Expenses.Report'] }]
    assert.throws(
      () => checkAssignment(open, { assign: 'no' }, { services }),
      /may not assign app roles to services/,
    )
    assert.equal(checkAssignment(open, { assign: 'yes' }, { services }), 'yes')
    const complete = await stage.appToken([...PIPELINE, 'AppRoleAssignment.ReadWrite.All'])
    await preprovision(await stage.context(deployed, { token: complete }))
  })

  describe('of ids', () => {
    const nobody = '99999999-9999-4999-8999-999999999999'
    const group = (more: Partial<Group> = {}) => {
      const [first] = stage.directory.groups
      assert.ok(first)
      const made = {
        ...structuredClone(first),
        id: randomUUID(),
        uniqueName: null,
        displayName: 'Finance',
        members: [],
        ...more,
      }
      stage.directory.groups.push(made)
      return made.id
    }
    const given = (name: string, id: string, more: Record<string, string> = {}) =>
      stage.context({ ...deployed, [name]: id, ...more })

    it('refuses an admin group that is nobody, a user, an app or no security group', async () => {
      const peter = stage.operator('Peter').oid
      const name = 'EXISTING_ADMIN_GROUP_ID'
      await refuses(
        await given(name, nobody),
        new RegExp(`${nobody} is nobody, not a group`),
        /azd env set EXISTING_ADMIN_GROUP_ID/,
      )
      await refuses(await given(name, peter), /is a user \("Peter Price"\), not a group/)
      await refuses(await given(name, api().id), /is an app registration \(.+\), not a group/)
      const mail = group({ securityEnabled: false })
      await refuses(await given(name, mail), /is a group \("Finance"\) that is not security-enabled/)
      // Where nobody is assigned, membership is all that counts.
      await preprovision(await given(name, mail, { RESTRICT_TO_ASSIGNED_USERS: 'false' }))
      await preprovision(await given(name, group()))
    })

    it('says what nested groups in the admin group do not do', async () => {
      const context = await given(
        'EXISTING_ADMIN_GROUP_ID',
        group({ members: [group({ displayName: 'Audit' })] }),
      )
      await preprovision(context)
      assert.match(
        lineOf(context, 'admin group is one'),
        /"Audit" in it: members of nested groups are not assigned/,
      )
    })

    it('refuses a member that is nobody or an app registration, and takes users, groups and service principals', async () => {
      const peter = stage.operator('Peter').oid
      await refuses(
        await given('ADMIN_MEMBERS', `${peter}, ${nobody},${api().id}`),
        new RegExp(`ADMIN_MEMBERS: ${nobody} is nobody; ${api().id} is an app registration`),
        /fix: azd env set ADMIN_MEMBERS/,
      )
      const principal = stage.directory.servicePrincipals.find(({ appId }) => appId === api().appId)
      assert.ok(principal)
      const context = await given('ADMIN_MEMBERS', `${peter},${group()},${principal.id}`)
      await preprovision(context)
      assert.match(lineOf(context, 'Members of'), /nested groups are not assigned.+; .+calls without a user/)
    })

    it('goes on with a user whom a pipeline may not look up', async () => {
      const token = await stage.appToken([...PIPELINE, 'AppRoleAssignment.ReadWrite.All'])
      const variables = { ...deployed, ADMIN_MEMBERS: stage.operator('Peter').oid }
      const context = await stage.context(variables, { token })
      await preprovision(context)
      assert.match(lineOf(context, 'Members of'), /cannot be told, because you may not read users/)
      // Groups it can read: nobody stays nobody there.
      const wrong = { ...deployed, EXISTING_ADMIN_GROUP_ID: nobody }
      await refuses(await stage.context(wrong, { token }), /is nothing that you may read, not a group/)
    })
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
      /azd env set LOCAL_SERVER_URL http:\/\/localhost:8090\/mcp/,
    )
    await preprovision(await stage.context({ ...variables, LOCAL_SERVER_URL: 'http://localhost:8090/mcp' }))
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
