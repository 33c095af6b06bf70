import assert from 'node:assert/strict'
import { afterEach, describe, it, mock } from 'node:test'
import { tokenMissing } from '../../../app/auth/challenge.ts'
import { networkOf, Strangers } from '../../../app/auth/strangers.ts'

const challenge = tokenMissing('https://a.example.com/mcp', 'scope')

describe('refusals of strangers', () => {
  afterEach(() => mock.timers.reset())
  const statuses = (strangers: Strangers, address: string, times: number) =>
    Array.from({ length: times }, () => strangers.refuse(address, challenge).status)

  it('are bounded per address and minute', () => {
    mock.timers.enable({ apis: ['Date'], now: 0 })
    const strangers = new Strangers(2)
    assert.deepEqual(statuses(strangers, '192.0.2.1', 3), [401, 401, 429])
    assert.deepEqual(statuses(strangers, '192.0.2.2', 1), [401])
    mock.timers.setTime(45_000)
    assert.equal(strangers.refuse('192.0.2.1', challenge).headers['retry-after'], '15')
    mock.timers.setTime(60_000)
    assert.deepEqual(statuses(strangers, '192.0.2.1', 1), [401])
  })

  it('are bounded in all, at ten times the bound of one', () => {
    mock.timers.enable({ apis: ['Date'], now: 0 })
    const strangers = new Strangers(1)
    const first = Array.from({ length: 10 }, (_, host) => statuses(strangers, `192.0.2.${host}`, 1)[0])
    assert.deepEqual(new Set(first), new Set([401]))
    assert.deepEqual(statuses(strangers, '198.51.100.1', 1), [429])
    mock.timers.setTime(60_000)
    assert.deepEqual(statuses(strangers, '198.51.100.1', 1), [401])
  })

  it('make an address hostile by the thousand, for the rest of the minute', () => {
    mock.timers.enable({ apis: ['Date'], now: 0 })
    const strangers = new Strangers(2)
    statuses(strangers, '192.0.2.1', 19)
    assert.equal(strangers.isHostile('192.0.2.1'), false)
    statuses(strangers, '192.0.2.1', 1)
    assert.equal(strangers.isHostile('192.0.2.1'), true)
    assert.equal(strangers.isHostile('192.0.2.2'), false)
    mock.timers.setTime(60_000)
    assert.equal(strangers.isHostile('192.0.2.1'), false)
  })

  it('of one IPv6 network are those of one client', () => {
    for (const [address, network] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2'],
      ['2001:db8:1:2::1', '2001:db8:1:2'],
      ['2001:db8::1', '2001:db8:0:0'],
      ['::1', '0:0:0:0'],
      ['', ''],
    ] as const) {
      assert.equal(networkOf(address), network)
    }
  })
})
