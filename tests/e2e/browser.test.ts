import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { executablePath, withoutBrowser } from '../chromium.ts'
import { toolNames } from './rpc.ts'
import { accessToken, SignIn } from './sign-in.ts'
import { type System, startSystem } from './system.ts'

const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

describe('the sign-in page in Chromium', { skip: withoutBrowser }, () => {
  let system: System
  let browser: Browser
  before(async () => {
    system = await startSystem()
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: quiet })
  })
  after(async () => {
    await browser.close()
    await system.stop()
  })

  /** Where the browser comes back to, as a desktop client would listen. */
  async function callback() {
    const server = createServer(
      (_request, response) => void response.end('You can close this window.'),
    ).listen(0, 'localhost')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { url: `http://localhost:${port}/callback`, close: () => server.close().closeAllConnections() }
  }

  it('shows Alice and Bob, and folds away the others with what each is good for', async () => {
    const page = await browser.newPage()
    const browse = async (authorizeUrl: URL) => {
      await page.goto(authorizeUrl.href)
      return new URL('http://localhost/?code=none')
    }
    const signIn = new SignIn(system.seed.clientId, browse)
    // There is no such code; the page stands all the same.
    await assert.rejects(accessToken(system.mcp, signIn))
    const names = async () =>
      (await page.getByRole('button').allInnerTexts()).map((text) => text.split(' ')[0])
    assert.deepEqual(await names(), ['Alice', 'Bob'])
    await page.getByText('More people to try').click()
    assert.deepEqual(await names(), ['Alice', 'Bob', 'Carol', 'Dave', 'Olivia', 'Peter', 'Quinn'])
    for (const person of await page.locator('details').getByRole('button').all())
      assert.ok((await person.locator('.note').innerText()).length > 20)
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true })
    await page.close()
  })

  for (const [name, tools] of [
    ['Alice', 3],
    ['Bob', 2],
  ] as const) {
    it(`is clicked through by ${name}, who then sees ${tools} tools`, async () => {
      const client = await callback()
      const page = await browser.newPage()
      const complaints: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      try {
        const browse = async (authorizeUrl: URL) => {
          await page.goto(authorizeUrl.href)
          assert.match(await page.title(), /account/i)
          if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT })
          await page.getByRole('button', { name: new RegExp(name) }).click()
          await page.waitForURL(`${client.url}**`)
          return new URL(page.url())
        }
        const token = await accessToken(system.mcp, new SignIn(system.seed.clientId, browse, client.url))
        assert.equal((await toolNames(system.mcp, token)).length, tools)
        assert.deepEqual(
          complaints.filter((text) => !text.includes('favicon')),
          [],
        )
      } finally {
        await page.close()
        client.close()
      }
    })
  }
})
