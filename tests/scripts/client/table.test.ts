import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fitted, printable, table, tables } from '../../../scripts/client/table.ts'

describe('a table', () => {
  it('has a column for everything that a row may have, numbers to the right', () => {
    const rows = [
      { date: '2026-03-01', amount: 12.5 },
      { date: '2026-03-02', amount: 7, note: { a: [1] } },
    ]
    assert.equal(
      table(rows),
      ['date        amount  note', '2026-03-01    12.5', '2026-03-02       7  {"a":[1]}'].join('\n'),
    )
  })

  it('is one block for each row where a line would be longer than the terminal is wide', () => {
    const rows = [
      { tool: 'add', does: 'Adds\u001b[2J one.', arguments: 'kind=a|b' },
      { tool: 'all', does: 'Shows all.', arguments: '' },
    ]
    const wide = table(rows)
    const width = Math.max(...wide.split('\n').map(({ length }) => length))
    assert.equal(fitted(rows), wide)
    assert.equal(fitted(rows, width), wide)
    assert.equal(fitted(rows, width - 1), 'add\n  Adds\\u{1b}[2J one.\n  kind=a|b\n\nall\n  Shows all.')
  })

  it('comes after the single values, one for each list and each group', () => {
    const content = {
      users: 2,
      expenses: [{ id: 'a' }],
      none: [],
      categories: { food: { count: 1 }, other: { count: 10 } },
      saved: { id: 'b', amount: 3 },
      tags: ['x', 'y'],
      next: null,
    }
    assert.equal(
      tables(content),
      [
        'users: 2\ntags: ["x","y"]\nnext: ',
        'expenses\nid\na',
        'none\n(none)',
        'categories\n       count\nfood       1\nother     10',
        'saved\nid  amount\nb        3',
      ].join('\n\n'),
    )
  })

  it('cannot be broken, coloured or turned around by what it shows', () => {
    const hostile = 'a\u001b[2J\nb\u202ec\u0007\u2028d\u009b1m'
    assert.equal(printable(hostile), 'a\\u{1b}[2J\nb\\u{202e}c\\u{7}\\u{2028}d\\u{9b}1m')
    assert.equal(table([{ [hostile]: 1 }]).split('\n').length, 2)
    assert.equal(table([{ text: hostile }]).split('\n').length, 2)
    assert.equal(tables({ [hostile]: hostile }).split('\n').length, 1)
    for (const one of ['\u001b', '\u202e', '\u0007', '\u009b'])
      assert.ok(!tables({ list: [{ [hostile]: [hostile] }] }).includes(one))
  })
})
