import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { loadDeclaration, readDeclaration } from '../../app/declaration.ts'
import { currentReadme, README, toolsTable } from './tools-table.ts'

describe('the table of tools in README.md', () => {
  it('says which tools there are today, and for whom', async () => {
    assert.ok(
      (await readFile(README, 'utf8')) === (await currentReadme()),
      'README.md is not current. Run: npx node tests/docs/tools-table.ts',
    )
  })

  it('says what a tool takes that not every user has', () => {
    const { scopes, toolSets, ...rest } = loadDeclaration()
    const guarded = toolSets.map((set, index) =>
      index === 0
        ? {
            ...set,
            appRoles: [
              ...set.appRoles,
              {
                ...{
                  value: 'Reader',
                  id: '5c6d7e8f-9012-4a3b-8c4d-5e6f70819203',
                  allowedMemberTypes: ['User'],
                },
                ...{ displayName: 'x', description: 'x' },
              },
            ],
            tools: set.tools.map((tool) => (tool.admin ? tool : { ...tool, role: 'Reader' })),
          }
        : set,
    )
    const table = toolsTable(
      readDeclaration(
        JSON.stringify({
          ...rest,
          scopes: scopes.map((scope) => ({ ...scope, type: 'Admin' })),
          toolSets: guarded,
        }),
      ),
    )
    assert.match(
      table,
      /`add_user_expense` \| who has an administrator’s consent to `\w+` and the app role `Reader` \|/,
    )
    assert.match(
      table,
      /`get_expense_stats` \| members of the admin group; services with the app role `Expenses.Report` \|/,
    )
    assert.match(table, /\| devops \(off\) \|/)
  })
})
