import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { callTool } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

describe('a server that is told to stop', () => {
  let system: System
  beforeEach(async () => {
    system = await startSystem()
  })
  afterEach(() => system.stop())

  function send(agent: Agent, token: string): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    request(system.mcp, { agent, method: 'POST', headers })
      .on('error', reject)
      .on('response', (response) => response.on('end', () => resolve(response)).resume())
      .end(list)
    return promise
  }

  it('loses no request of 20 busy keep-alive connections, says that it is not ready, and closes them', async () => {
    const token = await system.tokenFor('Bob')
    const agent = new Agent({ keepAlive: true, maxSockets: 20 })
    let [kept, ended] = [0, 0]
    /** Goes on until three of its requests had a connection of their own: all while the server still listens. */
    const busy = async () => {
      for (let own = 0; own < 3; ) {
        const { statusCode, headers } = await send(agent, token)
        assert.equal(statusCode, 200)
        if (headers.connection === 'close') own += 1
        else kept += 1
        ended = Math.max(ended, own)
      }
    }
    const clients = Array.from({ length: 20 }, busy)
    while (kept < 200) await pause(5)
    const exit = once(system.process(), 'exit')
    system.process().kill('SIGTERM')
    while (ended === 0) await pause(5)
    const ready = await fetch(new URL('/readyz', system.mcp))
    assert.equal(ready.status, 503)
    assert.match(await ready.text(), /being stopped/)
    assert.equal((await fetch(new URL('/healthz', system.mcp))).status, 200)
    await Promise.all(clients)
    agent.destroy()
    assert.deepEqual(await exit, [0, null])
  })

  it('with Ctrl-C listens no longer at once, finishes what runs, writes its line, and exits with 0', async () => {
    const token = await system.tokenFor('Alice')
    const slow = system.tenant.faults.on('graph', { hang: true, times: 1 })
    const answer = callTool(system.mcp, 'get_expense_stats', {}, { token })
    await slow.reached(1)
    const exit = once(system.process(), 'exit')
    system.process().kill('SIGINT')
    await untilRefused()
    slow.release()
    assert.equal((await answer).isError, undefined)
    assert.deepEqual(await exit, [0, null])
    const line = JSON.parse(system.lines().findLast((text) => text.includes('"decision"')) ?? '{}')
    assert.deepEqual([line.decision, line.tool, line.obo], ['accept', 'get_expense_stats', 'fetched'])
  })

  async function untilRefused(): Promise<void> {
    const headers = { connection: 'close' }
    while (
      await fetch(new URL('/healthz', system.mcp), { headers }).then(
        () => true,
        () => false,
      )
    );
  }
})
