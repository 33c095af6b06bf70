import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { STALLS, type Stalling, startStalling } from '../app/stalling.ts'
import { callTool, lunch, post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const USER_TOOLS = ['add_user_expense', 'get_user_expenses']

describe('a server whose services stop in the middle of an answer', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  after(() => system.stop())

  it('answers everybody who waits for the same answer, and whoever asks with another token meanwhile', async () => {
    const [older, newer, bob] = [
      await system.tokenFor('Alice'),
      await system.tokenFor('Alice'),
      await system.tokenFor('Bob'),
    ]
    const stalled = system.tenant.faults.on('obo', { stall: true, times: 1 })
    const stats = (token: string) => callTool(system.mcp, 'get_expense_stats', {}, { token })
    const waiting = [stats(older), stats(older), toolNames(system.mcp, older)] as const
    await stalled.reached(1)
    assert.equal((await stats(newer)).isError, undefined)
    system.tenant.faults.on('graph', { stall: true })
    const others = stats(bob)
    const [first, second, names] = await Promise.all(waiting)
    for (const { content } of [first, second])
      assert.match(
        content[0]?.text ?? '',
        /^This tool is refused for now: Microsoft Entra ID is not available/,
      )
    assert.deepEqual(names, USER_TOOLS)
    assert.match((await others).content[0]?.text ?? '', /Microsoft Graph is not available/)
  })

  it('says 503 when these are the signing keys', async () => {
    const token = await system.tokenFor('Bob')
    system.tenant.faults.on('keys', { stall: true })
    await system.restart()
    const { status } = await post(system.mcp, { jsonrpc: '2.0', id: 1, method: 'ping' }, { token })
    assert.equal(status, 503)
  })
})

for (const stall of STALLS) {
  describe(`a server whose managed identity's endpoint stalls in its ${stall}`, () => {
    let identity: Stalling
    let system: System
    before(async () => {
      identity = await startStalling(stall)
      // With an https address and without a key the store asks the managed identity for a token, as it does in Azure.
      system = await startSystem({
        IDENTITY_ENDPOINT: identity.url,
        COSMOS_ENDPOINT: 'https://localhost:1',
        COSMOS_KEY: '',
      })
    })
    after(async () => {
      await system.stop()
      await identity.close()
    })

    it('answers each request before its client gives up, and says when to come back', async () => {
      const token = await system.tokenFor('Alice')
      const ready = fetch(new URL('/readyz', system.mcp))
      const [list, add, stats, tools] = await Promise.all([
        callTool(system.mcp, 'get_user_expenses', {}, { token }),
        callTool(system.mcp, 'add_user_expense', lunch(), { token }),
        callTool(system.mcp, 'get_expense_stats', {}, { token }),
        toolNames(system.mcp, token),
      ])
      for (const { content } of [list, add])
        assert.match(content[0]?.text ?? '', /^The expenses cannot be reached .* Try again in \d+ seconds/)
      assert.match(stats.content[0]?.text ?? '', /identity is not available\. Try again in \d+ seconds/)
      assert.deepEqual(tools, USER_TOOLS)
      assert.equal((await ready).status, 503)
      const { status } = await post(system.mcp, { jsonrpc: '2.0', id: 1, method: 'ping' }, { token })
      assert.equal(status, 200)
    })
  })
}
