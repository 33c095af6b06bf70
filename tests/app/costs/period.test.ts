import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { faultOf, monthsOf, shifted } from '../../../app/costs/period.ts'

describe('a period', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-27T23:30:00Z') }))
  afterEach(() => mock.timers.reset())

  for (const [from, to] of [
    ['2026-11-27', '2026-11-27'],
    ['2025-11-28', '2026-11-27'],
    ['2025-03-01', '2026-02-28'],
    ['2023-03-01', '2024-02-29'],
    ['2024-02-29', '2025-02-27'],
    ['2025-09-01', '2026-08-31'],
  ] as const)
    it(`may go from ${from} to ${to}`, () => assert.equal(faultOf({ from, to }), undefined))

  for (const [from, to, words] of [
    ['2026-11-02', '2026-11-01', /must not be after to/],
    ['0050-01-01', '0050-01-31', /must not be before 2008/],
    ['2026-11-28', '2026-11-28', /must not be after today, 2026-11-27 in UTC/],
    ['2026-11-01', '2026-11-30', /must not be after today/],
    ['2025-11-27', '2026-11-27', /at most 12 months: from 2025-11-28 to 2026-11-27/],
    ['2025-02-28', '2026-02-28', /at most 12 months: from 2025-03-01/],
    ['2023-02-28', '2024-02-29', /at most 12 months: from 2023-03-01/],
    ['2025-08-31', '2026-08-31', /at most 12 months: from 2025-09-01/],
  ] as const)
    it(`may not go from ${from} to ${to}`, () => assert.match(faultOf({ from, to }) ?? '', words))

  it('is asked for in calendar months, of which none has more than 31 days', () => {
    assert.deepEqual(monthsOf({ from: '2024-01-31', to: '2024-03-01' }), [
      { from: '2024-01-31', to: '2024-01-31' },
      { from: '2024-02-01', to: '2024-02-29' },
      { from: '2024-03-01', to: '2024-03-01' },
    ])
    assert.deepEqual(monthsOf({ from: '2026-11-02', to: '2026-11-02' }), [
      { from: '2026-11-02', to: '2026-11-02' },
    ])
    const year = monthsOf({ from: '2025-11-28', to: '2026-11-27' })
    assert.equal(year.length, 13)
    for (const [index, { to }] of year.slice(0, -1).entries())
      assert.equal(shifted(to, 1), year[index + 1]?.from)
  })
})
