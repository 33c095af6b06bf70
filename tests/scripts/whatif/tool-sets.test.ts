/** Renew the page with RENEW_GOLDEN=1, then read the difference. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { loadDeclaration, readDeclaration } from '../../../app/declaration.ts'
import { loadPermissions, USUAL_TOOL_SETS } from '../../../app/permissions.ts'
import { consent } from '../../../scripts/identity/consent.ts'
import { namesOf } from '../../../scripts/identity/names.ts'
import { disableSwitchedOff, switchedOff } from '../../../scripts/identity/switched-off.ts'
import { renderText } from '../../../scripts/whatif/report-text.ts'
import type { WhatIf } from '../../../scripts/whatif/whatif.ts'
import { blocksBeginning } from '../../docs/blocks.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Rehearsal, startRehearsal, steady } from './rehearsal.ts'

const PAGE = new URL('../../../docs/whatif.md', import.meta.url)
/** The widening that docs/whatif.md shows. */
const SHOWN = 'costs'

const declared = loadDeclaration()
const usual = USUAL_TOOL_SETS.split(',')
const further = declared.toolSets.map(({ name }) => name).filter((name) => !usual.includes(name))

describe('a change of TOOL_SETS in the what-if', { skip: withoutCompiler }, () => {
  let tenant: Rehearsal
  let clean: ReturnType<Rehearsal['save']>
  before(async () => {
    tenant = await startRehearsal()
    await tenant.up()
    clean = tenant.save()
  })
  after(() => tenant.stop())

  /** Object, action and path of every changed property. */
  const changesOf = ({ changes }: WhatIf) =>
    changes.flatMap(({ type, action, properties }) =>
      action === 'create' ? [`create ${type}`] : properties.map((one) => `${type} ${one.action} ${one.path}`),
    )

  /** Clients are pre-authorized for what users may consent to, and for nothing that takes an administrator. */
  function checkPreAuthorized({ changes }: WhatIf, fresh: readonly { id: string; type: string }[]): void {
    const found = changes
      .flatMap(({ properties }) => properties)
      .filter(({ path }) => path.endsWith('.delegatedPermissionIds'))
    const clients = declared.clients.length + 1
    assert.equal(found.length, fresh.some(({ type }) => type === 'User') ? 2 * clients : 0)
    for (const one of found)
      for (const { id, type } of fresh) assert.equal(JSON.stringify(one).includes(id), type === 'User')
  }

  for (const name of further) {
    it(`is exactly what the tool set ${name} declares, in the API app and the dev app`, async () => {
      clean.restore()
      const TOOL_SETS = `${USUAL_TOOL_SETS},${name}`
      const result = await tenant.ask({ variables: { ...tenant.deployed(), TOOL_SETS } })
      const [less, more] = [loadPermissions(), loadPermissions(TOOL_SETS)]
      const added = <T extends { value: string }>(now: readonly T[], before: readonly T[]) =>
        now.filter(({ value }) => !before.some((one) => one.value === value)).map(({ value }) => value)
      const fresh = more.downstreamApis.filter(
        (api) => !less.downstreamApis.some((one) => one.name === api.name),
      )
      const scopes = added(more.scopes, less.scopes)
      const found = changesOf(result)
      for (const scope of scopes)
        assert.equal(
          found.filter((one) => one.endsWith(`add api.oauth2PermissionScopes[${scope}]`)).length,
          2,
          scope,
        )
      checkPreAuthorized(
        result,
        more.scopes.filter(({ value }) => scopes.includes(value)),
      )
      for (const role of added(more.appRoles, less.appRoles))
        assert.equal(found.filter((one) => one.endsWith(`add appRoles[${role}]`)).length, 2, role)
      for (const { displayName } of fresh)
        assert.equal(
          found.filter((one) => one.includes(`add requiredResourceAccess[${displayName}]`)).length,
          2,
          displayName,
        )
      assert.equal(found.filter((one) => one === 'create oauth2PermissionGrants').length, 2 * fresh.length)
      const known = [
        ...scopes.flatMap((scope) => [`[${scope}]`]),
        ...added(more.appRoles, less.appRoles).map((role) => `appRoles[${role}]`),
        ...fresh.map(({ displayName }) => `requiredResourceAccess[${displayName}]`),
        'create oauth2PermissionGrants',
        '.delegatedPermissionIds',
      ]
      assert.deepEqual(
        found.filter((one) => !known.some((text) => one.includes(text))),
        [],
        'nothing else changes',
      )
      assert.deepEqual([result.blockers, result.unmanaged, result.orphans], [[], [], []])
      if (name === SHOWN) await shown(renderText(result, false))
    })
  }

  /** docs/whatif.md has the very output. */
  async function shown(output: string): Promise<void> {
    const known = [JSON.stringify(declared), tenant.tenantId]
    const text = steady(output, known).trimEnd()
    const page = await readFile(PAGE, 'utf8')
    const [start, end] = ['<!-- tool set: generated -->\n', '\n<!-- /tool set -->']
    const current = page.slice(page.indexOf(start) + start.length, page.indexOf(end))
    if (process.env.RENEW_GOLDEN)
      await writeFile(
        PAGE,
        page.replace(start + current + end, () => `${start}\`\`\`text\n${text}\n\`\`\`${end}`),
      )
    // The first one begins the page.
    const [, block] = blocksBeginning('docs/whatif.md', 'Identity what-if of azd environment dev')
    if (!process.env.RENEW_GOLDEN)
      assert.equal(block?.text, text, 'RENEW_GOLDEN=1 npx node --test tests/scripts/whatif/tool-sets.test.ts')
  }

  it('that takes scopes, roles and consent away will not fail: the hooks prepare it and clean up', async () => {
    clean.restore()
    const [scope] = declared.scopes
    assert.ok(scope)
    const permissions = readDeclaration(
      JSON.stringify({
        ...declared,
        toolSets: declared.toolSets.map((set) =>
          set.name === 'devops'
            ? {
                ...set,
                scopes: [{ ...scope, value: 'devops.read', id: 'e0e0e0e0-1111-4222-8333-444444444444' }],
                appRoles: [
                  {
                    ...{ value: 'Devops.Read', id: 'e0e0e0e0-1111-4222-8333-555555555555' },
                    ...{ displayName: 'x', description: 'x', allowedMemberTypes: ['Application'] },
                  },
                ],
              }
            : set,
        ),
      }),
    )
    const on = { TOOL_SETS: `${USUAL_TOOL_SETS},devops` }
    const off = { TOOL_SETS: USUAL_TOOL_SETS }
    await tenant.up({ permissions, environment: on })
    const variables = { ...tenant.deployed(), ...off }
    const result = await tenant.ask({ variables, permissions })
    assert.deepEqual(result.blockers, [])
    const gone = changesOf(result).filter((one) => one.includes('remove'))
    for (const path of [
      'oauth2PermissionScopes[devops.read]',
      'appRoles[Devops.Read]',
      'requiredResourceAccess',
    ])
      assert.equal(gone.filter((one) => one.includes(path)).length, 2, `${path}: ${gone.join('\n')}`)
    // The consent that goes is told, and by what.
    assert.deepEqual(
      result.unmanaged.map(({ kind, reason }) => [kind, reason.replace(/^.+ with /, '')]),
      Array(2).fill([
        'oauth2PermissionGrants',
        'vso.profile for every user, without a prompt. Nothing that is on needs it: the consent hook takes it back.',
      ]),
    )

    await assert.rejects(tenant.deploy({ permissions, environment: off }), /unless disabled first/)
    const context = await tenant.context(variables)
    const names = namesOf(context.environment)
    const left = switchedOff(off.TOOL_SETS, permissions)
    assert.deepEqual(await disableSwitchedOff(context, names, left), ['devops.read', 'Devops.Read'])
    tenant.resetWrites()
    assert.deepEqual(await disableSwitchedOff(context, names, left), [])
    assert.deepEqual(tenant.writes(), [])
    await tenant.deploy({ permissions, environment: off })
    await consent(context)
    const after = await tenant.ask({ variables, permissions })
    assert.deepEqual([after.changes, after.blockers, after.unmanaged], [[], [], []])
  })

  it('that nobody has decided is blocked, and no hook is said to take anything back', async () => {
    clean.restore()
    await tenant.up({ environment: { TOOL_SETS: `${USUAL_TOOL_SETS},devops,costs` } })
    const { TOOL_SETS: _, ...variables } = tenant.deployed()
    const { blockers, unmanaged } = await tenant.ask({ variables })
    const removed = blockers.filter(({ rule }) => rule === 'removed-in-one-step').map(({ what }) => what)
    for (const scope of ['cost.read', 'cost.export'])
      assert.equal(removed.filter((what) => what.includes(scope)).length, 2, removed.join('\n'))
    assert.ok(unmanaged.length > 0)
    assert.ok(!unmanaged.some(({ reason }) => reason.includes('takes it back')))
  })
})
