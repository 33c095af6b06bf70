import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Declaration, loadDeclaration, readDeclaration, type ToolSet } from '../../app/declaration.ts'
import { McpServer } from '../../app/mcp/mcp.ts'
import { everyToolSet, loadPermissions, selectPermissions, ToolSetsWrong } from '../../app/permissions.ts'
import { allTools } from '../../app/tools/all.ts'

/** Reads the real declaration with `change` applied to it. */
function readChanged(change: (declaration: Declaration) => unknown): Declaration {
  const declaration = loadDeclaration()
  return readDeclaration(JSON.stringify(change(declaration) ?? declaration))
}

const setOf = ({ toolSets }: Declaration, name: string): ToolSet => {
  const found = toolSets.find((set) => set.name === name)
  assert.ok(found)
  return found
}
const inExpenses = (change: Partial<ToolSet>) => () =>
  readChanged((declaration) => void Object.assign(setOf(declaration, 'expenses'), change))
const firstTool = (change: Record<string, unknown>) => () =>
  readChanged((declaration) => void Object.assign(setOf(declaration, 'expenses').tools[0] ?? {}, change))

const ID = '5c6d7e8f-9012-4a3b-8c4d-5e6f70819203'
const scopeOf = (declaration: Declaration) => {
  const [scope] = declaration.scopes
  assert.ok(scope)
  return scope
}
/** The real declaration with a set of its own: a scope, a role, a permission of an API that others do not ask. */
const withReports = () =>
  readChanged((declaration) => {
    const api = { name: 'reports', displayName: 'Reports', appId: ID, resource: 'https://reports.example' }
    declaration.downstreamApis.push(api)
    declaration.toolSets.push({
      name: 'reports',
      title: 'Reports',
      scopes: [{ ...scopeOf(declaration), value: 'report.read', id: ID }],
      appRoles: [
        {
          ...{ value: 'Reader', id: ID.replace('5', '6'), allowedMemberTypes: ['User'] },
          ...{ displayName: 'Reader', description: 'Reads.' },
        },
      ],
      downstreamPermissions: [{ api: 'reports', value: 'Report.Read', id: ID, reason: 'Reads reports.' }],
      tools: [
        {
          name: 'get_reports',
          scope: 'report.read',
          role: 'Reader',
          admin: false,
          downstreamApis: ['reports'],
          sources: [],
        },
      ],
    })
  })

