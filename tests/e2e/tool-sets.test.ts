import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import ky from 'ky'
import { callTool, post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const PROFILE = ['graph_get_profile', 'get_user_context']

describe('a server with one tool set', () => {
  let system: System
  before(async () => {
    system = await startSystem({ TOOL_SETS: 'profile' })
  })
  after(() => system.stop())

  it('offers the tools of that set, to admins too, and does not know the others', async () => {
    for (const name of ['Alice', 'Bob'] as const) {
      const token = await system.tokenFor(name)
      assert.deepEqual(await toolNames(system.mcp, token), PROFILE)
      const params = { name: 'get_user_expenses', arguments: {} }
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
      const response = await post(system.mcp, message, { token })
      assert.match(await response.text(), /Unknown tool: get_user_expenses/)
      assert.equal((await system.auditLine(response)).reason, 'unknown_tool')
    }
  })

  it('publishes the scopes of that set alone, in its metadata and in its challenge', async () => {
    const metadata = await ky(new URL('/.well-known/oauth-protected-resource/mcp', system.mcp)).json<{
      scopes_supported: string[]
    }>()
    assert.deepEqual(metadata.scopes_supported, [`${system.mcp}/user_impersonation`])
    const { headers } = await post(system.mcp, {}, {})
    assert.match(headers.get('www-authenticate') ?? '', /scope="[^ ]+\/user_impersonation"/)
  })

  it('gives each caller their own profile, asked for with their own token', async () => {
    const people = await Promise.all(
      (['Alice', 'Bob', 'Alice', 'Bob'] as const).map(async (name) => {
        const token = await system.tokenFor(name)
        return callTool(system.mcp, 'graph_get_profile', {}, { token })
      }),
    )
    const [alice, bob] = system.seed.users
    assert.deepEqual(
      people.map(({ structuredContent }) => structuredContent?.id),
      [alice?.oid, bob?.oid, alice?.oid, bob?.oid],
    )
  })
})
