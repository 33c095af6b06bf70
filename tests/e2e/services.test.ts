import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { callTool, lunch, post, rpc, toolNames } from './rpc.ts'
import { addService, type ServiceApp } from './service-app.ts'
import { type System, startSystem } from './system.ts'

const REPORT = 'Expenses.Report'
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
const Refusal = z.object({ error: z.string(), error_description: z.string() })

describe('a service', () => {
  let system: System
  let report: ServiceApp
  let token: string
  before(async () => {
    system = await startSystem()
    report = addService(system, [REPORT])
    token = await report.token()
  })
  after(() => system.stop())

  /** Claims of the service's own token with changes; undefined removes one. */
  const tokenWith = (changes: Record<string, unknown>) =>
    system.tenant.sign({ ...decodeJwt(token), ...changes })

  const auditOf = async (response: Response) => {
    const { decision, reason, oid, caller, client, tool, obo, status } = await system.auditLine(response)
    return { decision, reason, oid, caller, client, tool, obo, status }
  }
  const itself = () => ({ oid: report.principalId, caller: 'service', client: report.appId })

  /** 403 without a challenge: nothing that a service could ask for would help. */
  async function barred(bearer: string, reason: string, said: RegExp, message: unknown = list) {
    const response = await post(system.mcp, message, { token: bearer })
    assert.equal(response.status, 403)
    assert.equal(response.headers.get('www-authenticate'), null)
    const { error, error_description } = Refusal.parse(await response.json())
    assert.equal(error, 'access_denied')
    assert.match(error_description, said)
    const { decision, reason: told, caller } = await auditOf(response)
    assert.deepEqual([decision, told, caller], ['deny:rbac', reason, 'service'])
  }

  it('with the role is offered the statistics and nothing else, and no exchange is tried', async () => {
    const { response, answer } = await rpc(system.mcp, 'tools/list', {}, { token })
    const names = z.object({ tools: z.array(z.object({ name: z.string() })) }).parse(answer.result)
    assert.deepEqual(
      names.tools.map(({ name }) => name),
      ['get_expense_stats'],
    )
    assert.deepEqual(await auditOf(response), {
      ...itself(),
      decision: 'accept',
      reason: 'list',
      tool: undefined,
      obo: undefined,
      status: 200,
    })
    assert.equal(system.tenant.counters.obo, 0)
  })

  it('reads the statistics; the audit names the client, and nobody else', async () => {
    const alice = await system.tokenFor('Alice')
    await callTool(system.mcp, 'add_user_expense', lunch({ description: 'Secret dinner' }), { token: alice })
    const params = { name: 'get_expense_stats', arguments: {} }
    const { response, answer } = await rpc(system.mcp, 'tools/call', params, { token })
    const { structuredContent } = z
      .object({ structuredContent: z.object({ count: z.number(), users: z.number() }) })
      .parse(answer.result)
    assert.deepEqual([structuredContent.users, structuredContent.count], [1, 1])
    assert.doesNotMatch(JSON.stringify(answer), /Secret dinner|a11ce000/)
    assert.deepEqual(await auditOf(response), {
      ...itself(),
      decision: 'accept',
      reason: 'tool',
      tool: 'get_expense_stats',
      obo: undefined,
      status: 200,
    })
  })

  it('is served in both protocol eras alike', async () => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'report', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }
    const modern = { ...list, params: { _meta } }
    const answer = await (await post(system.mcp, modern, { token, headers })).text()
    assert.match(answer, /"name":"get_expense_stats"/)
    assert.doesNotMatch(answer, /"name":"(add_user_expense|get_user_expenses)"/)
  })

  it('may call no tool of people: it owns no expenses', async () => {
    const before = system.tenant.counters.obo
    const asked = { ...system.cosmos.counters.operations }
    for (const [name, args] of [
      ['add_user_expense', lunch()],
      ['get_user_expenses', {}],
    ] as const) {
      const { response, answer } = await rpc(system.mcp, 'tools/call', { name, arguments: args }, { token })
      const { isError, content } = z
        .object({ isError: z.literal(true), content: z.tuple([z.object({ text: z.string() })]) })
        .parse(answer.result)
      assert.ok(isError)
      assert.match(content[0].text, /This tool is for people.*a service has none/)
      const { decision, reason, tool } = await auditOf(response)
      assert.deepEqual([decision, reason, tool], ['deny:rbac', 'not_for_this_service', name])
    }
    assert.equal(system.tenant.counters.obo, before)
    assert.deepEqual(system.cosmos.counters.operations, asked)
  })

  it('hears of an unknown tool what everybody hears', async () => {
    const { answer } = await rpc(system.mcp, 'tools/call', { name: 'drop', arguments: {} }, { token })
    assert.deepEqual(answer.error, { code: -32602, message: 'Unknown tool: drop' })
  })

  it('without the role is refused, whatever it asks, and told which role it needs', async () => {
    const other = await addService(system).token()
    const needs = /needs one of these app roles: Expenses\.Report\. Ask an administrator/
    await barred(other, 'service_role_missing', needs)
    const call = { ...list, method: 'tools/call', params: { name: 'get_expense_stats', arguments: {} } }
    await barred(other, 'service_role_missing', needs, call)
    await barred(other, 'service_role_missing', needs, {
      jsonrpc: '2.0',
      method: 'notifications/initialized',
    })
    for (const roles of [['expenses.report'], ['Expenses.Report '], ['Expenses'], []])
      await barred(await tokenWith({ roles }), 'service_role_missing', needs)
  })

  it('is nobody when it is the API app itself, which Entra gives a token without any assignment', async () => {
    const { directory } = system.tenant
    const api = directory.application(system.seed.apiAppId)
    assert.ok(api)
    const { secretText } = directory.addPassword(api, 'test', new Date(Date.now() + 60_000))
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: api.appId,
      client_secret: secretText,
      scope: `${system.mcp}/.default`,
    })
    const url = `${system.tenant.url}/${system.seed.tenantId}/oauth2/v2.0/token`
    const answer: unknown = await (await fetch(url, { method: 'POST', body })).json()
    const { access_token } = z.object({ access_token: z.string() }).parse(answer)
    await barred(access_token, 'service_role_missing', /Expenses\.Report/)
  })

  it('whose role was taken away gets no token any more', async () => {
    const former = addService(system, [REPORT])
    assert.deepEqual(await toolNames(system.mcp, await former.token()), ['get_expense_stats'])
    former.unassign()
    await assert.rejects(former.token(), /400/)
  })

  it('gets nothing with a token that is a person’s as well, or names no client', async () => {
    for (const [changes, claim] of [
      [{ scp: 'user_impersonation' }, 'scp'],
      [{ scp: '' }, 'scp'],
      [{ azp: undefined }, 'azp'],
      [{ azp: 'report' }, 'azp'],
      [{ oid: undefined }, 'oid'],
      [{ roles: REPORT }, 'roles'],
      [{ idtyp: undefined }, 'scp'],
      [{ tid: crypto.randomUUID() }, 'tid'],
      [{ ver: '1.0' }, 'ver'],
      [{ aud: crypto.randomUUID() }, 'aud'],
    ] as const) {
      const response = await post(system.mcp, list, { token: await tokenWith(changes) })
      assert.equal(response.status, 401, claim)
      const { decision, reason } = await auditOf(response)
      assert.deepEqual([decision, reason], ['deny:token', claim])
    }
  })

  it('is not what a person with the same role in the token is', async () => {
    const own = decodeJwt(await system.tokenFor('Bob'))
    const bob = await system.tenant.sign({ ...own, roles: [REPORT] })
    assert.deepEqual(await toolNames(system.mcp, bob), ['add_user_expense', 'get_user_expenses'])
    const { answer } = await rpc(
      system.mcp,
      'tools/call',
      { name: 'get_expense_stats', arguments: {} },
      { token: bob },
    )
    assert.match(answer.error?.message ?? '', /Unknown tool/)
  })

  it('must be an allowed client where the server names them, role or not', async () => {
    const allowed = addService(system, [REPORT])
    const few = await startSystem({ ALLOWED_CLIENTS: allowed.appId })
    try {
      const stranger = addService(few, [REPORT])
      const response = await post(few.mcp, list, { token: await stranger.token() })
      assert.equal(response.status, 403)
      assert.equal((await few.auditLine(response)).reason, 'client_not_allowed')
      const own = decodeJwt(await stranger.token())
      const known = await few.tenant.sign({ ...own, azp: allowed.appId.toUpperCase() })
      assert.deepEqual(await toolNames(few.mcp, known), ['get_expense_stats'])
    } finally {
      await few.stop()
    }
  })

  it('is bounded as a user is, and shares no bound with one', async () => {
    const slow = await startSystem({ RATE_LIMIT_PER_MINUTE: '2' })
    try {
      const service = addService(slow, [REPORT])
      const bearer = await service.token()
      for (const status of [200, 200, 429])
        assert.equal((await post(slow.mcp, list, { token: bearer })).status, status)
      assert.equal((await post(slow.mcp, list, { token: await slow.tokenFor('Bob') })).status, 200)
    } finally {
      await slow.stop()
    }
  })
})
