import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { executablePath, withoutBrowser } from '../chromium.ts'
import { callTool, lunch } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const entry = fileURLToPath(new URL('page-client.ts', import.meta.url))
const quiet = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking']

describe('a page in Chromium with the SDK', { skip: withoutBrowser }, () => {
  let system: System
  let browser: Browser
  let site: Server
  let origin: string
  before(async () => {
    system = await startSystem()
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'chrome120',
      logLevel: 'error',
    })
    const script = outputFiles[0]?.text ?? ''
    site = createServer((request, response) => {
      if (request.url === '/page.js') return response.setHeader('content-type', 'text/javascript').end(script)
      response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
    }).listen(0, 'localhost')
    await once(site, 'listening')
    origin = `http://localhost:${(site.address() as AddressInfo).port}`
    // What the registration of a page has. Loopback redirects of other clients differ in the path: ports do not count.
    const client = system.seed.directory.application(system.seed.clientId)
    if (client) client.spa = { redirectUris: [`${origin}/signed-in`] }
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: quiet })
  })
  after(async () => {
    await browser.close()
    site.close().closeAllConnections()
    await system.stop()
  })

  for (const sdk of ['v1', 'v2']) {
    it(`signs Bob in, lists his tools and calls one, all across origins, with SDK ${sdk}`, async () => {
      const token = await system.tokenFor('Bob')
      await callTool(system.mcp, 'add_user_expense', lunch({ description: 'seen in a page' }), { token })
      const page = await browser.newPage()
      const sent = new Set<string>()
      page.on('request', (request) => sent.add(`${request.method()} ${new URL(request.url()).pathname}`))
      try {
        await page.goto(
          `${origin}/?${new URLSearchParams({ sdk, mcp: system.mcp, client: system.seed.clientId })}`,
        )
        await page.getByRole('button', { name: /Bob/ }).click()
        await page.waitForURL(`${origin}/signed-in?**`)
        await page.waitForFunction('document.title !== ""')
        const { tools, result } = JSON.parse(await page.title())
        assert.deepEqual(tools, ['add_user_expense', 'get_user_expenses'])
        assert.match(JSON.stringify(result), /seen in a page/)
        assert.ok(sent.has('POST /mcp') && sent.has('GET /.well-known/oauth-protected-resource/mcp'))
      } finally {
        await page.close()
      }
    })
  }

  it('of a foreign origin cannot read a thing', async () => {
    const strict = await startSystem({ EXTRA_SERVER_URLS: 'https://mcp.contoso.com/mcp' })
    const page = await browser.newPage()
    try {
      await page.goto(origin)
      const read = await page.evaluate(
        (url) =>
          fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then(
            ({ status }) => status,
            (error: Error) => error.name,
          ),
        strict.mcp,
      )
      assert.equal(read, 'TypeError')
    } finally {
      await page.close()
      await strict.stop()
    }
  })
})
