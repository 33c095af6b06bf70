import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }

describe('whoever is not signed in', () => {
  let system: System
  before(async () => {
    system = await startSystem({ RATE_LIMIT_PER_MINUTE: '20', TRUSTED_PROXIES: '1' })
  })
  after(() => system.stop())

  const from = (address: string, token?: string) =>
    post(system.mcp, list, { headers: { 'x-forwarded-for': address }, ...(token && { token }) })

  it('is told where to sign in so many times a minute, and then to wait', async () => {
    for (let request = 0; request < 20; request++) assert.equal((await from('192.0.2.1')).status, 401)
    const refused = await from('192.0.2.1', 'no.good.token')
    assert.equal(refused.status, 429)
    assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d?$/)
    assert.match(await refused.text(), /Too many requests without a valid token/)
    const line = await system.auditLine(refused)
    assert.deepEqual([line.decision, line.reason, line.oid], ['deny:rate', 'address', undefined])
  })

  it('is refused by the address that the proxy writes, not by one that is made up', async () => {
    assert.equal((await from('203.0.113.7, 192.0.2.1')).status, 429)
    assert.equal((await from('192.0.2.2')).status, 401)
  })

  it('takes nothing from those who are, also behind the same address', async () => {
    const token = await system.tokenFor('Bob')
    assert.equal((await from('192.0.2.1', token)).status, 200)
  })

  it('costs no more verifying once there were bad tokens by the thousand; a known token is served', async () => {
    const [known, fresh] = await Promise.all([system.tokenFor('Bob'), system.tokenFor('Alice')])
    assert.equal((await from('192.0.2.3', known)).status, 200)
    for (let request = 0; request < 200; request++) {
      const response = await from('192.0.2.3', 'no.good.token')
      await response.body?.cancel()
    }
    assert.equal((await from('192.0.2.3', fresh)).status, 429)
    assert.equal((await from('192.0.2.3', known)).status, 200)
    assert.equal(
      (await from('192.0.2.4', fresh)).status,
      200,
      'elsewhere, although the bound of all is reached',
    )
    assert.equal((await from('192.0.2.4')).status, 429)
  })
})

describe('a flood of requests without a token', () => {
  it('leaves a bounded number of lines with the whole count, and every line of a signed-in caller', async () => {
    const system = await startSystem()
    try {
      const token = await system.tokenFor('Bob')
      for (let round = 0; round < 20; round++) {
        const flood = Array.from({ length: 100 }, () => post(system.mcp, list))
        assert.equal((await toolNames(system.mcp, token)).length, 2)
        for (const response of await Promise.all(flood)) assert.equal(response.status, 401)
      }
      system.process().kill('SIGINT')
      await once(system.process(), 'close')
      const lines = system
        .lines()
        .filter((line) => line.includes('"decision"'))
        .map((line) => JSON.parse(line))
      assert.equal(lines.filter(({ decision, oid }) => decision === 'accept' && oid).length, 20)
      const refused = lines.filter(({ reason }) => reason === 'missing')
      assert.ok(refused.length <= 60, `${refused.length} lines`)
      assert.equal(
        refused.reduce((sum, { count = 1 }) => sum + count, 0),
        2_000,
      )
    } finally {
      await system.stop()
    }
  })
})
