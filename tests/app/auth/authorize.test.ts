import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Authorizer } from '../../../app/auth/authorize.ts'
import { AdminGroup } from '../../../app/auth/groups.ts'
import { OnBehalfOf } from '../../../app/auth/obo.ts'
import { ServiceAccess } from '../../../app/auth/services.ts'
import type { Caller, UserId } from '../../../app/auth/verifier.ts'
import { Refusal } from '../../../app/http/refusal.ts'
import { readMessage } from '../../../app/mcp/message.ts'
import { basicScopes } from '../../../app/metadata.ts'
import { loadPermissions, type Permissions } from '../../../app/permissions.ts'
import type { AuditEntry } from '../../../app/telemetry/audit.ts'
import { createLog } from '../../../app/telemetry/log.ts'

const GUID = '11111111-2222-4333-8444-555555555555'
const mcpUrl = 'https://server.example.com/mcp'
const full = (scope: string) => `${mcpUrl}/${scope}`

/** The real declaration with a second scope for one tool and an app role for another. */
function twoScopes(): Permissions {
  const permissions = loadPermissions()
  const [scope] = permissions.scopes
  assert.ok(scope)
  return {
    ...permissions,
    scopes: [scope, { ...scope, value: 'expenses.write', id: GUID }],
    tools: permissions.tools.map((tool) => {
      if (tool.name === 'add_user_expense') return { ...tool, scope: 'expenses.write' }
      return tool.name === 'get_user_expenses' ? { ...tool, role: 'Reader' } : tool
    }),
  }
}

const caller = (scopes: string[], roles: string[] = []): Caller => ({
  // What is looked at here comes before anything that asks for a user.
  userId: GUID as UserId,
  token: 'token',
  scopes: new Set(scopes.map(full)),
  roles: new Set(roles),
  client: GUID,
})

async function judge(tool: string, by: Caller) {
  const permissions = twoScopes()
  const config = { tenantId: GUID, clientId: GUID, authorityHost: 'http://localhost:1', oboCacheSeconds: 0 }
  const obo = new OnBehalfOf({ ...config, credential: { kind: 'secret', secret: 'unused' } })
  const log = createLog('error', () => undefined)
  const adminGroup = new AdminGroup('http://localhost:1', GUID)
  const serviceAccess = new ServiceAccess(permissions)
  const authorizer = new Authorizer({ permissions, serverUrl: mcpUrl, obo, adminGroup, serviceAccess, log })
  const entry: AuditEntry = { requestId: GUID, decision: 'accept', reason: '' }
  const message = readMessage({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } })
  return { verdict: await authorizer.judge(message, { bearer: by, mcpUrl, entry }), entry }
}

describe('the judge', () => {
  it('asks a first sign-in for every scope that a tool may need', () => {
    assert.equal(basicScopes(mcpUrl, twoScopes()), `${full('expenses.write')} ${full('user_impersonation')}`)
  })

  it('names every scope in a step-up, because some clients ask for exactly those', async () => {
    await assert.rejects(judge('add_user_expense', caller(['user_impersonation'])), (refusal) => {
      assert.ok(refusal instanceof Refusal)
      assert.deepEqual([refusal.status, refusal.decision], [403, 'deny:scope'])
      const challenge = refusal.headers['www-authenticate'] ?? ''
      assert.match(challenge, /error_description="This tool needs the scope [^ ]+\/expenses\.write\."/)
      assert.match(challenge, new RegExp(`scope="${full('expenses.write')} ${full('user_impersonation')}"`))
      return true
    })
    const { verdict } = await judge('add_user_expense', caller(['expenses.write']))
    assert.deepEqual(verdict, { admin: undefined })
  })

  it('says in words which app role is missing: no sign-in gives it', async () => {
    const { verdict, entry } = await judge('get_user_expenses', caller(['user_impersonation']))
    assert.deepEqual(verdict, {
      toolError: 'This tool needs the app role Reader. Ask an administrator to assign it.',
    })
    assert.deepEqual([entry.decision, entry.reason], ['deny:rbac', 'role_missing'])
    const held = await judge('get_user_expenses', caller(['user_impersonation'], ['Reader']))
    assert.deepEqual(held.verdict, { admin: undefined })
  })
})
