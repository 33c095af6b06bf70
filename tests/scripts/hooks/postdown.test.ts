import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { postdown } from '../../../scripts/hooks/postdown.ts'
import { predown } from '../../../scripts/hooks/predown.ts'
import { federate } from '../../../scripts/identity/federate.ts'
import { remember } from '../../../scripts/identity/ownership.ts'
import { recycleBin } from '../../../scripts/identity/recycle-bin.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

describe('postdown', { skip: withoutCompiler }, () => {
  let stage: Stage
  let deployed: Record<string, string>
  let complete: ReturnType<Stage['save']>

  before(async () => {
    stage = await startStage()
    deployed = await stage.up()
    complete = stage.save()
  })
  beforeEach(async () => {
    complete.restore()
    await stage.empty()
  })
  after(() => stage.stop())

  it('says what it may not delete, deletes nothing of it, and exits with a failure', async () => {
    const context = await stage.context(stage.base, { operator: 'Quinn', seconds: 0.05 })
    await assert.rejects(postdown(context), {
      message:
        /Left, because you may not delete it:[\s\S]+app registration[\s\S]+group[\s\S]+fix: azd hooks run postdown/,
    })
    assert.equal(stage.directory.applications.length, 3)
  })

  it('leaves in the recycle bin what its owner may not purge, and says who can, with the command', async () => {
    for (const object of [...stage.directory.applications, ...stage.directory.groups])
      object.owners = [stage.operator('Peter').oid]
    for (const object of stage.directory.servicePrincipals) object.owners = [stage.operator('Peter').oid]
    const context = await stage.context(stage.base, { operator: 'Peter', seconds: 0.05 })
    await postdown(context)
    assert.deepEqual([stage.directory.applications, stage.directory.groups], [[], []])
    const [app] = stage.directory.deletedItems.applications
    assert.ok(app)
    const last = context.lines.at(-1) ?? ''
    assert.match(last, /^! Left in the recycle bin, which you may not empty:\n {4}service principal/)
    assert.match(last, /apps: Application Administrator, .+; groups: Groups Administrator/)
    assert.match(last, /npm run recycle-bin -- purge --environment dev/)
    assert.ok(
      last.includes(
        `az rest --method delete --url https://graph.microsoft.com/v1.0/directory/deletedItems/${app.id}`,
      ),
    )
    // An administrator finishes, here or elsewhere.
    await postdown(await stage.context(stage.base, { seconds: 2 }))
    assert.deepEqual(stage.directory.deletedItems, { applications: [], servicePrincipals: [], groups: [] })
  })

  it('does not claim that nothing is left where it may not look', async () => {
    await postdown(await stage.context(stage.base, { seconds: 2 }))
    const context = await stage.context(stage.base, { operator: 'Quinn', seconds: 0.05 })
    await postdown(context)
    assert.deepEqual(
      context.lines.map((line) => line.slice(0, 60)),
      [
        '✓ Nothing of this environment is alive in Microsoft Entra ID',
        '! Whether something of it lies in the recycle bin cannot be ',
      ],
    )
  })

  it('refuses to look in another tenant, where it would find nothing', async () => {
    const context = await stage.context(stage.base)
    await remember(context, { tenantId: randomUUID(), objects: [] })
    await assert.rejects(postdown(context), {
      message: /azd auth login --tenant-id [\w-]{36} && azd hooks run postdown/,
    })
    assert.equal(stage.directory.applications.length, 3)
  })

  it('deletes an app that was renamed by hand, and one that carries only our tags', async () => {
    const [first, second] = stage.directory.applications
    assert.ok(first && second)
    first.displayName = 'Renamed'
    second.uniqueName = null
    await postdown(await stage.context(stage.base, { seconds: 2 }))
    assert.deepEqual(stage.directory.applications, [])
    assert.deepEqual(stage.directory.deletedItems, { applications: [], servicePrincipals: [], groups: [] })
  })

  it('leaves alone what only a unique name says to be ours, alive or in the recycle bin: azd may have asked nobody', async () => {
    const [api, client, dev] = stage.directory.applications
    const [group] = stage.directory.groups
    assert.ok(api && client && dev && group)
    const principal = stage.directory.servicePrincipal(api.appId)
    assert.ok(principal)
    for (const one of [api, principal, dev]) one.tags = ['mine']
    group.description = 'Mine'
    const { directory } = await stage.context(stage.base)
    await directory.remove(`/applications/${dev.id}`)
    for (const one of stage.directory.deletedItems.servicePrincipals) one.tags = []

    const announced = await stage.context(stage.base)
    await predown(announced)
    const context = await stage.context(stage.base, { seconds: 2 })
    await postdown(context)
    assert.deepEqual(
      stage.directory.applications.map(({ id }) => id),
      [api.id],
    )
    assert.deepEqual(
      stage.directory.groups.map(({ id }) => id),
      [group.id],
    )
    assert.deepEqual(
      stage.directory.deletedItems.applications.map(({ id }) => id),
      [dev.id],
    )
    for (const { lines } of [announced, context]) {
      const line = lines.find((text) => text.startsWith('! Left, because only a unique name')) ?? ''
      assert.ok(line.includes(api.id) && line.includes(group.id) && !line.includes(client.id))
      assert.match(line, /add azd-env-name:dev and azd-env-token:\w+ to its tags .+azd hooks run postdown$/)
    }
  })

  it('takes what has lost its marks and is named by the outputs of the deployment', async () => {
    for (const app of stage.directory.applications) app.tags = []
    for (const group of stage.directory.groups) group.description = null
    for (const principal of stage.directory.servicePrincipals) if (principal.tags?.length) principal.tags = []
    await predown(await stage.context(deployed))
    await postdown(await stage.context(stage.base, { seconds: 2 }))
    assert.deepEqual(stage.directory.applications, [])
    assert.deepEqual(stage.directory.groups, [])
  })

  it('leaves the environment of the same name in another subscription alone', async () => {
    const other = { ...stage.base, AZURE_SUBSCRIPTION_ID: '33333333-3333-4333-8333-333333333333' }
    await postdown(await stage.context(other, { seconds: 2 }))
    assert.deepEqual(stage.writes(), [])
    assert.equal(stage.directory.applications.length, 3)
  })

  it('leaves an existing admin group alone', async () => {
    const existing = { ...structuredClone(stage.directory.groups[0]), id: randomUUID(), uniqueName: null }
    stage.directory.groups.push({
      ...existing,
      displayName: 'Finance',
      mailNickname: 'finance',
      description: null,
      mailEnabled: false,
      securityEnabled: true,
      members: [],
      owners: [],
    })
    await postdown(await stage.context(stage.base, { seconds: 2 }))
    assert.deepEqual(
      stage.directory.groups.map(({ displayName }) => displayName),
      ['Finance'],
    )
  })

  it('finds by its id what no list shows any more', async () => {
    await predown(await stage.context(deployed))
    const { directory } = await stage.context(stage.base)
    const [app] = stage.directory.applications
    assert.ok(app)
    await directory.remove(`/applications/${app.id}`)
    const binned = stage.directory.deletedItems.applications[0]
    assert.ok(binned)
    // Neither name nor tags lead to it: only what predown has remembered.
    Object.assign(binned, { uniqueName: null, tags: [] })
    await postdown(await stage.context(stage.base, { seconds: 2 }))
    assert.deepEqual(stage.directory.deletedItems.applications, [])
  })
})

