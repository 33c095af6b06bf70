import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { post } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const LIMIT = 32 * 1024
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

describe('a body', () => {
  let system: System
  let token: string
  before(async () => {
    system = await startSystem()
    token = await system.tokenFor('Bob')
  })
  after(() => system.stop())

  /** A request whose body is sent by hand; the answer's head and what follows. */
  async function open(headers: string[]): Promise<{ socket: Socket; answer: Promise<string> }> {
    const { port } = new URL(system.mcp)
    const socket = connect(Number(port), 'localhost')
    await once(socket, 'connect')
    const head = [
      'POST /mcp HTTP/1.1',
      `Host: localhost:${port}`,
      'Content-Type: application/json',
      ...headers,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const answer = once(socket, 'data').then(([bytes]) => String(bytes))
    return { socket, answer }
  }
  const bearer = () => `Authorization: Bearer ${token}`

  it('of exactly 32 KiB is read', async () => {
    const response = await post(system.mcp, `${' '.repeat(LIMIT - list.length)}${list}`, { token })
    assert.equal(response.status, 200)
  })

  it('in chunks is refused with 413 at the limit, although it never ends, and then cut off', async () => {
    const { socket, answer } = await open([bearer(), 'Transfer-Encoding: chunked'])
    const chunk = `2000\r\n${' '.repeat(0x2000)}\r\n`
    for (let sent = 0; sent <= LIMIT; sent += 0x2000) socket.write(chunk)
    assert.match(await answer, /^HTTP\/1\.1 413 [\s\S]*The body is larger than 32768 bytes\./)
    await once(socket.resume(), 'close')
  })

  it('that announces too much is refused before any of it has come', async () => {
    const { socket, answer } = await open([bearer(), `Content-Length: ${LIMIT + 1}`])
    assert.match(await answer, /^HTTP\/1\.1 413 /)
    socket.destroy()
  })

  it('without a token is not waited for', async () => {
    const { socket, answer } = await open(['Content-Length: 10'])
    assert.match(await answer, /^HTTP\/1\.1 401 /)
    socket.destroy()
  })

  it('that is refused early leaves the connection usable once it has come', async () => {
    const { socket, answer } = await open(['Content-Length: 10'])
    await answer
    const { host } = new URL(system.mcp)
    socket.write(`${' '.repeat(10)}GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    const [bytes] = await once(socket, 'data')
    assert.match(String(bytes), /^HTTP\/1\.1 200 /)
    socket.destroy()
  })

  it('that is not UTF-8 is no JSON', async () => {
    const response = await fetch(system.mcp, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: '*/*, application/json, text/event-stream',
      },
      body: Buffer.concat([
        Buffer.from(list.replace('{}', '{"x":"')),
        Buffer.from([0xff]),
        Buffer.from('"}}'),
      ]),
    })
    assert.equal(response.status, 400)
    assert.match(await response.text(), /-32700/)
  })
})
