/** Renew the golden files with RENEW_GOLDEN=1, then read the difference. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { decideExitCode, renderJson } from '../../../scripts/whatif/report.ts'
import { renderMarkdown } from '../../../scripts/whatif/report-markdown.ts'
import { renderText } from '../../../scripts/whatif/report-text.ts'
import type { WhatIf } from '../../../scripts/whatif/whatif.ts'
import { blocksBeginning } from '../../docs/blocks.ts'
import { declaration, withoutCompiler } from '../graph/directory-harness.ts'
import { type Rehearsal, startRehearsal, steady } from './rehearsal.ts'

const EXTRA = 'e0e0e0e0-1111-4222-8333-444444444444'
const CHAT = 'c0c0c0c0-1111-4222-8333-444444444444'
const SWAPPED = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'
const MAIL = '570282fd-fa5c-430d-a7fd-fc8dc98a9dca'
const INFRA = new URL('../../../infra/', import.meta.url)

describe('the stories of the what-if', { skip: withoutCompiler }, () => {
  let tenant: Rehearsal
  let real: Awaited<ReturnType<typeof declaration>>
  let clean: ReturnType<Rehearsal['save']>

  before(async () => {
    tenant = await startRehearsal()
    real = await declaration()
  })
  after(() => tenant.stop())

  async function told(name: string, result: WhatIf, code: 0 | 2): Promise<void> {
    const known = [
      JSON.stringify(real),
      EXTRA,
      CHAT,
      SWAPPED,
      MAIL,
      '00000000-0000-0000-0000-000000000000',
      tenant.tenantId,
    ]
    const outputs = { txt: renderText(result, false), md: renderMarkdown(result), json: renderJson(result) }
    for (const [extension, output] of Object.entries(outputs)) {
      const file = new URL(`golden/${name}.${extension}`, import.meta.url)
      const actual = steady(output, known)
      if (process.env.RENEW_GOLDEN) await writeFile(file, actual)
      assert.equal(actual, await readFile(file, 'utf8'), `${name}.${extension}; renew with RENEW_GOLDEN=1`)
    }
    assert.equal(decideExitCode(result, 'any'), code)
    assert.deepEqual(tenant.writes(), [])
  }

  it('tells of a first deployment', async () => {
    await told('first-deployment', await tenant.ask(), 2)
  })

  it('tells of no change after a deployment and its hooks', async () => {
    await tenant.up()
    clean = tenant.save()
    await told('no-change', await tenant.ask(), 0)
  })

  const extra = () => ({ ...real.scopes[0], value: 'extra', id: EXTRA })

  it('tells of a new scope', async () => {
    await told(
      'new-scope',
      await tenant.ask({ permissions: { ...real, scopes: [...real.scopes, extra()] } }),
      2,
    )
  })

  it('tells of a new client', async () => {
    const clients = [...real.clients, { name: 'Contoso Chat', appId: CHAT }]
    await told('new-client', await tenant.ask({ permissions: { ...real, clients } }), 2)
  })

  it('tells of a wider consent', async () => {
    const mail = { api: 'graph', value: 'Mail.Read', id: MAIL, reason: 'Reads receipts.' }
    const [expenses, ...others] = real.toolSets
    const wider = { ...expenses, downstreamPermissions: [...expenses.downstreamPermissions, mail] }
    await told(
      'consent-widened',
      await tenant.ask({ permissions: { ...real, toolSets: [wider, ...others] } }),
      2,
    )
  })

  it('tells of a scope that is removed in one step', async () => {
    const permissions = { ...real, scopes: [...real.scopes, extra()] }
    await tenant.up({ permissions })
    await told('scope-removed-in-one-step', await tenant.ask(), 2)
    await assert.rejects(tenant.up(), /unless disabled first/)
    clean.restore()
  })

  it('tells of a federated credential whose subject changed', async () => {
    const { principalId: id } = tenant.recreateIdentity(tenant.identity.name)
    const variables = { ...tenant.deployed(), SERVER_IDENTITY_PRINCIPAL_ID: id }
    await told('federated-subject-changed', await tenant.ask({ variables }), 2)
    clean.restore()
  })

  it('tells of a group that is swapped for another one', async () => {
    const variables = {
      ...tenant.deployed(),
      EXISTING_ADMIN_GROUP_ID: SWAPPED,
    }
    await told('group-swapped', await tenant.ask({ variables }), 2)
  })

  it('tells of what was changed in the portal', async () => {
    const { directory } = tenant
    const [app] = directory.applications
    assert.ok(app)
    app.identifierUris.push('https://elsewhere.example/mcp')
    app.displayName = 'Expenses <b>@everyone</b> | [click](https://evil.example)\u001b[31m'
    app.federatedIdentityCredentials.length = 0
    directory.addPassword(app, 'by hand', new Date('2030-01-01T00:00:00Z'))
    for (const credential of app.passwordCredentials) credential.startDateTime = '2029-01-01T00:00:00Z'
    const principal = directory.servicePrincipal(app.appId)
    assert.ok(principal)
    principal.appRoleAssignmentRequired = false
    directory.oauth2PermissionGrants.length = 0
    await told('portal-drift', await tenant.ask(), 2)
    clean.restore()
  })

  it('tells of an orphan after a rename', async () => {
    const bicep = await readFile(new URL('identity.bicep', INFRA), 'utf8')
    const files = { 'identity.bicep': bicep.replaceAll("'mcp-expenses-api-", "'mcp-spending-api-") }
    await told('orphan-after-rename', await tenant.ask({ files }), 2)
  })

  it('tells of a deleted twin that blocks the name', async () => {
    const { directory } = tenant
    const [app] = directory.applications.splice(0, 1)
    assert.ok(app)
    const principal = directory.servicePrincipals.findIndex(({ appId }) => appId === app.appId)
    directory.servicePrincipals.splice(principal, 1)
    directory.deletedItems.applications.push({ ...app, deletedDateTime: new Date().toISOString() })
    await told('soft-deleted-twin', await tenant.ask(), 2)
    clean.restore()
  })
})

it('shows a real comment in its documentation', async () => {
  const [page, golden] = await Promise.all(
    ['../../../docs/whatif.md', 'golden/consent-widened.md'].map((name) =>
      readFile(new URL(name, import.meta.url), 'utf8'),
    ),
  )
  const [, ...comment] = (golden ?? '').trimEnd().split('\n')
  assert.ok(
    page?.includes(comment.join('\n')),
    'docs/whatif.md: renew the example with golden/consent-widened.md',
  )
  for (const { text } of blocksBeginning('docs/whatif.md', '+ ')) assert.ok(golden?.includes(text), text)
})
