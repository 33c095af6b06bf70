import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { post } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const META = 'io.modelcontextprotocol'
const envelope = {
  [`${META}/protocolVersion`]: '2026-07-28',
  [`${META}/clientInfo`]: { name: 'test', version: '1' },
  [`${META}/clientCapabilities`]: {},
}
const server = { [`${META}/serverInfo`]: { name: 'expenses', title: 'Expenses', version: '1.0.0' } }

type Sent = { method: string; params?: unknown; headers?: Record<string, string>; body?: object }

const Told = z.object({
  id: z.union([z.number(), z.null()]),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
})

describe('the two eras on one route', () => {
  let system: System
  let bob: string
  before(async () => {
    system = await startSystem()
    bob = await system.tokenFor('Bob')
  })
  after(() => system.stop())

  async function ask({ method, params, headers = {}, body }: Sent) {
    const message = { jsonrpc: '2.0', id: 1, method, ...(params !== undefined && { params }), ...body }
    const response = await post(system.mcp, message, { token: bob, headers })
    const text = await response.text()
    // Whatever was wrong, it is said in a sentence.
    assert.doesNotMatch(text, /"path"|invalid_type|\\n/)
    return { response, text, told: Told.parse(JSON.parse(text)), line: await system.auditLine(response) }
  }

  /** As a client of 2026-07-28 would send it, but for `changes`. */
  const modern = (
    method: string,
    params: { name?: string; [other: string]: unknown } = {},
    changes: Record<string, string> = {},
  ) => ({
    method,
    params: { ...params, _meta: envelope },
    headers: {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(params.name && { 'mcp-name': params.name }),
      ...changes,
    },
  })

  it('discovers: versions, capabilities, whose it is, and how long that may be kept by one user', async () => {
    const { told, line } = await ask(modern('server/discover'))
    const { instructions, ...result } = told.result ?? {}
    assert.match(String(instructions), /signed-in caller/)
    assert.deepEqual(result, {
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      resultType: 'complete',
      ttlMs: 60_000,
      cacheScope: 'private',
      _meta: server,
    })
    assert.equal(line.decision, 'accept')
  })

  it('lists the same tools in both eras; the modern list is private and may be kept for a minute', async () => {
    const [old, young] = [await ask({ method: 'tools/list' }), await ask(modern('tools/list'))]
    assert.deepEqual(Object.keys(old.told.result ?? {}), ['tools'])
    assert.deepEqual(young.told.result, {
      ...old.told.result,
      resultType: 'complete',
      ttlMs: 60_000,
      cacheScope: 'private',
      _meta: server,
    })
    assert.deepEqual([old.line.reason, young.line.reason], ['list', 'list'])
  })

  it('calls the same tools in both eras, through the same judge', async () => {
    const call = { name: 'get_user_expenses', arguments: {} }
    const [old, young] = [
      await ask({ method: 'tools/call', params: call }),
      await ask(modern('tools/call', call)),
    ]
    assert.deepEqual(young.told.result, { ...old.told.result, resultType: 'complete', _meta: server })
    for (const { line } of [old, young])
      assert.deepEqual([line.decision, line.tool], ['accept', 'get_user_expenses'])
    const hidden = await ask(modern('tools/call', { name: 'get_expense_stats' }))
    assert.deepEqual(hidden.told.error, { code: -32602, message: 'Unknown tool: get_expense_stats' })
    assert.deepEqual([hidden.response.status, hidden.line.decision], [200, 'deny:group'])
  })

  it('takes a tool name in Base64, as the specification lets clients send it', async () => {
    const encode = (name: string) => `=?base64?${Buffer.from(name).toString('base64')}?=`
    const call = { name: 'get_user_expenses', arguments: null }
    const { told } = await ask(modern('tools/call', call, { 'mcp-name': encode(call.name) }))
    assert.ok(told.result?.structuredContent)
    const unknown = await ask(modern('tools/call', { name: 'nope' }, { 'mcp-name': encode('nope') }))
    assert.deepEqual(unknown.told.error, { code: -32602, message: 'Unknown tool: nope' })
  })

  it('ends a subscription at once: its list of tools never changes during one', async () => {
    const { method, params, headers } = modern('subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    const response = await post(
      system.mcp,
      { jsonrpc: '2.0', id: 1, method, params },
      { token: bob, headers },
    )
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
    assert.match(await response.text(), /acknowledged.*"resultType":"complete"/s)
  })

  const call = { name: 'get_user_expenses' }
  const refusals: [string, Sent, number, number, string][] = [
    [
      'no Mcp-Method',
      { ...modern('tools/list'), headers: { 'mcp-protocol-version': '2026-07-28' } },
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'another Mcp-Method',
      modern('tools/list', {}, { 'mcp-method': 'tools/call' }),
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'no Mcp-Name',
      { ...modern('tools/call', call), headers: modern('tools/call').headers },
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'another Mcp-Name',
      modern('tools/call', call, { 'mcp-name': 'add_user_expense' }),
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'a broken Base64 Mcp-Name',
      modern('tools/call', call, { 'mcp-name': '=?base64?%?=' }),
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'no MCP-Protocol-Version',
      { ...modern('tools/list'), headers: { 'mcp-method': 'tools/list' } },
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'a legacy MCP-Protocol-Version',
      modern('tools/list', {}, { 'mcp-protocol-version': '2025-11-25' }),
      400,
      -32020,
      'header_mismatch',
    ],
    [
      'an unknown version',
      {
        ...modern('tools/list', {}, { 'mcp-protocol-version': '2030-01-01' }),
        params: { _meta: { ...envelope, [`${META}/protocolVersion`]: '2030-01-01' } },
      },
      400,
      -32022,
      'protocol_version',
    ],
    [
      'a modern header without an envelope',
      { ...modern('tools/list'), params: {} },
      400,
      -32602,
      'invalid_params',
    ],
    [
      'an envelope without capabilities',
      { ...modern('tools/list'), params: { _meta: { [`${META}/protocolVersion`]: '2026-07-28' } } },
      400,
      -32602,
      'invalid_params',
    ],
    [
      'malformed capabilities',
      {
        ...modern('tools/list'),
        params: { _meta: { ...envelope, [`${META}/clientCapabilities`]: { roots: 5 } } },
      },
      400,
      -32602,
      'invalid_params',
    ],
    ['the handshake of the legacy era', modern('initialize'), 404, -32601, 'unknown_method'],
    ['ping, which the modern era does not have', modern('ping'), 404, -32601, 'unknown_method'],
    ['an unknown method', modern('tools/drop'), 404, -32601, 'unknown_method'],
    [
      'a modern cursor that it never gave out',
      modern('tools/list', { cursor: 'next' }),
      200,
      -32602,
      'invalid_params',
    ],
    [
      'modern arguments that are no object',
      modern('tools/call', { ...call, arguments: [] }),
      200,
      -32602,
      'invalid_params',
    ],
    [
      'initialize without clientInfo',
      { method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {} } },
      200,
      -32602,
      'invalid_params',
    ],
    ['initialize without params', { method: 'initialize' }, 200, -32602, 'invalid_params'],
    [
      'initialize with capabilities that are no object',
      {
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: 5, clientInfo: { name: 'a', version: '1' } },
      },
      200,
      -32602,
      'invalid_params',
    ],
    ['tools/call without params', { method: 'tools/call' }, 200, -32602, 'invalid_params'],
    [
      'tools/call with a name that is no string',
      { method: 'tools/call', params: { name: 5 } },
      200,
      -32602,
      'invalid_params',
    ],
    [
      'tools/call with arguments that are no object',
      { method: 'tools/call', params: { ...call, arguments: 'x' } },
      200,
      -32602,
      'invalid_params',
    ],
    [
      'tools/list with a cursor that is no string',
      { method: 'tools/list', params: { cursor: 5 } },
      200,
      -32602,
      'invalid_params',
    ],
    ['params that are a list', { method: 'tools/list', params: [] }, 200, -32602, 'invalid_params'],
    [
      '_meta that is no object',
      { method: 'tools/list', params: { _meta: 5 } },
      200,
      -32602,
      'invalid_params',
    ],
    [
      'a progress token that is an object',
      { method: 'tools/list', params: { _meta: { progressToken: {} } } },
      200,
      -32602,
      'invalid_params',
    ],
    [
      'a ping with a malformed task',
      { method: 'ping', params: { _meta: { [`${META}/related-task`]: 5 } } },
      200,
      -32602,
      'invalid_params',
    ],
  ]
  for (const [name, sent, status, code, reason] of refusals) {
    it(`refuses ${name} with ${code}`, async () => {
      const { response, told, line } = await ask(sent)
      assert.deepEqual([response.status, told.id, told.error?.code], [status, 1, code])
      assert.deepEqual([line.decision, line.reason], ['deny:request', reason])
    })
  }

  for (const [name, body] of Object.entries({
    'an id that is null': { id: null },
    'an id that is a fraction': { id: 1.5 },
    'an id that is an object': { id: {} },
    'a method that is no string': { method: 5 },
    'another JSON-RPC': { jsonrpc: '1.0' },
    'a member that JSON-RPC does not have': { extra: 1 },
  })) {
    it(`refuses ${name} as no message`, async () => {
      const { response, told } = await ask({ method: 'tools/list', body })
      assert.deepEqual([response.status, told.id, told.error?.code], [400, null, -32600])
    })
  }

  it('takes null for absent: params, arguments and cursor', async () => {
    for (const sent of [
      { method: 'tools/list', params: null },
      { method: 'tools/list', params: { cursor: null } },
      { method: 'ping', params: null },
      modern('tools/list', { cursor: null }),
      { method: 'tools/call', params: { ...call, arguments: null } },
      modern('tools/call', { ...call, arguments: null }),
    ]) {
      const { told } = await ask(sent)
      assert.ok(told.result, JSON.stringify(sent))
      assert.notEqual(told.result?.isError, true)
    }
  })

  it('says 404 for unknown methods in the modern era only, and acknowledges what asks nothing', async () => {
    const { response, told } = await ask({ method: 'tools/drop' })
    assert.deepEqual([response.status, told.error?.code], [200, -32601])
    for (const message of [
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', method: 'tools/call', params: { name: 'add_user_expense' } },
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: envelope } },
    ]) {
      const answer = await post(system.mcp, message, { token: bob })
      assert.deepEqual([answer.status, await answer.text()], [202, ''])
    }
    const { method, params, headers } = modern('tools/list')
    const silent = await post(system.mcp, { jsonrpc: '2.0', method, params }, { token: bob, headers })
    assert.deepEqual([silent.status, await silent.text()], [202, ''])
  })
})
