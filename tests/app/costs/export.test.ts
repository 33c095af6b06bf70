import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cost } from '../../../app/costs/answer.ts'
import { CostsForbidden, CostsUnavailable } from '../../../app/costs/cost-failure.ts'
import { exportCosts } from '../../../app/costs/export.ts'
import { type Period, shifted } from '../../../app/costs/period.ts'

const period = { from: '2026-01-30', to: '2026-03-02' }
const euro = (day: string): Cost => ({ day, service: 'Storage', amount: 1, currency: 'EUR' })
const daily = async ({ from, to }: Period): Promise<Cost[]> => {
  const costs = []
  for (let day = from; day <= to; day = shifted(day, 1)) costs.push(euro(day))
  // In no order, as they may come.
  return costs.toReversed()
}
const daysIn = (csv: string) =>
  csv
    .split('\r\n')
    .slice(1, -1)
    .map((line) => line.slice(0, 10))

describe('the export', () => {
  it('holds every day of the period in order, month by month', async () => {
    const asked: Period[] = []
    const progress: number[][] = []
    const { csv, rows, missing } = await exportCosts(
      period,
      (month) => {
        asked.push(month)
        return daily(month)
      },
      { onMonth: (done, of) => void progress.push([done, of]) },
    )
    assert.equal(missing, undefined)
    assert.equal(rows, 32)
    assert.deepEqual(daysIn(csv), daysIn(csv).toSorted())
    assert.deepEqual([daysIn(csv)[0], daysIn(csv).at(-1)], ['2026-01-30', '2026-03-02'])
    assert.deepEqual(
      asked.map(({ from }) => from),
      ['2026-01-30', '2026-02-01', '2026-03-01'],
    )
    assert.deepEqual(progress, [
      [0, 3],
      [1, 3],
      [2, 3],
      [3, 3],
    ])
  })

  it('is cut at a whole day when it gets too large, names what is missing, and asks for nothing that it would throw away', async () => {
    let asked = 0
    const { csv, rows, missing } = await exportCosts(
      period,
      async (month) => {
        asked += 1
        return (await daily(month)).flatMap((cost) => [cost, { ...cost, service: 'Compute' }])
      },
      { maxBytes: 700 },
    )
    assert.ok(Buffer.byteLength(csv) <= 700)
    assert.equal(asked, 2)
    assert.equal(rows, daysIn(csv).length)
    assert.equal(rows % 2, 0)
    const last = daysIn(csv).at(-1) ?? ''
    assert.deepEqual(missing, { from: shifted(last, 1), to: period.to, reason: 'size' })
  })

  it('keeps the months that were answered when a later one is not, and says when to ask for the rest', async () => {
    const { csv, missing } = await exportCosts(period, async (month) => {
      if (month.from.startsWith('2026-02')) throw new CostsUnavailable(40)
      return daily(month)
    })
    assert.deepEqual(daysIn(csv), ['2026-01-30', '2026-01-31'])
    assert.deepEqual(missing, {
      ...{ from: '2026-02-01', to: '2026-03-02' },
      ...{ reason: 'not_answered', retryAfterSeconds: 40 },
    })
  })

  it('fails when its first month does, and for any reason but an outage', async () => {
    await assert.rejects(
      exportCosts(period, () => Promise.reject(new CostsUnavailable(40))),
      CostsUnavailable,
    )
    const refused = async (month: Period) => {
      if (month.from !== period.from) throw new CostsForbidden('some')
      return daily(month)
    }
    await assert.rejects(exportCosts(period, refused), CostsForbidden)
  })
})
