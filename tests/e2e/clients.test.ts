import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { post } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
const INSPECTOR = 'http://localhost:6274'
const PAGE = 'https://inspector.contoso.com'

/** A comma separated header, in lower case. */
const names = (response: Response, header: string) =>
  (response.headers.get(header) ?? '').toLowerCase().split(/, */)

describe('clients of every kind', () => {
  let system: System
  let token: string
  before(async () => {
    system = await startSystem({ ALLOWED_ORIGINS: PAGE })
    token = await system.tokenFor('Bob')
  })
  after(() => system.stop())

  const preflight = (
    path: string,
    origin: string,
    wanted = 'authorization,content-type,mcp-protocol-version',
  ) =>
    fetch(new URL(path, system.mcp), {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': wanted,
      },
    })

  it('get their preflight answered without a token, for pages of loopback and of ALLOWED_ORIGINS', async () => {
    for (const origin of [INSPECTOR, PAGE]) {
      const response = await preflight('/mcp', origin)
      assert.equal(response.status, 204)
      assert.equal(response.headers.get('access-control-allow-origin'), origin)
      assert.deepEqual(names(response, 'access-control-allow-methods'), ['post'])
      assert.match(response.headers.get('vary') ?? '', /origin/i)
      assert.equal(response.headers.get('access-control-allow-credentials'), null)
      for (const header of [
        ...['authorization', 'content-type', 'accept', 'mcp-protocol-version', 'mcp-session-id'],
        ...['last-event-id', 'mcp-method', 'mcp-name'],
      ])
        assert.ok(names(response, 'access-control-allow-headers').includes(header), header)
    }
  })

  it('of a foreign page do not', async () => {
    for (const origin of ['https://evil.example.com', 'null', `${PAGE}.evil.example.com`]) {
      const response = await preflight('/mcp', origin)
      assert.equal(response.status, 403)
      assert.equal(response.headers.get('access-control-allow-origin'), null)
      assert.equal((await post(system.mcp, list, { token, headers: { origin } })).status, 403)
    }
  })

  it('read answers and refusals from a page: challenge, time to wait, request id', async () => {
    const headers = { origin: INSPECTOR }
    const answers = [
      [200, await post(system.mcp, list, { token, headers })],
      [401, await post(system.mcp, list, { headers })],
      [413, await post(system.mcp, ' '.repeat(40_000), { token, headers })],
      [405, await fetch(system.mcp, { headers })],
    ] as const
    for (const [status, response] of answers) {
      assert.equal(response.status, status)
      assert.equal(response.headers.get('access-control-allow-origin'), INSPECTOR)
      for (const header of ['www-authenticate', 'retry-after', 'x-request-id', 'mcp-session-id'])
        assert.ok(names(response, 'access-control-expose-headers').includes(header), header)
    }
  })

  it('of any page read the metadata, after a preflight or without', async () => {
    for (const path of [
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-protected-resource',
    ]) {
      const asked = await preflight(path, 'https://anything.example.com', 'mcp-protocol-version')
      assert.equal(asked.status, 204)
      assert.equal(asked.headers.get('access-control-allow-origin'), '*')
      assert.deepEqual(names(asked, 'access-control-allow-headers'), ['accept', 'mcp-protocol-version'])
      const headers = { origin: 'https://anything.example.com' }
      const read = await fetch(new URL(path, system.mcp), { headers })
      assert.equal(read.status, 200)
      assert.equal(read.headers.get('access-control-allow-origin'), '*')
    }
  })

  for (const accept of [
    'application/json',
    '*/*',
    'application/*',
    'Application/JSON, Text/Event-Stream',
    'application/json; charset=utf-8',
    'text/event-stream, application/json;q=0.1',
    'text/html;q=0.9, */*;q=0.1',
  ]) {
    it(`may accept ${accept}`, async () => {
      assert.equal((await post(system.mcp, list, { token, headers: { accept } })).status, 200)
    })
  }

  it('need not say what they accept', async () => {
    const { status } = await raw(['POST', '/mcp', `Host: ${new URL(system.mcp).host}`])
    assert.equal(status, 200)
  })

  it('send exactly one Host header, to any route', async () => {
    const host = `Host: ${new URL(system.mcp).host}`
    for (const [method, path] of [
      ['POST', '/mcp'],
      ['GET', '/mcp'],
      ['OPTIONS', '/mcp'],
      ['GET', '/healthz'],
      ['GET', '/.well-known/oauth-protected-resource'],
      ['GET', '/nothing'],
    ] as const) {
      for (const hosts of [[host, host], [host, 'Host: evil.example.com'], []]) {
        const { status, text } = await raw([method, path, ...hosts])
        assert.equal(status, 400, `${method} ${path} ${hosts}`)
        assert.match(text, /Send exactly one Host header/)
      }
    }
  })

  it('that end the URL with a slash are told the right one', async () => {
    for (const method of ['POST', 'GET']) {
      const response = await fetch(`${system.mcp}/`, { method })
      assert.equal(response.status, 404)
      assert.deepEqual(await response.json(), {
        error: 'not_found',
        error_description: `The MCP server is at ${system.mcp}, without a slash at the end.`,
      })
    }
  })

  /** fetch() adds headers and refuses others. */
  async function raw([method = '', path = '', ...headers]: string[]) {
    const body = JSON.stringify(list)
    const socket = connect(Number(new URL(system.mcp).port), 'localhost')
    const head = [
      `${method} ${path} HTTP/1.1`,
      ...headers,
      `Authorization: Bearer ${token}`,
      'Connection: close',
    ]
    socket.write(
      `${head.join('\r\n')}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    await once(socket, 'close')
    return { status: Number(text.split(' ')[1]), text }
  }
})
