import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import type { UserId } from '../../../app/auth/verifier.ts'
import { CostsUnavailable } from '../../../app/costs/cost-failure.ts'
import { type Asker, Throttle, waitsAskedFor } from '../../../app/costs/throttle.ts'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const limit = (name: string) => `x-ms-ratelimit-microsoft.costmanagement-${name}-retry-after`
const refusal = (headers: Record<string, string>, status = 429) => new Response(null, { status, headers })

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: NOW }))
afterEach(() => mock.timers.reset())

const all = (seconds: number) => ({ whose: 'all', seconds })
const subscription = (seconds: number) => ({ whose: 'subscription', seconds })
const user = (seconds: number) => ({ whose: 'user', seconds })

describe('the wait that Cost Management asks for', () => {
  for (const [name, headers, waits] of [
    ['of the user, with Retry-After alone', { 'retry-after': '7' }, [user(7)]],
    [
      'of the user, with Retry-After as a date',
      { 'retry-after': new Date(NOW + 9_000).toUTCString() },
      [user(9)],
    ],
    ...['qpu', 'tenant', 'client', 'clienttype', 'some-new', 'entity-new'].map(
      (one) => [`of all, with the ${one} header`, { [limit(one)]: '11' }, [all(11)]] as const,
    ),
    ['of all, with a header that names no limit', { [limit('').replace('--', '-')]: '11' }, [all(11)]],
    ['of the subscription, with the entity header', { [limit('entity')]: '11' }, [subscription(11)]],
    [
      'of each whom its headers name',
      { 'retry-after': '3', [limit('entity')]: '40', [limit('tenant')]: '12' },
      [subscription(40), all(12), user(3)],
    ],
    ['an hour at most', { [limit('qpu')]: '999999', 'retry-after': '999999' }, [all(3_600), user(3_600)]],
    ['nothing, without a header', {}, []],
    ['nothing, when the header is no number', { [limit('qpu')]: 'soon', 'retry-after': 'later' }, []],
    [
      'nothing, by the headers of another service',
      { 'x-ms-ratelimit-other-retry-after': '5', 'x-ms-ratelimit-remaining-subscription-reads': '0' },
      [],
    ],
  ] as const)
    it(`is ${name}`, () => assert.deepEqual(waitsAskedFor(refusal(headers)), waits))
})

describe('after a refusal', () => {
  const id = (name: string) => name as UserId
  const bob: Asker = { user: id('bob'), subscription: 'sandbox' }
  const bobElsewhere: Asker = { user: id('bob'), subscription: 'production' }
  const alice: Asker = { user: id('alice'), subscription: 'sandbox' }
  const aliceElsewhere: Asker = { user: id('alice'), subscription: 'production' }
  const left = (throttle: Throttle, asker: Asker): number => {
    try {
      throttle.requireRest(asker)
      return 0
    } catch (error) {
      assert.ok(error instanceof CostsUnavailable)
      return error.retryAfterSeconds
    }
  }
  const lefts = (throttle: Throttle) =>
    [bob, bobElsewhere, alice, aliceElsewhere].map((asker) => left(throttle, asker))

  for (const [what, headers, status, waits] of [
    ['a limit of the tenant stops all', { [limit('tenant')]: '600' }, 429, [600, 600, 600, 600]],
    ['a limit of units stops all', { [limit('qpu')]: '600' }, 429, [600, 600, 600, 600]],
    ['a limit of this server stops all', { [limit('client')]: '600' }, 429, [600, 600, 600, 600]],
    [
      'a limit of a subscription stops who asks about it',
      { [limit('entity')]: '600' },
      429,
      [600, 0, 600, 0],
    ],
    [
      'Azure Resource Manager stops the user whom it counts',
      { 'retry-after': '3600' },
      429,
      [3_600, 3_600, 0, 0],
    ],
    ['a refusal without a word stops the user for a minute', {}, 429, [60, 60, 0, 0]],
    ...[408, 424, 500, 503].map(
      (failed) =>
        [
          `a ${failed} with a time to wait stops the user`,
          { 'retry-after': '20' },
          failed,
          [20, 20, 0, 0],
        ] as const,
    ),
    ['an outage without a word stops nobody', {}, 503, [0, 0, 0, 0]],
    [
      'each waits for the longest that concerns it',
      { 'retry-after': '9', [limit('entity')]: '30', [limit('tenant')]: '5' },
      429,
      [30, 9, 30, 5],
    ],
  ] as const)
    it(what, () => {
      const throttle = new Throttle()
      const told = throttle.refused(refusal(headers, status), undefined, bob)
      assert.equal(told.throttled, status === 429)
      assert.equal(told.retryAfterSeconds, waits[0] || 60)
      assert.deepEqual(lefts(throttle), waits)
    })

  it('nobody asks before the time that was named, and then everybody may', () => {
    const throttle = new Throttle()
    assert.equal(left(throttle, bob), 0)
    throttle.refused(refusal({ [limit('qpu')]: '600' }), undefined, bob)
    mock.timers.tick(300_500)
    assert.deepEqual(lefts(throttle), [300, 300, 300, 300])
    mock.timers.tick(299_499)
    assert.deepEqual(lefts(throttle), [1, 1, 1, 1])
    mock.timers.tick(1)
    assert.deepEqual(lefts(throttle), [0, 0, 0, 0])
  })

  for (const header of ['retry-after', limit('entity'), limit('tenant')])
    it(`a shorter wait does not end a longer one: ${header}`, () => {
      const throttle = new Throttle()
      throttle.refused(refusal({ [header]: '600' }), undefined, bob)
      throttle.refused(refusal({ [header]: '5' }), undefined, bob)
      assert.equal(left(throttle, bob), 600)
    })

  it('the waits of ever more users are forgotten one by one, that of all is not', () => {
    const throttle = new Throttle()
    throttle.refused(refusal({ [limit('tenant')]: '30', 'retry-after': '600' }), undefined, bob)
    for (let n = 0; n < 10_000; n++)
      throttle.refused(refusal({ 'retry-after': '600' }), undefined, { ...bob, user: id(`user ${n}`) })
    assert.deepEqual([left(throttle, bob), left(throttle, alice)], [30, 30])
  })
})
