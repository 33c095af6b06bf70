import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, isLegacyRequest, Server } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { eraOf, isPlainlyModern, LEGACY } from '../../../app/mcp/eras.ts'
import { readMessage } from '../../../app/mcp/message.ts'
import { LEGACY_VERSIONS } from '../../../app/mcp/transport.ts'

const META = 'io.modelcontextprotocol'
/** Mostly the first value, which is the right one; sometimes none. */
const maybe = <Value>(right: Value, ...wrong: Value[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(right) }, fc.constantFrom(undefined, ...wrong))
const without = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** Stands for the header that agrees with the body. */
const RIGHT = 'right'

const versions = maybe('2026-07-28', '2025-11-25', '2027-01-01', 'x')
const meta = fc.record({
  [`${META}/protocolVersion`]: fc.oneof({ weight: 4, arbitrary: versions }, fc.constant(5)),
  [`${META}/clientInfo`]: maybe<unknown>({ name: 'a', version: '1' }, { name: 'a' }, 'a', {
    name: 'a',
    version: '1',
    icons: 5,
  }),
  [`${META}/clientCapabilities`]: maybe<unknown>(
    {},
    'x',
    { roots: { listChanged: true } },
    { elicitation: { form: {} } },
    { roots: 5 },
  ),
  progressToken: fc.constantFrom(undefined, 'p', 1),
  [`${META}/logLevel`]: fc.constantFrom(undefined, undefined, 'debug', 'loud'),
  'example.com/other': fc.constantFrom(undefined, undefined, 1),
})
const posted = fc
  .record({
    method: fc.constantFrom('tools/list', 'tools/call', 'server/discover', 'ping'),
    name: maybe('add', 'list'),
    meta: fc.oneof({ weight: 4, arbitrary: meta }, fc.constant(undefined)),
    headers: fc.record({
      'mcp-protocol-version': versions,
      'mcp-method': maybe(RIGHT, 'tools/list', 'tools/call'),
      'mcp-name': maybe(RIGHT, 'add', '=?base64?YWRk?='),
    }),
  })
  .filter(({ method, name }) => method !== 'tools/call' || name !== undefined)
  .map(({ method, name, meta: claimed, headers }) => {
    const named = method === 'tools/call' ? name : undefined
    const right: Record<string, string | undefined> = { 'mcp-method': method, 'mcp-name': named }
    const sent = Object.entries(headers).map(([header, value]) => [
      header,
      value === RIGHT ? right[header] : value,
    ])
    const params = without({ name: named, _meta: claimed && without(claimed) })
    return { body: { jsonrpc: '2.0', id: 1, method, params }, headers: headersOf(Object.fromEntries(sent)) }
  })

const headersOf = (fields: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value ? [[name, value]] : [])))

const request = (headers: Record<string, string>) =>
  new Request('http://localhost/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
  })

describe('the era of a message', () => {
  it('is the one that the SDK would serve it in', async () => {
    await fc.assert(
      fc.asyncProperty(posted, async ({ body, headers }) => {
        const legacy = await isLegacyRequest(request(headers), body)
        // A message that the SDK refuses as modern is one that this server hands to it as modern.
        assert.equal(eraOf(headers, readMessage(body)) === LEGACY, legacy)
      }),
    )
  })

  it('is legacy for the handshake, which the modern era does not have', () => {
    const initialize = (params: object) =>
      readMessage({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    assert.equal(eraOf({}, initialize({})), LEGACY)
    assert.equal(eraOf({ 'mcp-protocol-version': '2025-11-25' }, initialize({})), LEGACY)
    assert.notEqual(eraOf({ 'mcp-protocol-version': '2026-07-28' }, initialize({})), LEGACY)
  })

  it('knows the same legacy versions as the SDK', () => {
    assert.deepEqual(LEGACY_VERSIONS, SUPPORTED_PROTOCOL_VERSIONS)
  })

  it('is answered without the SDK only for requests that the SDK would have accepted', async () => {
    const handler = createMcpHandler(
      () => {
        const server = new Server({ name: 'a', version: '1' }, { capabilities: { tools: {} } })
        server.setRequestHandler('tools/list', () => ({ tools: [] }))
        server.setRequestHandler('tools/call', () => ({ content: [] }))
        return server
      },
      { legacy: 'reject' },
    )
    let plain = 0
    const accepted = fc.asyncProperty(posted, async ({ body, headers }) => {
      const { method } = body
      if (!method.startsWith('tools/') || !isPlainlyModern(headers, readMessage(body))) return
      plain++
      assert.equal((await handler.fetch(request(headers), { parsedBody: body })).status, 200)
    })
    await fc.assert(accepted, { numRuns: 3_000 })
    assert.ok(plain > 30)
  })
})
