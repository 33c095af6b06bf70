import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { quoteLabel, renderMap } from '../../../scripts/whatif/report-map.ts'
import { executablePath, withoutBrowser } from '../../chromium.ts'
import { drawMermaid } from '../../mermaid.ts'
import { declaration, withoutCompiler } from '../graph/directory-harness.ts'
import { type Rehearsal, startRehearsal } from './rehearsal.ts'

it('writes no character of a name that Mermaid or a browser could read as its own', () => {
  assert.equal(quoteLabel('a "b" <c> #d; `e` [f]'), '"a #34;b#34; #60;c#62; #35;d#59; #96;e#96; #91;f#93;"')
})

describe('the identity map in Chromium', { skip: withoutCompiler || withoutBrowser }, () => {
  let tenant: Rehearsal
  let browser: Browser
  before(async () => {
    tenant = await startRehearsal()
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: ['--no-sandbox', '--disable-gpu'],
    })
  })
  after(async () => {
    await browser.close()
    await tenant.stop()
  })

  /** The texts of the drawing; SCREENSHOTS names a folder that keeps the pictures. */
  async function drawn(name: string, map: string): Promise<string[]> {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    const alarms: string[] = []
    page.on('dialog', (dialog) => {
      alarms.push(dialog.message())
      void dialog.dismiss()
    })
    try {
      await drawMermaid(page, map)
      const texts = await page.locator('.nodeLabel, .edgeLabel, .cluster-label').allTextContents()
      if (process.env.SCREENSHOTS)
        await page
          .locator('svg')
          .first()
          .screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` })
      assert.deepEqual(alarms, [])
      return texts.map((text) => text.trim())
    } finally {
      await page.close()
    }
  }

  it('shows clients, scopes, apps, groups, identities and downstream APIs', async () => {
    const texts = await drawn('first-deployment', renderMap(await tenant.ask()))
    for (const wanted of [
      'Visual Studio Code',
      'user_impersonation',
      '+ Expenses MCP server (dev)',
      "+ Expenses MCP server on developers' machines (dev)",
      '+ Expenses MCP server: users (dev)',
      '+ User.Read',
      'Microsoft Graph',
      '+ signs in as',
      '+ assigned',
    ])
      assert.ok(texts.includes(wanted), `${wanted} in ${texts.join(' | ')}`)
  })

  it('marks what changes and leaves the rest plain', async () => {
    await tenant.up()
    const real = await declaration()
    const [scope] = real.scopes
    const [code] = real.clients
    const hostile = {
      name: '<img src=x onerror=alert(1)> "]; click n0 "javascript:alert(2)"',
      appId: 'c0c0c0c0-1111-4222-8333-444444444444',
    }
    const extra = { ...scope, value: 'extra', id: 'e0e0e0e0-1111-4222-8333-444444444444' }
    const permissions = { ...real, scopes: [scope, extra], clients: [code, hostile] }
    const texts = await drawn('changes', renderMap(await tenant.ask({ permissions })))
    assert.ok(texts.includes('~ Expenses MCP server (dev)'))
    assert.ok(texts.includes('+ extra'))
    assert.ok(texts.includes(hostile.name), texts.join(' | '))
    assert.ok(texts.includes('− no prompt') && texts.includes('no prompt') && texts.includes('+ no prompt'))
    assert.ok(texts.includes('User.Read') && !texts.includes('+ User.Read'))
  })
})
