import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { CostsUnavailable } from '../../../app/costs/cost-failure.ts'
import { Throttle, waitAskedFor } from '../../../app/costs/throttle.ts'

const NOW = Date.parse('2026-11-27T12:00:00Z')
const limit = (name: string) => `x-ms-ratelimit-microsoft.costmanagement-${name}-retry-after`
const refusal = (headers: Record<string, string>, status = 429) => new Response(null, { status, headers })

beforeEach(() => mock.timers.enable({ apis: ['Date'], now: NOW }))
afterEach(() => mock.timers.reset())

describe('the wait that Cost Management asks for', () => {
  for (const [name, headers, seconds] of [
    ['Retry-After alone', { 'retry-after': '7' }, 7],
    ['Retry-After as a date', { 'retry-after': new Date(NOW + 9_000).toUTCString() }, 9],
    ...['qpu', 'entity', 'tenant', 'client', 'clienttype', 'some-new'].map(
      (one) => [`the ${one} header alone`, { [limit(one)]: '11' }, 11] as const,
    ),
    ['the longest of all', { 'retry-after': '3', [limit('qpu')]: '40', [limit('tenant')]: '12' }, 40],
    ['Retry-After, if it is the longest', { 'retry-after': '30', [limit('qpu')]: '2' }, 30],
    ['an hour at most', { [limit('qpu')]: '999999' }, 3_600],
    ['nothing, without a header', {}, undefined],
    ['nothing, when the header is no number', { [limit('qpu')]: 'soon', 'retry-after': 'later' }, undefined],
    ['nothing, by the headers of another service', { 'x-ms-ratelimit-other-retry-after': '5' }, undefined],
  ] as const)
    it(`is ${name}`, () => assert.equal(waitAskedFor(refusal(headers)), seconds))
})

describe('after a refusal', () => {
  const left = (throttle: Throttle): number => {
    try {
      throttle.requireRest()
      return 0
    } catch (error) {
      assert.ok(error instanceof CostsUnavailable)
      return error.retryAfterSeconds
    }
  }

  it('nobody asks before the time that was named, and then everybody may', () => {
    const throttle = new Throttle()
    assert.equal(left(throttle), 0)
    assert.equal(throttle.refused(refusal({ 'retry-after': '600' }), undefined).retryAfterSeconds, 600)
    mock.timers.tick(300_500)
    assert.equal(left(throttle), 300)
    mock.timers.tick(299_499)
    assert.equal(left(throttle), 1)
    mock.timers.tick(1)
    assert.equal(left(throttle), 0)
  })

  it('a shorter wait does not end a longer one', () => {
    const throttle = new Throttle()
    throttle.refused(refusal({ 'retry-after': '600' }), undefined)
    throttle.refused(refusal({ 'retry-after': '5' }), undefined)
    assert.equal(left(throttle), 600)
  })

  it('a 429 without a word means a minute; an outage without one stops nobody', () => {
    const [busy, down] = [new Throttle(), new Throttle()]
    busy.refused(refusal({}), undefined)
    assert.equal(left(busy), 60)
    assert.equal(down.refused(refusal({}, 503), undefined).retryAfterSeconds, 60)
    assert.equal(left(down), 0)
    down.refused(refusal({ 'retry-after': '20' }, 503), undefined)
    assert.equal(left(down), 20)
  })
})
