import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { currentPage, TABLE } from './permissions-table.ts'

describe('docs/permissions.md', () => {
  it('says who holds which right today', async () => {
    const page = await readFile(TABLE, 'utf8')
    assert.ok(
      page === (await currentPage()),
      'docs/permissions.md is not current. Run: node tests/infra/permissions-table.ts',
    )
  })
})
