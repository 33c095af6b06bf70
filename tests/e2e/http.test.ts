import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { post } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
const Told = z.looseObject({ error: z.string(), error_description: z.string() })

describe('HTTP that is none, or too much', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  after(() => system.stop())

  /** Everything that is answered on one connection, to its end. */
  async function raw(lines: string[]) {
    const { port } = new URL(system.mcp)
    const socket = connect(Number(port), 'localhost').on('error', () => undefined)
    socket.write(lines.join('\r\n'))
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    await once(socket, 'close')
    const [head = '', ...body] = text.split('\r\n\r\n')
    const id = /^x-request-id: (\S+)$/im.exec(head)?.[1]
    return { status: Number(head.split(' ')[1]), head, body: body.join(''), id }
  }
  const host = () => `Host: ${new URL(system.mcp).host}`

  /** A token of Bob's with so many groups, as Entra issues it. */
  async function tokenWithGroups(groups: number): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    return system.tenant.sign({
      aud: system.seed.apiAppId,
      iss: `${system.tenant.url}/${system.seed.tenantId}/v2.0`,
      iat: now,
      nbf: now,
      exp: now + 3600,
      tid: system.seed.tenantId,
      oid: system.seed.users[1]?.oid,
      ver: '2.0',
      scp: 'user_impersonation',
      groups: Array.from({ length: groups }, () => crypto.randomUUID()),
    })
  }

  it('a token of 17 KB and one of 25 KB are read', async () => {
    for (const [groups, kilobytes] of [
      [320, 16],
      [480, 24],
    ] as const) {
      const token = await tokenWithGroups(groups)
      assert.ok(token.length > kilobytes * 1024)
      assert.equal((await post(system.mcp, list, { token })).status, 200)
    }
  })

  it('headers of more than 32 KiB are 431, as JSON and with an audit line', async () => {
    const response = await post(system.mcp, list, { token: await tokenWithGroups(700) })
    assert.equal(response.status, 431)
    assert.match(Told.parse(await response.json()).error_description, /larger than 32768 bytes/)
    const line = await system.auditLine(response)
    assert.deepEqual([line.decision, line.reason, line.status], ['deny:request', 'headers_too_large', 431])
  })

  it('what is no HTTP is 400, as JSON and with an audit line', async () => {
    const { status, body, id } = await raw(['NONSENSE', '', ''])
    assert.equal(status, 400)
    assert.equal(Told.parse(JSON.parse(body)).error, 'malformed')
    const line = await system.auditLine(new Response(null, { headers: { 'x-request-id': id ?? '' } }))
    assert.deepEqual([line.reason, line.status], ['malformed', 400])
  })

  it('a broken chunk in the body of a request is 400, with the one line of that request', async () => {
    const token = await system.tokenFor('Bob')
    const head = [
      'POST /mcp HTTP/1.1',
      host(),
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
    ]
    const { status, id } = await raw([...head, 'Transfer-Encoding: chunked', '', 'nonsense', ''])
    assert.equal(status, 400)
    await system.auditLine(new Response(null, { headers: { 'x-request-id': id ?? '' } }))
    assert.equal(system.lines().filter((text) => text.includes(id ?? 'none')).length, 1)
  })

  it('a request that does not come to an end is 408, as JSON', async () => {
    const { status, body } = await raw(['POST /mcp HTTP/1.1', host(), ''])
    assert.equal(status, 408)
    assert.equal(Told.parse(JSON.parse(body)).error, 'slow')
  })

  it('an expectation that nobody can meet is 417, as JSON and with an audit line', async () => {
    const { status, body, id } = await raw([
      'POST /mcp HTTP/1.1',
      host(),
      'Expect: wonders',
      'Connection: close',
      '',
      '',
    ])
    assert.equal(status, 417)
    assert.equal(Told.parse(JSON.parse(body)).error, 'expectation_failed')
    const line = await system.auditLine(new Response(null, { headers: { 'x-request-id': id ?? '' } }))
    assert.deepEqual([line.reason, line.status], ['expectation_failed', 417])
  })
})
