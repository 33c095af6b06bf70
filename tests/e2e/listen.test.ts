import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { type System, startSystem } from './system.ts'

/** An address of this machine that others reach. */
const outer = Object.values(networkInterfaces())
  .flat()
  .find((one) => one && !one.internal && one.family === 'IPv4')?.address
const skip = outer ? false : 'this machine has no address but loopback'

describe('the server listens', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  after(() => system.stop())

  const healthAt = ({ mcp }: System, address: string) =>
    fetch(`http://${address}:${new URL(mcp).port}/healthz`).then(({ status }) => status)

  it('on both loopback addresses', async () => {
    assert.equal(await healthAt(system, '127.0.0.1'), 200)
    assert.equal(
      await healthAt(system, '[::1]').catch((error: Error) => causeOf(error)),
      hasIpv6() ? 200 : 'EADDRNOTAVAIL',
    )
  })

  it('on no other address', { skip }, async () => {
    const refused = await healthAt(system, outer ?? '').catch((error: Error) => causeOf(error))
    assert.equal(refused, 'ECONNREFUSED')
  })

  it('on every address, as in the container, when it is told to', { skip }, async () => {
    const open = await startSystem({ LISTEN_ADDRESS: '0.0.0.0' })
    try {
      assert.equal(await healthAt(open, outer ?? ''), 200)
      assert.equal(await healthAt(open, '127.0.0.1'), 200)
    } finally {
      await open.stop()
    }
  })
})

const hasIpv6 = () =>
  Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.address === '::1')

const causeOf = ({ cause }: Error) => (cause instanceof Error && 'code' in cause ? cause.code : cause)
