import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const page = new URL('../../docs/security.md', import.meta.url)
const root = new URL('../../', import.meta.url)

/** A test file, linked or as a path from the root, and the titles in quotation marks that may follow it. */
const REFERENCE = /(?:\]\(\.\.\/([\w./-]+\.test\.ts)\)|`([\w./-]+\.test\.ts)`)((?:,? "[^"]+")*)/g

type Table = Readonly<{ heading: string; width: number; rows: string[][] }>

/** Every table of the page; a cell holds no `|`. */
function tables(): Table[] {
  const [, ...sections] = readFileSync(page, 'utf8').split(/^## /m)
  return sections.flatMap((section) => {
    const [heading = ''] = section.split('\n')
    const lines = section.split('\n').filter((line) => line.startsWith('|'))
    const [head, , ...rows] = lines.map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    return head ? [{ heading, width: head.length, rows }] : []
  })
}

const hasTest = (source: string, title: string) =>
  ["'", '"', '`'].some((quote) => source.includes(`(${quote}${title}`))

describe('docs/security.md', () => {
  it('has a table of attacks and one of faults', () => {
    const headings = tables().map(({ heading }) => heading)
    for (const heading of ['Attacks', 'Faults']) assert.ok(headings.includes(heading), heading)
  })

  for (const { heading, width, rows } of tables()) {
    it(`shows each row of "${heading}" by tests that are there`, () => {
      assert.ok(rows.length > 0)
      for (const cells of rows) {
        const [what] = cells
        assert.equal(cells.length, width, what)
        const references = [...(cells.at(-1) ?? '').matchAll(REFERENCE)]
        assert.ok(references.length > 0, `${what}: no test`)
        for (const [, linked, named, titles = ''] of references) {
          const path = linked ?? named ?? ''
          assert.ok(existsSync(new URL(path, root)), `${what}: ${path} is not there`)
          const source = readFileSync(new URL(path, root), 'utf8')
          for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g))
            assert.ok(hasTest(source, title), `${what}: ${path} has no test "${title}"`)
        }
      }
    })
  }
})