describe('infra/permissions.json', () => {
  it('declares exactly the tools that the code has', () => {
    const declared = loadPermissions(everyToolSet(loadDeclaration())).tools.map(({ name }) => name)
    assert.deepEqual(declared.toSorted(), allTools.map(({ listed }) => listed.name).toSorted())
    assert.throws(
      () => new McpServer(selectPermissions(withReports(), 'reports')),
      /Tool get_reports of infra\/permissions\.json is not in app\/tools\/all\.ts/,
    )
  })

  it('is refused when a tool names a scope, role or API that is not declared', () => {
    assert.throws(firstTool({ scope: 'other' }), /add_user_expense names the unknown or disabled scope other/)
    assert.throws(firstTool({ role: 'Boss' }), /add_user_expense names the unknown or disabled role Boss/)
    assert.throws(
      firstTool({ downstreamApis: ['nowhere'] }),
      /add_user_expense needs the downstream API nowhere, of which its set asks no permission/,
    )
    assert.throws(firstTool({ sources: ['nowhere'] }), /asks the undeclared downstream API nowhere/)
    assert.throws(firstTool({ scope: undefined }), /add_user_expense needs a scope or a role/)
  })

  it('is refused when a tool stands on what another set declares, which may be off', () => {
    const leaning = (change: Record<string, unknown>) => () =>
      readChanged(() => {
        const declaration = withReports()
        Object.assign(setOf(declaration, 'profile').tools[0] ?? {}, change)
        return declaration
      })
    assert.throws(leaning({ scope: 'report.read' }), /unknown or disabled scope report\.read/)
    assert.throws(leaning({ role: 'Reader' }), /unknown or disabled role Reader/)
    assert.throws(leaning({ downstreamApis: ['reports'] }), /its set asks no permission/)
    assert.doesNotThrow(leaning({ sources: ['reports'] }))
  })

  it('is refused when a tool needs a scope that is switched off', () => {
    const switchOff = () =>
      readChanged((declaration) => void Object.assign(scopeOf(declaration), { isEnabled: false }))
    assert.throws(switchOff, /add_user_expense names the unknown or disabled scope user_impersonation/)
  })

  it('is refused when an admin tool stands without Microsoft Graph to ask for membership', () => {
    assert.throws(
      inExpenses({ downstreamPermissions: [] }),
      /get_expense_stats needs the downstream API graph, of which its set asks no permission/,
    )
    assert.throws(
      firstTool({ admin: true }),
      /add_user_expense is for admins and needs the downstream API graph/,
    )
  })

  it('is refused when two sets declare the same thing differently, or twice', () => {
    const twice = (change: (declaration: Declaration) => unknown) => () =>
      readChanged(() => {
        const declaration = withReports()
        change(declaration)
        return declaration
      })
    const reports = (declaration: Declaration) => setOf(declaration, 'reports')
    assert.throws(
      twice(({ toolSets }) => toolSets.push(...toolSets.slice(0, 1))),
      /tool set expenses stands there twice/,
    )
    assert.throws(
      twice((all) => reports(all).tools.push(...setOf(all, 'profile').tools)),
      /tool graph_get_profile stands there twice/,
    )
    assert.throws(
      twice((all) => reports(all).scopes.push({ ...scopeOf(all), id: ID.replace('5', '7') })),
      /scope or role user_impersonation stands there twice/,
    )
    assert.throws(
      twice((all) => reports(all).scopes.push({ ...scopeOf(all), value: 'another' })),
      /id d4d507b3-\S+ stands there twice/,
    )
    assert.throws(
      twice((all) => all.downstreamApis.push(...all.downstreamApis.slice(0, 1))),
      /downstream API graph stands there twice/,
    )
    const strange = { api: 'nowhere', value: 'x', id: ID, reason: 'x' }
    assert.throws(
      twice((all) => reports(all).downstreamPermissions.push(strange)),
      /tool set reports asks for x of the undeclared downstream API nowhere/,
    )
    assert.throws(
      twice((all) =>
        reports(all).downstreamPermissions.push({ ...strange, api: 'graph', value: 'User.Read' }),
      ),
      /User\.Read of graph has two ids/,
    )
  })

  it('is refused when a code would be sent in clear to another machine, or a redirect URI stands there twice', () => {
    const withRedirect = (uri: string) => () => readChanged(({ redirectUris }) => void redirectUris.push(uri))
    for (const uri of [
      'http://contoso.com/cb',
      'http://localhost.contoso.com',
      'http://localhost@contoso.com/',
    ])
      assert.throws(withRedirect(uri), /must be https, or http on localhost or 127\.0\.0\.1/)
    assert.throws(withRedirect('http://localhost'), /names a redirect URI twice/)
    assert.throws(withRedirect('nowhere'), /Invalid URL/)
    assert.doesNotThrow(withRedirect('http://localhost:8787/callback'))
    assert.throws(
      () => readChanged((declaration) => ({ ...declaration, redirectUris: [] })),
      /cannot be used/,
    )
  })

  it('allows clients by app id, the one that the template declares by its name, nobody by any other', () => {
    const allowing = (appId: string) => () =>
      readChanged(({ allowedClients }) => void allowedClients.push({ name: 'One', appId }))
    assert.deepEqual(loadPermissions().allowedClients, [])
    assert.doesNotThrow(allowing('aebc6443-996d-45c2-90f0-388ff96faa56'))
    assert.doesNotThrow(allowing('publicClient'))
    assert.throws(allowing('Visual Studio Code'), /allowedClients\[0\]\.appId/)
  })

  it('is refused with the place of the fault when a field is wrong or unknown', () => {
    assert.throws(firstTool({ scopes: 'typo' }), /Unrecognized key: "scopes"[\s\S]*toolSets\[0\]\.tools\[0\]/)
    assert.throws(() => readChanged(() => 'nonsense'), /infra\/permissions\.json cannot be used/)
    assert.throws(() => readDeclaration('{'), /infra\/permissions\.json cannot be used/)
  })
})

describe('TOOL_SETS', () => {
  it('selects what a set declares, and nothing of the others', () => {
    const reports = selectPermissions(withReports(), 'reports')
    assert.deepEqual(reports.toolSets, ['reports'])
    assert.deepEqual(
      reports.scopes.map(({ value }) => value),
      ['user_impersonation', 'report.read'],
    )
    assert.deepEqual(
      reports.appRoles.map(({ value }) => value),
      ['Reader'],
    )
    assert.deepEqual(
      reports.downstreamApis.map(({ name, permissions }) => [name, permissions]),
      [['reports', [{ value: 'Report.Read', id: ID, reason: 'Reads reports.' }]]],
    )
    assert.deepEqual(
      reports.tools.map(({ name }) => name),
      ['get_reports'],
    )
    const usual = selectPermissions(withReports())
    assert.deepEqual(usual, loadPermissions())
    assert.deepEqual(usual.toolSets, ['expenses', 'profile'])
  })

  it('declares once what two sets ask for, with the reasons of both', () => {
    const [graph, ...others] = loadPermissions('profile, expenses').downstreamApis
    assert.deepEqual(others, [])
    assert.deepEqual(
      graph?.permissions.map(({ value }) => value),
      ['User.Read'],
    )
    assert.match(graph?.permissions[0]?.reason ?? '', /groups.+ own profile\.$/)
  })

  it('is refused where it names no set, or an unknown one', () => {
    for (const wrong of ['spending', 'expenses,', ',', ' ', 'expenses,,profile', 'EXPENSES'])
      assert.throws(
        () => loadPermissions(wrong),
        (error) =>
          error instanceof ToolSetsWrong && /^TOOL_SETS is wrong: .*: expenses, profile/.test(error.message),
        wrong,
      )
    assert.deepEqual(loadPermissions(''), loadPermissions())
  })
})
