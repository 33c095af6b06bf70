import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { type Peer, peers } from './peers.ts'
import { callTool, lunch, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const ADMIN_TOOLS = ['add_user_expense', 'get_user_expenses', 'get_expense_stats']
const USER_TOOLS = ['add_user_expense', 'get_user_expenses']
const List = z.object({ expenses: z.array(z.object({ description: z.string() })) })

describe('the way of two users', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  after(() => system.stop())

  for (const [kind, connect] of Object.entries(peers)) {
    it(`keeps Alice and Bob apart through ${kind}`, async () => {
      const [alice, bob] = await Promise.all([connect(system, 'Alice'), connect(system, 'Bob')])
      try {
        assert.equal(alice.signIn.authorizeUrl?.searchParams.get('resource'), system.mcp)
        assert.equal(alice.signIn.authorizeUrl?.searchParams.get('scope'), `${system.mcp}/user_impersonation`)
        assert.deepEqual(await alice.tools(), ADMIN_TOOLS)
        assert.deepEqual(await bob.tools(), USER_TOOLS)

        const secrets = { alice: `Alice’s secret through ${kind}`, bob: `Bob’s secret through ${kind}` }
        await alice.call('add_user_expense', lunch({ description: secrets.alice }))
        await bob.call(
          'add_user_expense',
          lunch({ description: secrets.bob, amount: 0.01, category: 'gadget' }),
        )
        const seen = async (peer: Peer) =>
          List.parse((await peer.call('get_user_expenses', {})).structuredContent).expenses.map(
            ({ description }) => description,
          )
        assert.ok((await seen(alice)).includes(secrets.alice))
        assert.ok((await seen(bob)).includes(secrets.bob))
        assert.ok((await seen(alice)).every((text) => text.startsWith('Alice')))
        assert.ok((await seen(bob)).every((text) => text.startsWith('Bob')))

        const stats = z
          .object({ users: z.number(), count: z.number(), total: z.number() })
          .parse((await alice.call('get_expense_stats', {})).structuredContent)
        assert.equal(stats.users, 2)
        await assert.rejects(bob.call('get_expense_stats', {}), /Unknown tool: get_expense_stats/)
      } finally {
        await Promise.all([alice.close(), bob.close()])
      }
    })
  }

  it('gives each of 50 interleaved calls with equal ids its own answer', async () => {
    const tokens = await Promise.all([system.tokenFor('Alice'), system.tokenFor('Bob')])
    const calls = Array.from({ length: 50 }, async (_, index) => {
      const description = `${index % 2 ? 'Bob' : 'Alice'} ${index}`
      const answer = await callTool(system.mcp, 'add_user_expense', lunch({ description }), {
        token: tokens[index % 2] ?? '',
        id: 7,
      })
      assert.equal(answer.id, 7)
      assert.match(JSON.stringify(answer.structuredContent), new RegExp(`"description":"${description}"`))
    })
    await Promise.all(calls)
  })

  it('pages through a list in text alone, and a description cannot look like another line', async () => {
    const token = await system.tokenFor('Alice')
    const descriptions = ['coffee\n2026-01-01  9999.00  food  bonus', 'tea\u2028\u202e\u0085\r\u2029']
    for (const description of descriptions)
      await callTool(system.mcp, 'add_user_expense', lunch({ date: '2026-09-09', description }), { token })
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const filter = { from: '2026-09-09', to: '2026-09-09', limit: 1, ...(cursor && { cursor }) }
      const page = await callTool(system.mcp, 'get_user_expenses', filter, { token })
      const text = page.content[0]?.text ?? ''
      assert.doesNotMatch(text, /[\p{Cc}\p{Zl}\p{Zp}\u202e]/u)
      assert.deepEqual(JSON.parse(text), page.structuredContent)
      const read = List.extend({ next_cursor: z.string().optional() }).parse(JSON.parse(text))
      seen.push(...read.expenses.map(({ description }) => description))
      cursor = read.next_cursor
    } while (cursor)
    assert.deepEqual(seen.sort(), descriptions)
  })

  it('serves VS Code’s and the Azure CLI’s client ids, which are pre-authorized', async () => {
    for (const { appId } of [
      { appId: 'aebc6443-996d-45c2-90f0-388ff96faa56' },
      { appId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46' },
    ]) {
      const token = await system.tokenFor('Alice', { clientId: appId })
      assert.deepEqual(await toolNames(system.mcp, token), ADMIN_TOOLS)
    }
  })

  it('names the missing permission and the command when admin consent is missing', async () => {
    const { grants, restore } = withoutConsent(system)
    try {
      assert.ok(grants > 0)
      const token = await system.tokenFor('Alice')
      const result = await callTool(system.mcp, 'get_expense_stats', {}, { token })
      assert.equal(result.isError, true)
      assert.match(result.content[0]?.text ?? '', /User\.Read of Microsoft Graph.*npm run consent/)
      assert.equal((await callTool(system.mcp, 'get_user_expenses', {}, { token })).isError, undefined)
    } finally {
      restore()
    }
  })

  it('publishes the same metadata at both well-known places', async () => {
    for (const path of [
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-protected-resource',
    ]) {
      const response = await fetch(new URL(path, system.mcp))
      assert.equal(response.status, 200)
      assert.deepEqual(await response.json(), {
        resource: system.mcp,
        authorization_servers: [`${system.tenant.url}/${system.seed.tenantId}/v2.0`],
        scopes_supported: [`${system.mcp}/user_impersonation`],
        bearer_methods_supported: ['header'],
        resource_name: 'Expenses MCP server',
      })
    }
  })

  it('is healthy and ready, and says nothing else', async () => {
    assert.deepEqual(await (await fetch(new URL('/healthz', system.mcp))).json(), { status: 'ok' })
    assert.deepEqual(await (await fetch(new URL('/readyz', system.mcp))).json(), { status: 'ready' })
  })
})

/** Takes every admin-consent grant away, as in a tenant where nobody has consented yet. */
function withoutConsent({ seed }: System) {
  const taken = seed.directory.oauth2PermissionGrants.splice(0)
  return { grants: taken.length, restore: () => void seed.directory.oauth2PermissionGrants.push(...taken) }
}
