import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { GRAPH_APP_ID } from '../../../scripts/emulators/microsoft-apps.ts'
import { postprovision } from '../../../scripts/hooks/postprovision.ts'
import { consent } from '../../../scripts/identity/consent.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Stage, startStage } from '../stage.ts'

describe('consent', { skip: withoutCompiler }, () => {
  let stage: Stage
  let deployed: Record<string, string>
  let fresh: ReturnType<Stage['save']>
  const pack = () => join(stage.root, '.azure/dev/consent.md')

  before(async () => {
    stage = await startStage()
    // Peter may create apps and owns what he has created; consent is for administrators.
    deployed = await stage.up({ operator: 'Peter' })
    fresh = stage.save()
  })
  beforeEach(async () => {
    fresh.restore()
    await stage.empty()
  })
  after(() => stage.stop())

  const scopes = () => stage.directory.oauth2PermissionGrants.map(({ scope }) => scope)

  it('lets a deployment succeed without it and leaves a pack for an administrator', async () => {
    const context = await stage.context(deployed, { operator: 'Peter' })
    await postprovision(context)
    assert.deepEqual(scopes(), [])
    const saved = await readFile(pack(), 'utf8')
    assert.ok(context.lines.join('\n').includes(saved), 'what is saved is also printed')
    for (const text of [
      `${stage.tenant.url}/${stage.tenantId}/adminconsent?client_id=${deployed.ENTRA_CLIENT_ID}`,
      `adminconsent?client_id=${deployed.ENTRA_DEV_CLIENT_ID}`,
      '| Microsoft Graph | `User.Read` | `e1fe6dd8-ba31-4d61-89e7-88639da4683d` | Reads which groups',
      'callers of `get_expense_stats`, `graph_get_profile`, `get_user_context` are told that',
      'npm run consent -- --environment dev',
    ])
      assert.ok(saved.includes(text), `${text}\n${saved}`)
    assert.ok(
      context.lines.some((line) =>
        line.startsWith('! consent "Expenses MCP server (dev) → Microsoft Graph": missing'),
      ),
    )
    assert.doesNotMatch(context.lines.join('\n'), /^✗/m)
  })

  it('turns its absence into a failure with CONSENT_REQUIRED=true, after everything else is done', async () => {
    const context = await stage.context({ ...deployed, CONSENT_REQUIRED: 'true' }, { operator: 'Peter' })
    await assert.rejects(postprovision(context), {
      message: /Admin consent is missing[\s\S]*fix: npm run consent/,
    })
    assert.ok(existsSync(pack()))
    assert.ok(existsSync(join(stage.root, '.env')))
  })

  it('is granted later by an administrator, and the pack goes', async () => {
    await postprovision(await stage.context(deployed, { operator: 'Peter' }))
    assert.equal((await consent(await stage.context(deployed))).granted, true)
    assert.deepEqual(scopes(), ['User.Read', 'User.Read'])
    assert.ok(!existsSync(pack()))
    stage.resetWrites()
    await postprovision(await stage.context(deployed, { operator: 'Peter' }))
    assert.deepEqual(stage.writes(), [])
  })

  it('keeps what somebody else has granted, and leaves grants for single users alone', async () => {
    const resourceId = stage.directory.servicePrincipal(GRAPH_APP_ID)?.id ?? ''
    const clientId = deployed.ENTRA_API_PRINCIPAL_ID ?? ''
    const grant = { clientId, resourceId, principalId: null }
    stage.directory.oauth2PermissionGrants.push(
      { ...grant, id: 'all', consentType: 'AllPrincipals', scope: 'openid profile' },
      { ...grant, id: 'one', consentType: 'Principal', principalId: 'somebody', scope: 'email' },
    )
    await consent(await stage.context(deployed))
    assert.deepEqual(scopes(), ['openid profile User.Read', 'email', 'User.Read'])
  })

  it('makes an API known to a tenant that has never met it', async () => {
    const context = await stage.context(deployed)
    const index = stage.directory.servicePrincipals.findIndex(({ appId }) => appId === GRAPH_APP_ID)
    stage.directory.servicePrincipals.splice(index, 1)
    await consent(context)
    assert.ok(stage.directory.servicePrincipal(GRAPH_APP_ID))
    assert.deepEqual(scopes(), ['User.Read', 'User.Read'])
  })
})
