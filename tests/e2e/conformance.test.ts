import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type System, startSystem } from './system.ts'

const run = promisify(execFile)
const suite = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

/**
 * The suite cannot send a bearer token: this adds one. A Host or Origin that names the proxy becomes the
 * server's; every other, such as a hostile one, passes unchanged.
 */
async function tokenAddingProxy(mcp: string, token: string) {
  const { host, port, hostname } = new URL(mcp)
  const proxy = createServer((incoming, outgoing) => {
    const own = incoming.headers.host === `localhost:${(proxy.address() as AddressInfo).port}`
    const headers = {
      ...incoming.headers,
      authorization: `Bearer ${token}`,
      ...(own && { host, origin: `http://${host}` }),
    }
    const forwarded = request(
      { hostname, port, path: incoming.url, method: incoming.method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    incoming.pipe(forwarded)
  }).listen(0, 'localhost')
  await once(proxy, 'listening')
  return {
    url: `http://localhost:${(proxy.address() as AddressInfo).port}/mcp`,
    close: () => proxy.close().closeAllConnections(),
  }
}

describe('the MCP conformance suite', () => {
  let system: System
  let proxy: Awaited<ReturnType<typeof tokenAddingProxy>>
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  before(async () => {
    system = await startSystem()
    proxy = await tokenAddingProxy(system.mcp, await system.tokenFor('Alice'))
  })
  after(async () => {
    proxy.close()
    await system.stop()
    rmSync(folder, { recursive: true })
  })

  for (const scenario of ['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection']) {
    it(`passes ${scenario}`, async () => {
      const { stdout } = await run(
        process.execPath,
        [suite, 'server', '--url', proxy.url, '--scenario', scenario],
        { cwd: folder },
      )
      assert.match(stdout, /Passed: (\d+)\/\1, 0 failed, 0 warnings/)
    })
  }
})
