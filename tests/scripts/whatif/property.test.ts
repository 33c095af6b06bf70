import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { decideExitCode } from '../../../scripts/whatif/report.ts'
import type { WhatIf } from '../../../scripts/whatif/whatif.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'
import { type Addition, anyAddition } from './additions.ts'
import { MUTATIONS } from './mutations.ts'
import { type Rehearsal, startRehearsal } from './rehearsal.ts'

/** Lists of a directory are sets. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted)
    return items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, sorted(inner)]))
}

const linesOf = ({ changes, blockers }: WhatIf) => [
  ...changes.flatMap(({ title, type, properties }) =>
    properties.map(({ action, path }) => `${type} ${title}: ${action} ${path}`),
  ),
  ...blockers.map(({ title, what }) => `${title}: ${what}`),
]

describe('what-if and deployment', { skip: withoutCompiler }, () => {
  let tenant: Rehearsal
  let clean: ReturnType<Rehearsal['save']>
  before(async () => {
    tenant = await startRehearsal()
    await tenant.up()
    clean = tenant.save()
  })
  after(() => tenant.stop())

  const fingerprint = () => {
    const { applications, servicePrincipals, groups, appRoleAssignments, oauth2PermissionGrants } =
      tenant.directory
    return JSON.stringify(
      sorted([applications, servicePrincipals, groups, appRoleAssignments, oauth2PermissionGrants]),
    )
  }

  async function holds(hands: readonly (readonly [name: string, which: number])[]): Promise<void> {
    clean.restore()
    for (const [name, which] of hands) MUTATIONS[name]?.({ directory: tenant.directory, which })
    const before = fingerprint()
    const said = await tenant.ask()
    assert.equal(fingerprint(), before, 'asking changes nothing')
    const lines = linesOf(said)
    let failure: unknown
    await tenant.up().catch((error: unknown) => (failure = error))
    if (said.blockers.length > 0 || failure) {
      assert.ok(said.blockers.length > 0 && failure, `will fail: ${lines.join('; ')}; failed: ${failure}`)
      return
    }
    assert.equal(
      fingerprint() === before,
      said.changes.length === 0,
      `said: ${lines.join('; ') || 'nothing'}`,
    )
    assert.deepEqual(linesOf(await tenant.ask()), [], `after what was said: ${lines.join('; ')}`)
  }

  for (const name of Object.keys(MUTATIONS))
    it(`say the same after: ${name}`, async () => {
      for (const which of [0, 1]) await holds([[name, which]])
    })

  it('say the same after any three things done by hand', async () => {
    const hand = fc.tuple(fc.constantFrom(...Object.keys(MUTATIONS)), fc.nat(5))
    const runs = fc.asyncProperty(fc.array(hand, { minLength: 2, maxLength: 3 }), holds)
    await fc.assert(runs, { numRuns: 20 })
  })

  it('never leave any one addition unsaid', async () => {
    clean.restore()
    const { changes, unmanaged } = await tenant.ask({ perspective: 'found' })
    assert.deepEqual([changes, unmanaged], [[], []])
    const isSaid = async (add: Addition['add']) => {
      clean.restore()
      add({ directory: tenant.directory })
      const said = await tenant.ask({ perspective: 'found' })
      return decideExitCode(said, 'any') === 2
    }
    await fc.assert(fc.asyncProperty(anyAddition, isSaid), { numRuns: 150 })
  })
})
