import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { filesIn } from '../files.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ROOMS = ['app', 'docs', 'infra', 'scripts', 'tests', '.github', '.devcontainer', '.vscode']
const NAMED = /\.(md|ts|mjs|json|bicep|bicepparam|ya?ml|patch)$|Dockerfile$/
const files = [...readdirSync(root), ...filesIn(...ROOMS)].filter((path) => NAMED.test(path))

/** One term for one thing: the word that is not used, and the one that is. */
const REPLACED: readonly (readonly [name: string, wrong: RegExp, right: string])[] = [
  ['stand-in', /\b[Ss]tand-?ins?\b|[Ss]tandIn/g, 'emulator'],
  ['fake or stub', /\b(?:test double|fake|dummy|stub)s?\b/gi, 'emulator'],
  // What node:test calls `mock` is a clock or a spy.
  ['mock', /\b(?:mocks|mocked|mock (?!\}))\b/gi, 'emulator'],
  ['OBO flow', /\bOBO[ -](?:exchange|flow|swap)|\btoken swap/gi, 'exchange'],
  ['server app', /\b(?:API application|server app|API-app)\b/gi, 'API app'],
  ['Azure AD', /\bAzure (?:AD|Active Directory)\b/g, 'Microsoft Entra ID'],
]

describe('One thing', () => {
  for (const [name, wrong, right] of REPLACED)
    it(`is called ${right}, and not ${name}`, () => {
      const found = files
        .filter((file) => file !== 'tests/docs/words.test.ts')
        .flatMap((file) => {
          const said = `${file}\n${readFileSync(join(root, file), 'utf8')}`
          return (said.match(wrong) ?? []).map((word) => `${file}: ${word}`)
        })
      assert.deepEqual(found, [])
    })

  it('is looked for everywhere', () => {
    assert.ok(files.length > 400)
    assert.ok(!files.some((file) => file.includes('node_modules')))
    for (const file of [
      'README.md',
      'docs/local.md',
      'scripts/start.ts',
      '.vscode/launch.json',
      'app/Dockerfile',
    ])
      assert.ok(files.includes(file), file)
  })
})
