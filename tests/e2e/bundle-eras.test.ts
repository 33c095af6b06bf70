import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { peers } from './peers.ts'
import { lunch } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url))

describe('the bundle of the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  let system: System
  before(async () => {
    execFileSync(process.execPath, [build, folder])
    system = await startSystem({}, [join(folder, 'app/server.js')])
  })
  after(async () => {
    await system.stop()
    rmSync(folder, { recursive: true })
  })

  it('keeps each SDK in a module of its own, which a start does not load', () => {
    const names = readdirSync(join(folder, 'app')).map((name) => name.replace(/-[A-Z\d]{8}/, ''))
    for (const name of ['server.js', 'legacy.js', 'modern.js']) assert.ok(names.includes(name), name)
  })

  // The handshake and the discovery are what the SDKs answer.
  for (const [kind, connect] of Object.entries(peers)) {
    it(`serves ${kind}`, async () => {
      const alice = await connect(system, 'Alice')
      try {
        assert.equal((await alice.tools()).length, 3)
        const added = await alice.call('add_user_expense', lunch({ description: kind }))
        assert.equal(added.isError, false)
        assert.match((await alice.call('get_user_expenses', {})).text, new RegExp(kind))
      } finally {
        await alice.close()
      }
    })
  }
})
