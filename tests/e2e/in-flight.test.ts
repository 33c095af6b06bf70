import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }

describe('requests at the same time', () => {
  let system: System
  before(async () => {
    system = await startSystem({ IN_FLIGHT_PER_USER: '1', IN_FLIGHT: '2' })
  })
  after(() => system.stop())

  /** The answer to a request whose body is announced and not sent. */
  async function withoutBody(token: string): Promise<string> {
    const { port, host } = new URL(system.mcp)
    const socket = connect(Number(port), 'localhost')
    const head = ['POST /mcp HTTP/1.1', `Host: ${host}`, `Authorization: Bearer ${token}`]
    socket.write(`${head.join('\r\n')}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`)
    const [bytes] = await once(socket, 'data')
    socket.destroy()
    return String(bytes)
  }

  it('are refused before their body is read: 429 for one user, 503 for all, and served again afterwards', async () => {
    const [alice, bob, carol] = await Promise.all([
      system.tokenFor('Alice'),
      system.tokenFor('Bob'),
      system.tokenFor('Carol'),
    ])
    const slow = system.tenant.faults.on('graph', { hang: true })
    const waiting = [toolNames(system.mcp, alice)]
    await slow.reached(1)
    assert.match(
      await withoutBody(alice),
      /^HTTP\/1\.1 429 [\s\S]*Retry-After: 1\r\n[\s\S]*at the same time/i,
    )
    waiting.push(toolNames(system.mcp, bob))
    await slow.reached(2)
    assert.match(
      await withoutBody(carol),
      /^HTTP\/1\.1 503 [\s\S]*Retry-After: 1\r\n[\s\S]*too many requests/i,
    )
    slow.release()
    slow.clear()
    for (const tools of await Promise.all(waiting)) assert.ok(tools.length >= 2)
    const response = await post(system.mcp, list, { token: carol })
    assert.equal(response.status, 200)
  })
})
