import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { summarize } from '../../../app/costs/summary.ts'

const cost = (service: string, amount: number, currency = 'EUR') => ({ service, amount, currency })

describe('the summary', () => {
  it('adds up each currency apart, by name, and never one to another', () => {
    assert.deepEqual(summarize([cost('A', 1, 'USD'), cost('A', 2), cost('B', 3, 'USD')], 5), [
      {
        currency: 'EUR',
        total: 2,
        services: [{ service: 'A', amount: 2 }],
        rest: { services: 0, amount: 0 },
      },
      {
        currency: 'USD',
        total: 4,
        services: [
          { service: 'B', amount: 3 },
          { service: 'A', amount: 1 },
        ],
        rest: { services: 0, amount: 0 },
      },
    ])
  })

  it('has the largest first, the first of equals by name, and the rest as one', () => {
    const costs = [cost('C', 5), cost('A', 5), cost('D', 1), cost('Refund', -2), cost('B', 9), cost('D', 1)]
    assert.deepEqual(summarize(costs, 3), [
      {
        currency: 'EUR',
        total: 19,
        services: [
          { service: 'B', amount: 9 },
          { service: 'A', amount: 5 },
          { service: 'C', amount: 5 },
        ],
        rest: { services: 2, amount: 0 },
      },
    ])
  })

  it('adds up before it rounds, to two decimals, and knows no negative zero', () => {
    const many = Array.from({ length: 100 }, () => cost('Tiny', 0.001))
    assert.equal(summarize(many, 1)[0]?.total, 0.1)
    const [euros] = summarize([cost('A', -0.001)], 1)
    assert.ok(Object.is(euros?.total, 0))
  })

  it('of nothing is nothing', () => assert.deepEqual(summarize([], 5), []))
})
