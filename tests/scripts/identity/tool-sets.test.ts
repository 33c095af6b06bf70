import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { loadDeclaration } from '../../../app/declaration.ts'
import { NOT_ASKED_YET } from '../../../scripts/cli/environment.ts'
import { DEVOPS_APP_ID } from '../../../scripts/emulators/devops.ts'
import { postprovision } from '../../../scripts/hooks/postprovision.ts'
import { preprovision } from '../../../scripts/hooks/preprovision.ts'
import { consent } from '../../../scripts/identity/consent.ts'
import { switchedOff } from '../../../scripts/identity/switched-off.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

const USUAL = { TOOL_SETS: 'expenses,profile' }
const WIDER = { TOOL_SETS: 'expenses,profile,devops' }

describe('a tenant that has never met the API of a tool set', { skip: withoutCompiler }, () => {
  let stage: Stage
  let usual: Record<string, string>
  let fresh: ReturnType<Stage['save']>
  before(async () => {
    stage = await startStage()
    // Peter may create apps and owns what he has created; consent is for administrators.
    usual = await stage.up({ environment: USUAL, operator: 'Peter' })
    await postprovision(await stage.context(usual, { operator: 'Peter' }))
    await consent(await stage.context(usual))
    fresh = stage.save()
  })
  beforeEach(async () => {
    fresh.restore()
    await stage.empty()
  })
  after(() => stage.stop())

  const scopes = () => stage.directory.oauth2PermissionGrants.map(({ scope }) => scope).toSorted()

  it('is told so before the deployment, and by whom the service principal is made', async () => {
    const said = async (operator: 'Olivia' | 'Peter') => {
      const context = await stage.context({ ...usual, ...WIDER }, { operator })
      await preprovision(context)
      return context.lines.find((line) => line.includes('Downstream APIs'))
    }
    const known = '✓ Downstream APIs are known to the tenant'
    const missing = `${known}: Azure DevOps has no service principal in this tenant yet`
    assert.equal(await said('Olivia'), `${missing}: postprovision makes it known`)
    assert.equal(await said('Peter'), `${missing}: it goes on the consent pack for an administrator`)
    stage.resetWrites()
    const context = await stage.context(usual)
    await preprovision(context)
    assert.ok(context.lines.includes(known))
  })

  it('gets the service principal with the consent, from who may', async () => {
    const deployed = await stage.up({ environment: WIDER, operator: 'Peter' })
    const { text } = await consent(await stage.context(deployed))
    assert.ok(stage.directory.servicePrincipal(DEVOPS_APP_ID))
    assert.deepEqual(scopes(), ['User.Read', 'User.Read', 'vso.profile', 'vso.profile'])
    assert.equal(text, 'consent granted: Azure DevOps to the API app, Azure DevOps to the dev API app')
    stage.resetWrites()
    assert.equal((await consent(await stage.context(deployed))).text, 'consent unchanged')
    assert.deepEqual(stage.writes(), [])
  })

  it('has it on the consent pack of who may not, with the command', async () => {
    const deployed = await stage.up({ environment: WIDER, operator: 'Peter' })
    await consent(await stage.context(deployed, { operator: 'Peter' }))
    assert.equal(stage.directory.servicePrincipal(DEVOPS_APP_ID), undefined)
    const pack = await readFile(join(stage.root, '.azure/dev/consent.md'), 'utf8')
    assert.match(pack, /This tenant has never met Azure DevOps/)
    assert.ok(pack.includes(`az ad sp create --id ${DEVOPS_APP_ID}`))
    assert.match(
      pack,
      /\| Azure DevOps \| `vso\.profile` \| `4ee63f9b-\S+` \| Reads the signed-in user's own profile/,
    )
  })

  it('loses the consent with the tool set, and nothing else that somebody has granted', async () => {
    await consent(await stage.context(await stage.up({ environment: WIDER, operator: 'Peter' })))
    const grants = stage.directory.oauth2PermissionGrants
    const given = grants.find(({ scope }) => scope === 'vso.profile')
    assert.ok(given)
    given.scope = 'vso.work vso.profile'
    const single = { ...given, id: 'one', consentType: 'Principal' as const, principalId: 'somebody' }
    grants.push(single)
    const { text } = await consent(await stage.context({ ...usual, TOOL_SETS: 'expenses' }))
    assert.equal(
      text,
      'consent unchanged; taken back: vso.profile of Azure DevOps from the API app; vso.profile of Azure DevOps from the dev API app',
    )
    assert.deepEqual(scopes(), ['User.Read', 'User.Read', 'vso.work', 'vso.work vso.profile'])
  })

  it('is told what is left when whoever deploys may not take consent back, which is no failure', async () => {
    await consent(await stage.context(await stage.up({ environment: WIDER, operator: 'Peter' })))
    const narrower = await stage.up({ environment: USUAL, operator: 'Peter' })
    const context = await stage.context(narrower, { operator: 'Peter', seconds: 1 })
    await postprovision(context)
    const lines = context.lines.join('\n')
    assert.match(
      lines,
      /consent of tool sets that are off is left, an administrator takes it back with: npm run consent/,
    )
    assert.match(lines, /^! .*vso\.profile.*Nothing that is on needs it: the consent hook takes it back\.$/m)
    assert.deepEqual(scopes(), ['User.Read', 'User.Read', 'vso.profile', 'vso.profile'])
  })
})

