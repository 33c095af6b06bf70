import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { type System, startSystem } from './system.ts'

const run = promisify(execFile)
const home = new URL('../../node_modules/@modelcontextprotocol/conformance/', import.meta.url)
const suite = fileURLToPath(new URL('dist/index.js', home))

const ITS_OWN_TOOLS =
  'calls tools of the suite’s own server (test_…), which a server of a domain does not have'
const NOT_OFFERED = 'this server declares tools only: no resources, prompts, completions or logging'
const STATELESS = 'a server without sessions sends no requests and keeps no streams'

/** What of the required scenarios does not apply, and why; everything else must pass. */
const DOES_NOT_APPLY: [RegExp, string][] = [
  [/^(tools-call|elicitation|input-required-result)-/, ITS_OWN_TOOLS],
  [/^(resources|prompts|completion|logging)-|^sep-2164-resource-not-found$/, NOT_OFFERED],
  [/^server-sse-multiple-streams$/, STATELESS],
]
/** Scenarios that the suite has beside those that it requires, and that apply. */
const BEYOND: Record<string, string[]> = {
  '2025-11-25': [],
  '2026-07-28': ['http-header-validation', 'input-required-result-unsupported-methods'],
}
/** Checks of applicable scenarios that the suite itself calls untestable here. */
const UNTESTABLE: Record<string, string> = {
  'sep-2575-server-rejects-undeclared-capability': ITS_OWN_TOOLS,
  'sep-2575-missing-capability-http-400': ITS_OWN_TOOLS,
  'sep-2575-http-server-no-independent-requests-on-stream': ITS_OWN_TOOLS,
  'sep-2575-server-no-log-without-loglevel': ITS_OWN_TOOLS,
  'sep-2549-prompts-list-caching-hints': NOT_OFFERED,
  'sep-2549-resources-list-caching-hints': NOT_OFFERED,
  'sep-2549-resources-templates-list-caching-hints': NOT_OFFERED,
}
const Required = z.object({ server: z.array(z.string()) })
const Checks = z.array(z.object({ id: z.string(), status: z.string() }))

const required = (version: string) =>
  Required.parse(parse(readFileSync(new URL(`requirements/${version}.yaml`, home), 'utf8'))).server

const whyNot = (scenario: string) => DOES_NOT_APPLY.find(([pattern]) => pattern.test(scenario))?.[1]

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

  /** Every check of one scenario; the suite ends with 1 when one has failed, and has written them down by then. */
  async function checksOf(version: string, scenario: string) {
    const results = join(folder, version, scenario)
    const options = ['--spec-version', version, '--scenario', scenario, '--output-dir', results]
    await run(process.execPath, [suite, 'server', '--url', proxy.url, ...options], { cwd: folder }).catch(
      () => undefined,
    )
    const [report] = readdirSync(results)
    return Checks.parse(JSON.parse(readFileSync(join(results, report ?? '', 'checks.json'), 'utf8')))
  }

  for (const [version, beyond] of Object.entries(BEYOND)) {
    const applicable = [...required(version).filter((scenario) => !whyNot(scenario)), ...beyond]
    for (const scenario of applicable) {
      it(`of ${version} passes ${scenario}`, async () => {
        const checks = await checksOf(version, scenario)
        assert.ok(checks.some(({ status }) => status === 'SUCCESS'))
        const faults = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
        assert.deepEqual(
          faults.filter(({ id }) => !(id in UNTESTABLE)),
          [],
        )
      })
    }
  }

  it('requires nothing else that applies', () => {
    const rest = (version: string) => required(version).filter((scenario) => !whyNot(scenario))
    assert.deepEqual(rest('2025-11-25'), [
      'server-initialize',
      'ping',
      'tools-list',
      'dns-rebinding-protection',
    ])
    assert.deepEqual(rest('2026-07-28'), [
      'server-stateless',
      'tools-list',
      'dns-rebinding-protection',
      'caching',
    ])
  })
})
