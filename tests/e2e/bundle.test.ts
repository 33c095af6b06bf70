import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { post } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const build = fileURLToPath(new URL('../../scripts/build.ts', import.meta.url))
const statsCall = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'get_expense_stats', arguments: {} },
}

describe('the minified bundle of the image', () => {
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

  it('names file and line of the source when something fails, and serves neither itself nor its map', async () => {
    const body = { error: { code: 'Authorization_RequestDenied', message: 'No.' } }
    system.tenant.faults.on('graph', { answer: 403, body })
    const response = await post(system.mcp, statsCall, { token: await system.tokenFor('Alice') })
    const { request_id } = await system.auditLine(response)
    const { message, status, code } = await system.lineWith('"level":"error"', String(request_id))
    assert.match(
      String(message),
      /^GraphRefused \(code Authorization_RequestDenied\) at \w+ \(groups\.ts:\d+:\d+\)$/,
    )
    assert.deepEqual([status, code], [403, 'Authorization_RequestDenied'])
    for (const path of ['/server.js.map', '/app/server.js.map', '/server.js'])
      assert.equal((await fetch(new URL(path, system.mcp))).status, 404)
  })
})
