import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Cost } from '../../../app/costs/answer.ts'
import { CsvFile } from '../../../app/costs/csv.ts'

const cost = (service: string, amount = 1, currency = 'EUR'): Cost => ({
  ...{ service, amount, currency },
  day: '2026-03-01',
})
const lineOf = (costs: readonly Cost[]) => {
  const file = new CsvFile(10_000)
  assert.equal(file.add(costs), true)
  return file.text.slice(file.text.indexOf('\r\n') + 2)
}

describe('the CSV file', () => {
  it('begins with the names of its columns, and ends each record with CRLF (RFC 4180)', () => {
    const file = new CsvFile(10_000)
    assert.equal(file.text, 'date,service,amount,currency\r\n')
    file.add([cost('Storage', 0.25)])
    assert.equal(file.text, 'date,service,amount,currency\r\n2026-03-01,Storage,0.25,EUR\r\n')
    assert.equal(file.rows, 1)
  })

  for (const [service, field] of [
    ['Storage, cool', '"Storage, cool"'],
    ['The "best" one', '"The ""best"" one"'],
    ['two\r\nlines', 'two lines'],
    ['zürich ☁', 'zürich ☁'],
    ['', ''],
  ] as const)
    it(`holds ${JSON.stringify(service)} as one field`, () =>
      assert.equal(lineOf([cost(service)]), `2026-03-01,${field},1,EUR\r\n`))

  for (const service of [
    ...['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '\0=1', ' =1', '\u200b=1', '\u2028=1'],
    ...['＝1', '＋1', '－1', '＠1', '=HYPERLINK("https://evil.example","x")'],
  ])
    it(`gives a spreadsheet no formula to run: ${JSON.stringify(service)}`, () =>
      assert.match(lineOf([cost(service)]), /^2026-03-01,"?'[=+@＝＋－＠-]/))

  it('holds amounts as numbers, also those that are paid back', () => {
    assert.equal(lineOf([cost('Refund', -12.5)]), '2026-03-01,Refund,-12.5,EUR\r\n')
    assert.equal(lineOf([cost('Noise', 0.1 + 0.2)]), '2026-03-01,Noise,0.3,EUR\r\n')
    assert.equal(lineOf([cost('Nothing', 0)]), '2026-03-01,Nothing,0,EUR\r\n')
  })

  it('has one order, whatever order the costs come in', () => {
    const costs = [cost('B'), cost('A', 1, 'USD'), cost('A')]
    assert.equal(lineOf(costs), lineOf(costs.toReversed()))
    assert.match(lineOf(costs), /A,1,EUR\r\n.*A,1,USD\r\n.*B/)
  })

  it('takes a day as a whole or not at all, and is never larger than it may be', () => {
    const line = Buffer.byteLength(lineOf([cost('Größe')]))
    const file = new CsvFile(Buffer.byteLength('date,service,amount,currency\r\n') + 2 * line)
    assert.equal(file.add([cost('Größe')]), true)
    const before = file.text
    assert.equal(file.add([cost('Größe'), cost('Größe')]), false)
    assert.equal(file.text, before)
    assert.equal(file.add([cost('Größe')]), true)
    assert.equal(file.rows, 2)
  })
})
