import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { z } from 'zod'
import { callTool, lunch, post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
const statsCall = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'get_expense_stats', arguments: {} },
}
const USER_TOOLS = ['add_user_expense', 'get_user_expenses']
const Stats = z.object({ users: z.int(), count: z.int(), total: z.number() })
const Page = z.object({
  expenses: z.array(z.object({ id: z.string(), amount: z.number() })),
  next_cursor: z.string().optional(),
})

describe('when the platform fails, the server', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  afterEach(() => {
    system.tenant.faults.clear()
    system.cosmos.faults.clear()
  })
  after(() => system.stop())

  /** A new sign-in: nothing about this token is cached anywhere. */
  const fresh = (name: 'Alice' | 'Bob' = 'Alice') =>
    system.tenant.tokenFor({
      user: name,
      clientId: system.seed.clientId,
      scope: `${system.mcp}/user_impersonation`,
      resource: system.mcp,
    })
  const textOf = (result: { content: { text: string }[] }) => result.content.map(({ text }) => text).join()

  it('takes tokens of the old and the new key during a rotation under load', async () => {
    const ask = async (token: string) => (await post(system.mcp, list, { token })).status
    const before = await fresh('Bob')
    const load = Array.from({ length: 50 }, () => ask(before))
    await system.tenant.rotateKeys()
    const rotated = await fresh('Bob')
    load.push(...Array.from({ length: 50 }, () => [ask(before), ask(rotated)]).flat())
    assert.deepEqual([...new Set(await Promise.all(load))], [200])
    assert.ok(system.tenant.counters.keys <= 3)
  })

  it('answers many readiness probes with one look at its surroundings', async () => {
    await system.restart()
    const looks = () => system.cosmos.counters.operations.container ?? 0
    const before = looks()
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(new URL('/readyz', system.mcp))))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.equal(looks() - before, 1)
  })

  it('goes on with the keys it has while the key endpoint is down', async () => {
    const token = await fresh('Bob')
    assert.equal((await post(system.mcp, list, { token })).status, 200)
    system.tenant.faults.on('keys', { status: 503 })
    assert.equal((await post(system.mcp, list, { token })).status, 200)
  })

  it('answers 503 with Retry-After, never 401, when it starts without keys', async () => {
    const token = await fresh('Bob')
    system.tenant.faults.on('keys', { status: 503 })
    await system.restart()
    const response = await post(system.mcp, list, { token })
    assert.equal(response.status, 503)
    assert.equal(response.headers.get('retry-after'), '5')
    assert.equal((await fetch(new URL('/readyz', system.mcp))).status, 503)
    assert.equal((await fetch(new URL('/healthz', system.mcp))).status, 200)
    system.tenant.faults.clear()
    await system.restart()
    assert.equal((await post(system.mcp, list, { token })).status, 200)
  })

  for (const [name, fault] of Object.entries({
    'busy (429)': { status: 429, retryAfter: 20 },
    'failing (5xx)': { status: 503 },
    'cutting connections': { close: true },
  } as const)) {
    it(`refuses admin tools with a reason while the token endpoint is ${name}, and everything else works`, async () => {
      const token = await fresh()
      system.tenant.faults.on('obo', fault)
      const refused = await callTool(system.mcp, 'get_expense_stats', {}, { token })
      assert.equal(refused.isError, true)
      assert.match(textOf(refused), /Microsoft Entra ID is not available\. Try again in \d+ seconds/)
      const other = await fresh()
      assert.deepEqual(await toolNames(system.mcp, other), USER_TOOLS)
      assert.equal((await callTool(system.mcp, 'get_user_expenses', {}, { token })).isError, undefined)
    })
  }

  it('fails closed while Microsoft Graph is down: admin tools vanish, the others stay', async () => {
    await system.restart()
    const token = await fresh()
    const fault = system.tenant.faults.on('graph', { status: 429, retryAfter: 60 })
    assert.deepEqual(await toolNames(system.mcp, token), USER_TOOLS)
    const response = await post(system.mcp, statsCall, { token })
    assert.match(await response.text(), /Microsoft Graph is not available\. Try again in 60 seconds/)
    const line = await system.auditLine(response)
    assert.deepEqual([line.decision, line.reason], ['deny:group', 'membership_unknown'])
    assert.equal((await callTool(system.mcp, 'add_user_expense', lunch(), { token })).isError, undefined)
    fault.clear()
    assert.equal((await toolNames(system.mcp, await fresh())).length, 3)
  })

  it('keeps serving everything else when its own credential is wrong, and logs the code of the refusal', async () => {
    const misconfigured = await startSystem({ AZURE_CLIENT_ID: crypto.randomUUID() })
    try {
      const token = await misconfigured.tokenFor('Alice')
      assert.deepEqual(await toolNames(misconfigured.mcp, token), USER_TOOLS)
      const response = await post(misconfigured.mcp, statsCall, { token })
      assert.equal(response.status, 200)
      assert.match(
        await response.text(),
        /The tool failed\. The operator finds the cause under request [0-9a-f-]{36}/,
      )
      const line = await misconfigured.auditLine(response)
      assert.deepEqual([line.decision, line.reason], ['deny:rbac', 'downstream_failed'])
      assert.ok(
        misconfigured.lines().some((text) => /"level":"error".*ExchangeFailed \(code \w+\)/.test(text)),
      )
    } finally {
      await misconfigured.stop()
    }
  })

  it('waits for a slow Graph within its deadline', async () => {
    await system.restart()
    const token = await fresh()
    const fault = system.tenant.faults.on('graph', { hang: true, times: 1 })
    const answer = toolNames(system.mcp, token)
    await fault.reached(1)
    fault.release()
    assert.equal((await answer).length, 3)
  })

  it('rides out 429, 449 and 412 of Cosmos', async () => {
    const token = await fresh('Bob')
    for (const status of [429, 449, 412] as const) {
      system.cosmos.faults.inject('batch', { status })
      assert.equal(
        (await callTool(system.mcp, 'add_user_expense', lunch({ amount: 1 }), { token })).isError,
        undefined,
      )
    }
  })

  it('says when to come back while Cosmos is down, without the cause', async () => {
    const token = await fresh('Bob')
    system.cosmos.faults.inject('query', { status: 503 }, 100)
    const result = await callTool(system.mcp, 'get_user_expenses', {}, { token })
    assert.equal(result.isError, true)
    assert.match(textOf(result), /^The expenses cannot be reached at the moment. Try again in \d+ seconds\.$/)
    system.cosmos.faults.inject('batch', { status: 503 }, 100)
    const add = await callTool(system.mcp, 'add_user_expense', lunch(), { token })
    assert.match(textOf(add), /\d+ seconds; before you repeat an add without an idempotency_key, list/)
  })

  it('stays in rotation while Cosmos is away, answers the sign-in and says when to come back', async () => {
    await system.restart()
    const ready = async () => (await fetch(new URL('/readyz', system.mcp))).status
    assert.equal(await ready(), 200)
    for (const operation of ['account', 'container', 'query', 'batch'] as const)
      system.cosmos.faults.inject(operation, { status: 503 }, 100)
    assert.equal(await ready(), 200)
    const token = await fresh()
    assert.equal((await toolNames(system.mcp, token)).length, 3)
    const { content } = await callTool(system.mcp, 'get_user_expenses', {}, { token })
    assert.match(content[0]?.text ?? '', /Try again in \d+ seconds/)
    assert.equal((await post(system.mcp, list)).status, 401)
  })

  it('loses and doubles nothing when it is killed in the middle of 200 adds with idempotency keys', async () => {
    const token = await fresh('Bob')
    const before = await everything(token)
    const add = (index: number) =>
      callTool(
        system.mcp,
        'add_user_expense',
        lunch({ amount: (index + 1) / 100, idempotency_key: `kill-${index}` }),
        { token },
      )
    const first = Array.from({ length: 200 }, (_, index) => add(index).catch(() => undefined))
    await Promise.race(first)
    await system.kill()
    await Promise.all(first)
    await system.restart()
    for (let start = 0; start < 200; start += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => add(start + index)))
      assert.ok(answers.every(({ isError }) => isError === undefined))
    }
    const all = await everything(token)
    assert.equal(all.length - before.length, 200)
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
    await assertSummariesAgree(token)
  })

  async function everything(token: string) {
    const all: z.infer<typeof Page>['expenses'] = []
    let cursor: string | undefined
    do {
      const page = Page.parse(
        (
          await callTool(
            system.mcp,
            'get_user_expenses',
            { limit: 200, ...(cursor && { cursor }) },
            { token },
          )
        ).structuredContent,
      )
      all.push(...page.expenses)
      cursor = page.next_cursor
    } while (cursor)
    return all
  }

  /** The statistics, which read summaries only, equal the sum of all expenses. */
  async function assertSummariesAgree(bob: string) {
    const alice = await fresh()
    const expenses = [...(await everything(bob)), ...(await everything(alice))]
    const stats = Stats.parse(
      (await callTool(system.mcp, 'get_expense_stats', {}, { token: alice })).structuredContent,
    )
    const cents = expenses.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0)
    assert.equal(stats.count, expenses.length)
    assert.equal(Math.round(stats.total * 100), cents)
  }
})
