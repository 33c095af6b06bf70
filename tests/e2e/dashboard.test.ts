import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { executablePath, withoutBrowser } from '../chromium.ts'
import { happened, Ready, startCommand } from './npm-start.ts'
import { callTool, post, rpc } from './rpc.ts'
import { accessToken, SignIn, withLoginHint } from './sign-in.ts'

describe('The page at the tenant’s address', () => {
  const data = mkdtempSync(join(tmpdir(), 'dashboard-'))
  let command: ReturnType<typeof startCommand>
  let system: Ready
  before(async () => {
    command = startCommand(['--json'], { DATA_DIR: data })
    const { value } = await command.lines.next()
    system = Ready.parse(JSON.parse(value ?? command.errors()))
  })
  after(async () => {
    const exit = once(command.child, 'exit')
    command.child.kill('SIGINT')
    await exit
    rmSync(data, { recursive: true })
  })

  const tokenOf = (name: string) => {
    const upn = system.users.find((user) => user.name === name)?.upn ?? ''
    return accessToken(system.mcp, new SignIn(system.clientId, withLoginHint(upn)))
  }

  /** The status of a request that says another host than it goes to. */
  async function statusFor(path: string, host: string): Promise<number | undefined> {
    const call = request(new URL(path, system.tenant), { headers: { host } }).end()
    const [answer] = await once(call, 'response')
    answer.destroy()
    return answer.statusCode
  }

  it('is for this machine only, also by name', async () => {
    const { port } = new URL(system.tenant)
    for (const path of ['/', '/decisions']) {
      for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`])
        assert.equal(await statusFor(path, host), 200, `${host}${path}`)
      for (const host of ['evil.example', `localhost.evil.example:${port}`, 'localhost@evil.example', '%'])
        assert.equal(await statusFor(path, host), 403, `${host}${path}`)
    }
  })

  it('loads nothing, runs its own script only and is framed by nobody', async () => {
    const { headers } = await fetch(system.tenant)
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      /^default-src 'none';/,
      /script-src 'nonce-[\w+/=]+';/,
      /connect-src 'self';/,
      /frame-ancestors 'none'/,
    ])
      assert.match(policy, part)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('access-control-allow-origin'), null)
  })

  it('shows no token that somebody could use', async () => {
    const token = await tokenOf('Alice')
    await callTool(system.mcp, 'get_expense_stats', {}, { token })
    await happened(system.tenant, (page) => page.includes('Alice Adams'))
    const text = await (await fetch(system.tenant)).text()
    assert.match(text, /Alice Adams/)
    for (const part of token.split('.')) assert.ok(!text.includes(part))
    assert.doesNotMatch(text, /eyJ/)
  })

  describe('in Chromium', { skip: withoutBrowser }, () => {
    let browser: Browser
    let page: Page
    const complaints: string[] = []
    before(async () => {
      browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
      page = await browser.newPage()
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      await page.goto(system.tenant)
    })
    after(() => browser.close())

    /** The cells of the newest decision, as soon as `what` is among them. */
    async function newest(what: string): Promise<string> {
      const row = page.locator('#decisions tbody tr').first()
      await row.filter({ hasText: what }).waitFor()
      return row.innerText()
    }
    const claim = (name: string) =>
      page.locator('#live table').nth(1).locator('tr', { hasText: name }).first().innerText()
    const details = () => page.locator('#live').innerText()
    const titles = () => page.locator('#live table').nth(2).locator('thead th').allInnerTexts()
    const used = () => page.locator('#live li').allInnerTexts()

    it('shows a decision as it arrives, the token, the exchange and the edges used', async () => {
      const token = await tokenOf('Bob')
      await rpc(system.mcp, 'tools/call', { name: 'get_expense_stats', arguments: {} }, { token })
      assert.match(
        await newest('Bob Brown'),
        /Bob Brown\s+Expenses client\s+get_expense_stats\s+refused\s+deny:group not_admin\s+fetched/,
      )
      assert.match(await claim('aud'), /Expenses server\s+✓ checked\s+the client id/)
      assert.match(await claim('scp'), /user_impersonation.*\s✓ checked/)
      assert.match(await claim('preferred_username'), /bob@contoso.example\s+– not looked at/)
      assert.match(await details(), /Admin group: not a member, read from Microsoft Graph/)
      const exchange = page.locator('#live table').nth(2)
      assert.match(await exchange.innerText(), /Microsoft Graph[\s\S]*User\.Read/)
      assert.deepEqual(await used(), [
        'Expenses client → Expenses server: no prompt',
        'Expenses users → Expenses server: assigned',
        'expenses-server-identity → Expenses server: signs in as',
        'Expenses server → Microsoft Graph: User.Read',
      ])
      assert.equal(await page.locator('svg path.used').count(), 4)
    })

    it('shows that an admin was found in the group, where the tool asks for it', async () => {
      const token = await tokenOf('Alice')
      await callTool(system.mcp, 'get_expense_stats', {}, { token })
      assert.match(await newest('Alice Adams'), /done\s+accept/)
      assert.match(await details(), /Admin group: member, read from Microsoft Graph/)
      await callTool(system.mcp, 'get_user_expenses', {}, { token })
      await newest('get_user_expenses')
      assert.doesNotMatch(await details(), /Admin group/)
    })

    it('shows each exchange of a call that needs two APIs', async () => {
      const token = await tokenOf('Bob')
      await callTool(system.mcp, 'graph_get_profile', {}, { token })
      assert.match(await newest('graph_get_profile'), /fetched/)
      const [now, kept] = ['a token in exchange, fetched now', 'a token in exchange, from the cache']
      assert.deepEqual(await titles(), ['', 'the user’s token', now])
      await callTool(system.mcp, 'get_user_context', {}, { token })
      assert.match(await newest('get_user_context'), /fetched/)
      assert.deepEqual(await titles(), ['', 'the user’s token', kept, now])
      assert.deepEqual((await used()).slice(-2), [
        'Expenses server → Microsoft Graph: User.Read',
        'Expenses server → Azure DevOps: vso.profile',
      ])
      await callTool(system.mcp, 'get_user_context', {}, { token })
      await page.getByText('What was needed came from the server’s cache').waitFor()
      assert.deepEqual(await titles(), ['', 'the user’s token', kept, kept])
    })

    it('shows which scope is missing where that is why the server refused', async () => {
      const params = { name: 'cost_export', arguments: {} }
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
      await post(system.mcp, call, { token: await tokenOf('Bob') })
      assert.match(await newest('cost_export'), /refused\s+deny:scope insufficient_scope/)
      const row = page.locator('#live table').nth(1).locator('tr.refused')
      assert.match(
        await row.innerText(),
        /^scp\s.*user_impersonation.*\s✗ missing\s+the scope of the tool, cost\.export$/,
      )
      assert.match(await claim('aud'), /✓ checked/)
    })

    it('says that nothing was exchanged where nothing was', async () => {
      await callTool(system.mcp, 'get_user_expenses', {}, { token: await tokenOf('Bob') })
      assert.match(await newest('get_user_expenses'), /done\s+accept tool/)
      assert.match(await page.locator('#live').innerText(), /None: nothing had to be asked/)
      assert.equal((await used()).length, 2)
    })

    it('says why a token was refused, without a claim of it', async () => {
      await post(system.mcp, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { token: 'eyJ.eyJ.x' })
      assert.match(await newest('nobody known'), /refused\s+deny:token malformed/)
      assert.match(await page.locator('#live').innerText(), /before it knew who calls: malformed/)
      assert.deepEqual(await used(), [])
    })

    it('folds away what clients do without a tool, and keeps to the newest call of one', async () => {
      const token = await tokenOf('Bob')
      await callTool(system.mcp, 'get_user_expenses', {}, { token })
      await rpc(system.mcp, 'tools/list', {}, { token })
      const row = page.locator('#decisions tr.protocol').first()
      await row.waitFor({ state: 'attached' })
      assert.equal(await row.isVisible(), false)
      assert.match(await page.locator('[aria-current]').innerText(), /get_user_expenses/)
      await page.getByLabel('show lists').check()
      assert.match(await row.innerText(), /Bob Brown\s+Expenses client\s+done\s+accept list/)
      await callTool(system.mcp, 'get_user_expenses', {}, { token })
      await newest('get_user_expenses')
      assert.equal(await row.isVisible(), true)
      await page.getByLabel('show lists').uncheck()
    })

    it('says what the admin consent page has answered, as text', async () => {
      const address = new URL(`/${system.tenantId}/v2.0/adminconsent`, system.tenant)
      const scope = `${system.mcp}/cost.export`
      address.search = String(
        new URLSearchParams({
          client_id: system.clientId,
          scope,
          redirect_uri: new URL('/', system.tenant).href,
        }),
      )
      const line = page.locator('#consent')
      const answered = async (name: string) => {
        await page.goto(address.href)
        await page.getByText('More people to try').click()
        const person = page.getByRole('button', { name })
        const goodFor = await person.innerText()
        await person.click()
        await page.waitForURL(/admin_consent/)
        await line.filter({ hasText: 'onsent was given' }).waitFor()
        return { goodFor, answer: await line.innerText() }
      }
      const refused = await answered('Quinn')
      assert.match(refused.answer, /^No consent was given.* error=\w+, error_description=AADSTS90094/)
      const given = await answered('Olivia')
      assert.match(given.goodFor, /may consent for every user/)
      assert.match(given.answer, /^Consent was given.* admin_consent=True, scope=http.*cost\.export$/)
      await page.goto(`${system.tenant}/?error=no&error_description=<img src=x onerror=alert(1)>`)
      assert.match(await line.innerText(), /error_description=<img src=x/)
      assert.equal(await page.locator('img').count(), 0)
      await page.goto(system.tenant)
      assert.equal(await line.innerText(), '')
    })

    it('goes back to an older decision, stays there, and says when it is no longer kept', async () => {
      await page.locator('#decisions tr', { hasText: 'Alice Adams' }).getByRole('link').last().click()
      await page.waitForURL(/decision=/)
      await callTool(system.mcp, 'get_user_expenses', {}, { token: await tokenOf('Bob') })
      await newest('Bob Brown')
      assert.match(await claim('oid'), /Alice Adams/)
      const [box, row] = await Promise.all(
        ['.scroll', '[aria-current]'].map((one) => page.locator(one).boundingBox()),
      )
      assert.ok(
        box && row && row.y >= box.y && row.y + row.height <= box.y + box.height + 1 && box.height < 300,
      )
      const chosen = page.locator('[aria-current]')
      assert.match(await chosen.innerText(), /Alice Adams/)
      if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true })
      const token = await tokenOf('Bob')
      for (let call = 0; call < 30; call++) await callTool(system.mcp, 'get_user_expenses', {}, { token })
      await page.getByText('no longer kept: the last 30 are').waitFor()
      assert.equal(await chosen.count(), 0)
      assert.doesNotMatch(await details(), /Token of the call/)
      await page.getByRole('link', { name: 'Show the newest' }).click()
      assert.match(await chosen.innerText(), /Bob Brown/)
      assert.deepEqual(
        complaints.filter((text) => !text.includes('favicon')),
        [],
      )
    })
  })
})
