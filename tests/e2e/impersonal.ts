/** What no line of a server may say, whatever a test has it do. */
import assert from 'node:assert/strict'
import type { seedDirectory } from '../../scripts/emulators/seed.ts'

type Users = Pick<ReturnType<typeof seedDirectory>, 'users'>

/** Access tokens (JSON Web Tokens), private keys, and what tests write as descriptions. */
const SECRETS = /\beyJ[\w-]{10,}\.|PRIVATE KEY|\bLunch\b|Alice’s secret|Bob’s secret/

/**
 * Fails on a line with a name, an address, a token or a description, and on an object id of a user anywhere but in
 * the `oid` of an audit line, which is there to say who it was.
 */
export function assertImpersonal(lines: readonly string[], { users }: Users): void {
  const names = users.flatMap(({ name, upn }) => [`\\b${name}\\b`, upn.replaceAll('.', '\\.')])
  const named = new RegExp(names.join('|'), 'i')
  const ids = new RegExp(users.map(({ oid }) => oid).join('|'), 'i')
  for (const line of lines) {
    assert.doesNotMatch(line, SECRETS)
    const { oid: _, ...rest }: Record<string, unknown> = line.startsWith('{') ? JSON.parse(line) : { line }
    const text = JSON.stringify(rest)
    assert.doesNotMatch(text, named)
    assert.doesNotMatch(text, ids)
  }
}
