import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { type MarkedToken, marked } from 'marked'

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')
const app = readdirSync(new URL('app/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => textOf(`app/${name}`))
  .join('\n')
const audit = textOf('app/telemetry/audit.ts')

/** The words in code of each column of the table with this first heading. */
function columnsOf(heading: string): string[][] {
  for (const token of marked.lexer(textOf('docs/architecture.md')) as MarkedToken[])
    if (token.type === 'table' && token.header[0]?.text === heading)
      return token.header.map((_, at) =>
        token.rows.flatMap((row) =>
          [...(row[at]?.text ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
        ),
      )
  throw new Error(`docs/architecture.md has no table of each ${heading}.`)
}

describe('the tables of the audit line in docs/architecture.md', () => {
  it('have every decision, and no reason that no code gives', () => {
    const [decisions = [], , reasons = []] = columnsOf('decision')
    const [, union = ''] = /type Decision =([^\n]*(?:\n {2}\|[^\n]*)+)/.exec(audit) ?? []
    assert.deepEqual(
      decisions,
      [...union.matchAll(/'([^']+)'/g)].map(([, one]) => one),
    )
    for (const reason of reasons) assert.ok(app.includes(`'${reason}'`), reason)
  })

  it('have every field that a line may have', () => {
    const [, entry = ''] = /type AuditEntry = \{([\s\S]*?)\n\}/.exec(audit) ?? []
    const [, line = ''] = /type AuditLine =([\s\S]*?)\n>/.exec(audit) ?? []
    const fields = [...`${entry}${line}`.matchAll(/^ {2,4}(?:readonly )?(\w+)\??: /gm)]
      .map(([, name = '']) => name)
      // In the line it is request_id.
      .filter((name) => name !== 'requestId')
    const [said = []] = columnsOf('field')
    assert.deepEqual(said.toSorted(), [...new Set([...fields, 'time'])].toSorted())
  })
})
