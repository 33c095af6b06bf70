import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { McpServer } from '../../app/mcp/mcp.ts'
import { loadPermissions } from '../../app/permissions.ts'

/** Loads the real declaration with `change` applied to it. */
function loadChanged(change: (declaration: ReturnType<typeof loadPermissions>) => unknown) {
  const folder = mkdtempSync(join(tmpdir(), 'permissions-'))
  try {
    const file = join(folder, 'permissions.json')
    const declaration = loadPermissions()
    writeFileSync(file, JSON.stringify(change(declaration) ?? declaration))
    return loadPermissions(pathToFileURL(file))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const firstTool = (change: Record<string, unknown>) => () =>
  loadChanged((declaration) => void Object.assign(declaration.tools[0] ?? {}, change))

describe('infra/permissions.json', () => {
  it('declares exactly the tools that the code has', () => {
    assert.doesNotThrow(() => new McpServer(loadPermissions()))
    const fewer = loadChanged(({ tools, ...rest }) => ({ ...rest, tools: tools.slice(1) }))
    assert.throws(() => new McpServer(fewer), /Tool add_user_expense must be both in/)
    const more = loadChanged(
      ({ tools }) => void tools.push({ name: 'ghost', scope: 'user_impersonation', admin: false }),
    )
    assert.throws(() => new McpServer(more), /Tool ghost must be both in/)
  })

  it('is refused when a tool names a scope, role or API that is not declared', () => {
    assert.throws(firstTool({ scope: 'other' }), /add_user_expense names the unknown or disabled scope other/)
    assert.throws(firstTool({ role: 'Boss' }), /add_user_expense names the unknown or disabled role Boss/)
    assert.throws(
      firstTool({ downstreamApi: 'arm' }),
      /add_user_expense needs the undeclared downstream API arm/,
    )
    assert.throws(firstTool({ scope: undefined }), /add_user_expense needs a scope or a role/)
  })

  it('is refused when a tool needs a scope that is switched off', () => {
    const switchOff = () =>
      loadChanged(({ scopes }) => void Object.assign(scopes[0] ?? {}, { isEnabled: false }))
    assert.throws(switchOff, /add_user_expense names the unknown or disabled scope user_impersonation/)
  })

  it('is refused when an admin tool stands without Microsoft Graph to ask for membership', () => {
    const withoutGraph = () => loadChanged((declaration) => ({ ...declaration, downstreamApis: [] }))
    assert.throws(withoutGraph, /get_expense_stats needs the undeclared downstream API graph/)
    const withoutStepUp = () =>
      loadChanged(({ tools, ...rest }) => ({
        ...rest,
        tools: tools.map(({ downstreamApi: _, ...tool }) => tool),
      }))
    assert.throws(withoutStepUp, /get_expense_stats is for admins and needs a downstreamApi/)
  })

  it('is refused when a code would be sent in clear to another machine, or a redirect URI stands there twice', () => {
    const withRedirect = (uri: string) => () => loadChanged(({ redirectUris }) => void redirectUris.push(uri))
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
      () => loadChanged((declaration) => ({ ...declaration, redirectUris: [] })),
      /cannot be used/,
    )
  })

  it('allows clients by app id, the one that the template declares by its name, nobody by any other', () => {
    const allowing = (appId: string) => () =>
      loadChanged(({ allowedClients }) => void allowedClients.push({ name: 'One', appId }))
    assert.deepEqual(loadPermissions().allowedClients, [])
    assert.doesNotThrow(allowing('aebc6443-996d-45c2-90f0-388ff96faa56'))
    assert.doesNotThrow(allowing('publicClient'))
    assert.throws(allowing('Visual Studio Code'), /allowedClients\[0\]\.appId/)
  })

  it('is refused with the place of the fault when a field is wrong or unknown', () => {
    assert.throws(firstTool({ scopes: 'typo' }), /Unrecognized key: "scopes"[\s\S]*tools\[0\]/)
    assert.throws(() => loadChanged(() => 'nonsense'), /infra\/permissions\.json cannot be used/)
  })
})
