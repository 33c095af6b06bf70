import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { explain, SIGN_INS } from '../../scripts/cli/remedies.ts'
import { CLIENT_MESSAGES, DIRECTORY_MESSAGES } from '../scripts/cli/messages.ts'
import { currentTroubleshooting, OTHERS, TROUBLESHOOTING } from './troubleshooting.ts'

const page = await readFile(TROUBLESHOOTING, 'utf8')
const rows = page.split('\n').filter((line) => /^\| (?!message|---)/.test(line))

describe('docs/troubleshooting.md', () => {
  it('says what the scripts print today', async () => {
    assert.ok(
      page === (await currentTroubleshooting()),
      'docs/troubleshooting.md is not current. Run: npx node tests/docs/troubleshooting.ts',
    )
  })

  it('has one row for each message', () => {
    const codes = [...SIGN_INS.flatMap((one) => one.codes), ...Object.keys(CLIENT_MESSAGES).map(Number)]
    for (const code of codes)
      assert.equal(rows.filter((row) => row.includes(`\`AADSTS${code}\``)).length, 1, `AADSTS${code}`)
    for (const [, code, detail] of DIRECTORY_MESSAGES)
      assert.equal(rows.filter((row) => row.includes(code) && row.includes(detail)).length, 1, detail)
    const messages = rows.map((row) => row.split(' | ')[0])
    assert.equal(new Set(messages).size, rows.length)
    assert.equal(rows.length, codes.length + DIRECTORY_MESSAGES.length + OTHERS.length)
  })

  it('says cause and command in the words of the terminal', () => {
    const told = explain(new Error('AADSTS9010010: x'))
    const row = rows.find((line) => line.includes('AADSTS9010010')) ?? ''
    const [, cause, command] = row.replaceAll('`', '').slice(0, -2).split(' | ')
    assert.ok(cause && told.includes(`why: ${cause}\n`), told)
    assert.ok(command && told.replaceAll('    ', ' ').endsWith(`fix: ${command}`), told)
  })

  it('names only messages that are said where it says so', async () => {
    for (const { message, said } of OTHERS) {
      if (said.startsWith('https://')) continue
      const words = /`([^`]+)`/.exec(message)?.[1] ?? ''
      const source = await readFile(new URL(`../../${said}`, import.meta.url), 'utf8')
      const whole = words.replace(/ Microsoft Graph$/, '')
      assert.ok(source.includes(whole), `${said}: ${whole}`)
    }
  })
})