describe('what a tool set that is off leaves', () => {
  it('is everything that it alone declares', () => {
    const { entitlements, consents } = switchedOff('expenses')
    const devops = consents.find(({ name }) => name === 'devops')
    assert.deepEqual(
      devops?.permissions.map(({ value }) => value),
      ['vso.profile'],
    )
    // The other sets need it too.
    assert.ok(!consents.some(({ name }) => name === 'graph'))
    const declaration = loadDeclaration()
    const ids = declaration.toolSets.flatMap((set) => [...set.scopes, ...set.appRoles]).map(({ id }) => id)
    assert.deepEqual(switchedOff('expenses').entitlements.length, entitlements.length)
    for (const id of entitlements) assert.ok(ids.includes(id))
    assert.ok(!entitlements.some((id) => declaration.scopes.some((scope) => scope.id === id)))
  })
})

describe('an azd environment that does not say which tool sets are on', { skip: withoutCompiler }, () => {
  const ON = { TOOL_SETS: 'expenses,profile,devops,costs,documents' }
  let stage: Stage
  let deployed: Record<string, string>
  let complete: ReturnType<Stage['save']>
  before(async () => {
    stage = await startStage()
    deployed = await stage.up({ environment: ON })
    await postprovision(await stage.context(deployed))
    complete = stage.save()
  })
  beforeEach(() => complete.restore())
  after(() => stage.stop())

  const grants = () => stage.directory.oauth2PermissionGrants.map(({ scope }) => scope).toSorted()
  /** Without TOOL_SETS; `refreshed`: with what else the deployment has put out. */
  const unaware = async (refreshed: boolean) => {
    const { TOOL_SETS: _, ...others } = deployed
    return stage.context(refreshed ? others : stage.base)
  }
  const refusal = async (refreshed: boolean): Promise<string> => {
    const error: unknown = await preprovision(await unaware(refreshed)).catch((reason: unknown) => reason)
    assert.ok(error instanceof Error, 'preprovision let it pass')
    assert.deepEqual(stage.writes(), [])
    return error.message
  }

  it('gets them from azd env refresh: they are an output', () => {
    assert.equal(deployed.TOOL_SETS, ON.TOOL_SETS)
  })

  it('takes no consent back, and says what it leaves and why', async () => {
    const given = grants()
    const { text } = await consent(await unaware(true))
    assert.match(
      text,
      /^consent unchanged; not taken back, because TOOL_SETS is not set .*vso\.profile of Azure DevOps from the API app.*azd env refresh/,
    )
    assert.deepEqual(stage.writes(), [])
    assert.deepEqual(grants(), given)
  })

  it('is not deployed from: the sets are named, with the command that keeps them and the one that does not', async () => {
    for (const refreshed of [false, true]) {
      const said = await refusal(refreshed)
      assert.match(
        said,
        /TOOL_SETS is not set .* more than expenses,profile for an environment of this name: devops, costs, documents\./,
      )
      assert.ok(said.includes(`azd env set TOOL_SETS ${ON.TOOL_SETS}    (keeps them)`), said)
      assert.ok(said.includes('azd env set TOOL_SETS expenses,profile    (switches them off)'), said)
    }
  })

  it('is not deployed from before azd has asked for the subscription either', async () => {
    const early = { ...stage.base, AZURE_SUBSCRIPTION_ID: NOT_ASKED_YET }
    await assert.rejects(preprovision(await stage.context(early)), /TOOL_SETS is not set .*: devops, costs, /)
    await preprovision(await stage.context({ ...early, AZURE_ENV_NAME: 'other' }))
    assert.deepEqual(stage.writes(), [])
  })

  it('is refused for what is declared without a grant, and for a grant alone', async () => {
    const { directory } = stage
    directory.oauth2PermissionGrants.length = 0
    assert.match(await refusal(true), /: devops, costs, documents\./)
    complete.restore()
    for (const app of directory.applications)
      Object.assign(
        app,
        { requiredResourceAccess: [], appRoles: [] },
        { api: { ...app.api, oauth2PermissionScopes: [] } },
      )
    assert.match(await refusal(true), /: devops, costs, documents\./)
  })

  it('goes on when it says so, with more or with fewer', async () => {
    await preprovision(await stage.context({ ...stage.base, ...ON }))
    assert.deepEqual(stage.writes(), [])
    const context = await stage.context({ ...stage.base, ...USUAL })
    await preprovision(context)
    assert.ok(context.lines.some((line) => /^✓ disabled, .*cost\.read/.test(line)))
  })

  it('goes on when no further set is there', async () => {
    const usual = await startStage()
    try {
      const { TOOL_SETS, ...others } = await usual.up()
      assert.equal(TOOL_SETS, USUAL.TOOL_SETS)
      await postprovision(await usual.context(others))
      const context = await usual.context(others)
      await preprovision(context)
      assert.ok(context.lines.includes('✓ Removed scopes and roles were disabled first'))
    } finally {
      await usual.stop()
    }
  })
})
