import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const page = new URL('../../docs/security.md', import.meta.url)

/** A link to a test file, and the titles in quotation marks that follow it. */
const REFERENCE = /\[[^\]]+\]\(([^)]+\.test\.ts)\)((?:,? "[^"]+")+)/g

/** The cells of the table rows under a heading; a cell holds no `|`. */
function rowsUnder(heading: string): string[][] {
  const [, section = ''] = readFileSync(page, 'utf8').split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  const [, , ...rows] = own.split('\n').filter((line) => line.startsWith('|'))
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

for (const [heading, columns] of [
  ['Attacks', 3],
  ['Cost of a request', 3],
  ['Edges of HTTP', 3],
  ['Faults', 4],
] as const) {
  describe(`docs/security.md, ${heading}`, () => {
    it('has rows of one width', () => {
      const rows = rowsUnder(heading)
      assert.ok(rows.length > 8)
      for (const cells of rows) assert.equal(cells.length, columns, cells[0])
    })

    it('shows each row by tests that are there', () => {
      for (const cells of rowsUnder(heading)) {
        const references = [...(cells.at(-1) ?? '').matchAll(REFERENCE)]
        assert.ok(references.length > 0, `${cells[0]}: no test`)
        for (const [, path = '', titles = ''] of references) {
          const file = new URL(path, page)
          assert.ok(existsSync(file), `${cells[0]}: ${path} is not there`)
          const source = readFileSync(file, 'utf8')
          for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g))
            assert.ok(
              ["'", '"', '`'].some((quote) => source.includes(`(${quote}${title}`)),
              `${cells[0]}: ${path} has no test "${title}"`,
            )
        }
      }
    })
  })
}