describe('recycle-bin', { skip: withoutCompiler }, () => {
  let stage: Stage
  let complete: ReturnType<Stage['save']>
  before(async () => {
    stage = await startStage()
    await stage.up()
    const { directory } = await stage.context(stage.base)
    for (const { id } of [...stage.directory.applications]) await directory.remove(`/applications/${id}`)
    complete = stage.save()
  })
  beforeEach(() => complete.restore())
  after(() => stage.stop())

  it('is refused to a member without a role, with the roles that see it', async () => {
    for (const action of ['list', 'restore', 'purge']) {
      const context = await stage.context(stage.base, { operator: 'Quinn' })
      await assert.rejects(recycleBin(context, action), {
        name: 'Problem',
        message:
          /may not look into the recycle bin: apps and groups\.[\s\S]+Application Administrator.+Groups Administrator.+\n {2}fix: npm run recycle-bin/,
      })
      assert.deepEqual(context.lines, [])
    }
  })

  it('does what it can see and says that this was not all', async () => {
    const groups = stage.directory.directoryRoles.find(
      ({ displayName }) => displayName === 'Groups Administrator',
    )
    assert.ok(groups)
    const members = groups.members.splice(0)
    await assert.rejects(recycleBin(await stage.context(stage.base), 'purge'), /recycle bin: groups\./)
    groups.members.push(...members)
    assert.deepEqual(stage.directory.deletedItems.applications, [])
  })

  it('knows three words', async () => {
    const context = await stage.context(stage.base)
    await assert.rejects(recycleBin(context, 'empty'), /Known: list, restore, purge/)
    await recycleBin(context, 'list')
    assert.equal(context.lines.length, 6)
    await recycleBin(context, 'restore')
    assert.equal(stage.directory.applications.length, 3)
    await recycleBin(context, 'list')
    assert.equal(context.lines.at(-1), 'The recycle bin holds nothing of this environment.')
  })
})

describe('federate', { skip: withoutCompiler }, () => {
  let stage: Stage
  let deployed: Record<string, string>
  before(async () => {
    stage = await startStage()
    deployed = await stage.up()
  })
  after(() => stage.stop())

  const credentials = () => {
    const app = stage.directory.applications.find(({ appId }) => appId === deployed.ENTRA_CLIENT_ID)
    assert.ok(app)
    return app.federatedIdentityCredentials
  }

  it('takes over a credential that somebody made by hand for the same identity', async () => {
    await federate(await stage.context(deployed))
    const [ours] = credentials()
    assert.ok(ours)
    Object.assign(ours, { name: 'by-hand', audiences: ['api://other'] })
    assert.match(await federate(await stage.context(deployed)), /corrected/)
    assert.deepEqual(
      credentials().map(({ name, audiences }) => ({ name, audiences })),
      [{ name: 'by-hand', audiences: ['api://AzureADTokenExchange'] }],
    )
  })

  it('says what to do when the app holds 20 already', async () => {
    credentials().length = 0
    for (let at = 0; at < 20; at += 1)
      credentials().push({
        id: randomUUID(),
        name: `n${at}`,
        issuer: 'https://issuer.example',
        subject: `${at}`,
        audiences: ['a'],
        description: null,
      })
    await assert.rejects(federate(await stage.context(deployed, { seconds: 0.05 })), {
      name: 'DirectoryError',
      message: /No more than 20 federated identity credentials/,
    })
  })
})
