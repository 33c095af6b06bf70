import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { instructions } from '../infra/image-build.ts'
import { post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url))
const Command = z.tuple([z.literal('node')], z.string())

/** A list of empty objects: a byte of it costs some 25 of the heap once parsed. */
const hostile = (bytes: number) => {
  const _meta = { a: Array.from({ length: Math.floor(bytes / 3) }, () => ({})) }
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } })
}

describe('the bundle with the image’s flags, under hostile load of one signed-in user', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  let system: System
  let hostileToken: string
  let token: string
  before(async () => {
    execFileSync(process.execPath, [build, folder])
    const command = (await instructions()).find(({ name }) => name === 'CMD')?.rest ?? ''
    const [, ...args] = Command.parse(JSON.parse(command))
    const program = args.map((argument) => (argument.startsWith('--') ? argument : join(folder, argument)))
    system = await startSystem({}, program)
    hostileToken = await system.tokenFor('Alice')
    token = await system.tokenFor('Bob')
  })
  after(async () => {
    await system.stop()
    rmSync(folder, { recursive: true })
  })

  /** So many at the same time; another user is served meanwhile, and afterwards the process is the same. */
  async function attack(times: number, send: () => Promise<Response>): Promise<number[]> {
    const { pid } = system.process()
    const answers = Array.from({ length: times }, send)
    assert.equal((await toolNames(system.mcp, token)).length, 2)
    const statuses: number[] = []
    for (const response of await Promise.all(answers)) {
      statuses.push(response.status)
      await response.body?.cancel()
    }
    assert.equal((await toolNames(system.mcp, token)).length, 2)
    assert.equal(system.process().pid, pid)
    assert.equal(system.process().exitCode, null)
    return statuses
  }

  it('refuses 60 concurrent bodies of 252 KB with 413 each and serves others', async () => {
    const body = hostile(252 * 1024)
    const statuses = await attack(60, () => post(system.mcp, body, { token: hostileToken }))
    assert.deepEqual(new Set(statuses), new Set([413]))
  })

  it('refuses them in chunks too', async () => {
    const body = Buffer.from(hostile(252 * 1024))
    const headers = {
      authorization: `Bearer ${hostileToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    }
    const statuses = await attack(60, () =>
      fetch(system.mcp, { method: 'POST', headers, body: new Blob([body]).stream(), duplex: 'half' }),
    )
    assert.deepEqual(new Set(statuses), new Set([413]))
  })

  it('survives as many as it takes of the largest that it reads, while the store does not answer', async () => {
    const body = JSON.parse(hostile(31 * 1024))
    body.method = 'tools/call'
    Object.assign(body.params, { name: 'get_user_expenses', arguments: {} })
    system.cosmos.faults.inject('query', 'hang', 1_000)
    const statuses = await attack(300, () => post(system.mcp, body, { token: hostileToken }))
    system.cosmos.faults.clear()
    const counts = Object.groupBy(statuses, String)
    assert.deepEqual([counts['200']?.length, counts['429']?.length], [200, 100])
  })
})
