import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { chromium } from 'playwright-core'
import { Problem } from '../../../scripts/cli/problem.ts'
import { Person } from '../../../scripts/client/person.ts'
import { describeServer } from '../../../scripts/client/server.ts'
import { connected, toolAnswer, toolList } from '../../../scripts/client/tools.ts'
import { executablePath, withoutBrowser } from '../../chromium.ts'
import { lunch } from '../../e2e/rpc.ts'
import { type System, startSystem } from '../../e2e/system.ts'
import { browse } from './browse.ts'
import { changeKept, isPoll, secretsIn, typeCode } from './desk.ts'

const DAY = 24 * 60 * 60_000
/** As if the kept access token had expired, so that the refresh token has to do. */
const EXPIRED = { expires_on: '1', extended_expires_on: '1' }

describe('a person with the client', () => {
  let system: System
  let ahead = 0
  before(async () => {
    system = await startSystem({}, undefined, () => Date.now() + ahead)
  })
  after(() => system.stop())

  let folder: string
  let file: string
  let printed: string[]
  /** The pages that the browser was sent to. */
  let pages: URL[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'person-'))
    file = join(folder, 'kept', 'tokens.json')
    printed = []
    pages = []
    ahead = 0
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  type Way = 'browser' | 'device code'
  type Sit = { way?: Way | undefined; openBrowser?: (page: string) => Promise<unknown> }

  /** One run of the command: a new process would know no more than what is on disk. */
  async function person(user: string, sit: Sit = { way: 'browser' }) {
    const usual = (page: string) => {
      pages.push(new URL(page))
      return browse(page, user)
    }
    return new Person({
      server: await describeServer(system.mcp),
      clientId: system.seed.clientId,
      file,
      way: sit.way,
      openBrowser: sit.openBrowser ?? usual,
      print: (line) => printed.push(line),
    })
  }
  const list = async (user: string, sit?: Sit) =>
    connected(system.mcp, await person(user, sit), (client) => toolList(client, 'tables'))
  const call = async (user: string, tool: string, sit?: Sit) =>
    connected(system.mcp, await person(user, sit), (client) => toolAnswer(client, tool, {}, 'json'))
  const nobodySits = { way: undefined }
  const problem = (said: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Problem, String(error))
    assert.match(error.message, said)
    return true
  }

  it('signs in with the browser, with PKCE and the resource, and from then on silently', async () => {
    assert.match(await list('Alice'), /get_expense_stats/)
    const [page] = pages
    assert.equal(page?.origin, system.tenant.url)
    const asked = (name: string) => page?.searchParams.get(name)
    assert.equal(asked('code_challenge_method'), 'S256')
    assert.equal(asked('resource'), system.mcp)
    assert.equal(asked('prompt'), 'select_account')
    assert.match(asked('redirect_uri') ?? '', /^http:\/\/localhost:\d+$/)
    assert.match(asked('scope') ?? '', new RegExp(`^${system.mcp}/user_impersonation `))

    const { token } = system.tenant.counters
    assert.match(await list('nobody', nobodySits), /get_expense_stats/)
    assert.equal(system.tenant.counters.token, token)
    for (const secret of await secretsIn(file)) assert.ok(!printed.join().includes(secret))
  })

  it('signs in with a real browser', { skip: withoutBrowser }, async () => {
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
    try {
      const openBrowser = async (address: string) => {
        const page = await browser.newPage()
        await page.goto(address)
        await page.getByRole('button', { name: /Bob/ }).click()
        await page.getByText('You can close this window').waitFor()
      }
      assert.doesNotMatch(await list('Bob', { way: 'browser', openBrowser }), /get_expense_stats/)
    } finally {
      await browser.close()
    }
  })

  it('shows the page to open where no browser can be started', async () => {
    const openBrowser = async () => {
      const page = printed.at(-1)?.split('\n')[1] ?? ''
      setImmediate(() => void browse(page, 'Bob'))
      throw new Error('no browser here')
    }
    assert.match(await list('Bob', { way: 'browser', openBrowser }), /get_user_expenses/)
  })

  it('tells who may not come in by the number alone', async () => {
    await assert.rejects(
      list('Dave'),
      problem(/^The sign-in was refused: AADSTS50105\n.*\n {2}fix: Ask for membership/),
    )
    await assert.rejects(readdir(join(folder, 'kept')), { code: 'ENOENT' })
  })

  it('refreshes silently once the access token has expired', async () => {
    await list('Alice')
    await changeKept(file, EXPIRED)
    const { token } = system.tenant.counters
    assert.match(await list('nobody', nobodySits), /get_expense_stats/)
    assert.equal(system.tenant.counters.token, token + 1)
  })

  it('signs in again when the refresh token has expired too', async () => {
    await list('Alice')
    await changeKept(file, EXPIRED)
    ahead = 91 * DAY
    await assert.rejects(
      list('nobody', nobodySits),
      problem(/^A further sign-in is wanted: .* the last one has ended\.\n[\s\S]*this is no terminal/),
    )
    const openBrowser = async (page: string) => {
      ahead = 0
      assert.equal(new URL(page).searchParams.get('login_hint'), 'alice@contoso.example')
      await browse(page, 'nobody')
    }
    assert.match(await list('Alice', { way: 'browser', openBrowser }), /get_expense_stats/)
  })

  it('tells why the new sign-in fails, not why the old one ended', async () => {
    await list('Alice')
    await changeKept(file, EXPIRED)
    ahead = 91 * DAY
    const alice = system.tenant.directory.user('alice@contoso.example')
    assert.ok(alice)
    const openBrowser = async (page: string) => {
      ahead = 0
      alice.accountEnabled = false
      await browse(page, 'nobody')
    }
    try {
      await assert.rejects(list('Alice', { way: 'browser', openBrowser }), problem(/AADSTS50057\n/))
    } finally {
      alice.accountEnabled = true
    }
  })

  it('lets go of a scope that is no more', async () => {
    await list('Alice')
    const target = `${system.mcp}/user_impersonation ${system.mcp}/gone openid profile`
    await changeKept(file, { ...EXPIRED, target })
    assert.match(await list('nobody', nobodySits), /get_expense_stats/)
    assert.match(await list('nobody', nobodySits), /get_expense_stats/)
  })

  it('gets another token when the server refuses the kept one', async () => {
    await list('Alice')
    await changeKept(file, { secret: await system.tenant.sign({ aud: 'another' }) })
    assert.match(await list('nobody', nobodySits), /get_expense_stats/)
  })

  it('asks for the scope that a call lacks, and repeats the call once', async () => {
    await list('Alice')
    const old = await system.tokenFor('Alice')
    const claims = JSON.parse(Buffer.from(old.split('.')[1] ?? '', 'base64url').toString())
    await changeKept(file, { secret: await system.tenant.sign({ ...claims, scp: 'something_else' }) })
    assert.match(await call('nobody', 'get_user_expenses', nobodySits), /expenses/)
  })

  it('ends with the server’s words when the new token is refused as well', async () => {
    await list('Alice')
    const signed = system.environment.ENTRA_CLIENT_ID ?? ''
    const api = system.tenant.directory.application(signed)
    assert.ok(api)
    api.api.requestedAccessTokenVersion = 1
    try {
      await changeKept(file, EXPIRED)
      await assert.rejects(
        list('Alice'),
        problem(/^The server refuses: The access token's .*\n.*\n {2}fix: .*--sign-out/),
      )
      assert.equal(pages.length, 1)
    } finally {
      api.api.requestedAccessTokenVersion = 2
    }
  })

  describe('that Conditional Access asks for more', () => {
    let members: string[]
    const carol = () => system.seed.users.find(({ name }) => name === 'Carol')?.oid ?? ''
    before(() => {
      members =
        system.tenant.directory.groups.find(({ id }) => id === system.seed.adminGroupId)?.members ?? []
      members.push(carol())
    })
    after(() => members.splice(members.indexOf(carol()), 1))

    it('gives the proof in the browser, once, and then gets the answer', async () => {
      assert.match(await list('Carol'), /get_expense_stats/)
      assert.match(await call('Carol', 'get_expense_stats'), /categories/)
      assert.equal(pages.length, 2)
      const claims = JSON.parse(pages[1]?.searchParams.get('claims') ?? '{}')
      assert.deepEqual(claims.access_token.acrs, { essential: true, value: 'c1' })
      assert.deepEqual(claims.access_token.xms_cc, { values: ['cp1'] })
      assert.equal(pages[1]?.searchParams.get('login_hint'), 'carol@contoso.example')
      await changeKept(file, EXPIRED)
      assert.match(await call('nobody', 'get_expense_stats', nobodySits), /categories/)
    })

    it('gives the proof with a device code', async () => {
      await list('Carol')
      const polls = system.tenant.faults.on('token', { hang: true, times: 1, only: isPoll })
      const answer = call('Carol', 'get_expense_stats', { way: 'device code' })
      await Promise.race([polls.reached(1), answer])
      await typeCode(printed.at(-1) ?? '', { user: 'carol@contoso.example' })
      polls.clear()
      assert.match(await answer, /categories/)
    })

    it('cannot give it where nobody sits', async () => {
      await list('Carol')
      await assert.rejects(
        call('Carol', 'get_expense_stats', nobodySits),
        problem(/^A further authentication[\s\S]*this is no terminal/),
      )
    })

    it('refuses to go on as somebody else, and forgets them', async () => {
      await list('Carol')
      const openBrowser = async (page: string) => {
        const other = new URL(page)
        other.searchParams.set('login_hint', 'bob@contoso.example')
        await browse(other.href, 'nobody')
      }
      const asBob = call('Carol', 'get_expense_stats', { way: 'browser', openBrowser })
      await assert.rejects(asBob, problem(/^Somebody else signed in than before/))
      await assert.rejects(call('Carol', 'get_expense_stats', nobodySits), problem(/this is no terminal/))
    })
  })

  it('says when to come back while Entra is busy, and does not ask for a new sign-in', async () => {
    await list('Alice')
    await changeKept(file, EXPIRED)
    const busy = system.tenant.faults.on('token', { status: 429, retryAfter: 17 })
    await assert.rejects(list('Alice'), problem(/^Entra ID is busy\.\n[\s\S]*again in 17 seconds/))
    busy.clear()
    assert.equal(pages.length, 1)
  })

  it('says when to come back while the server cannot load Entra’s keys', async () => {
    await list('Alice')
    const keys = system.tenant.faults.on('keys', { status: 503 })
    await system.restart()
    await assert.rejects(list('Alice'), problem(/^The server is busy\.\n[\s\S]*again in \d+ seconds/))
    keys.clear()
    await system.restart()
  })

  it('takes kept tokens of every broken form for none', async () => {
    await mkdir(join(folder, 'kept'))
    const broken = [
      '',
      '{',
      'null',
      '[]',
      '{"Account":5}',
      '\0',
      '{"Account":{"a":{}},"AccessToken":{"b":{}}}',
    ]
    for (const text of broken) {
      await writeFile(file, text)
      await assert.rejects(list('nobody', nobodySits), problem(/^Nobody is signed in/))
      assert.match(await list('Alice'), /get_expense_stats/, text)
      assert.match(await list('nobody', nobodySits), /get_expense_stats/)
    }
  })

  it('goes on where the tokens cannot be kept', async () => {
    await writeFile(join(folder, 'kept'), 'a file where the folder should be')
    assert.match(await list('Alice'), /get_expense_stats/)
    assert.match(printed.join('\n'), /cannot be written \(\w+\): the next call signs in again/)
  })

  it('keeps one whole file, also when two calls sign in at once', async () => {
    await Promise.all([list('Alice'), list('Alice')])
    assert.deepEqual(await readdir(join(folder, 'kept')), ['tokens.json'])
    assert.match(await list('nobody', nobodySits), /get_expense_stats/)
  })

  it('sends an expense once when its token had to be replaced', async () => {
    await list('Bob')
    await changeKept(file, { secret: await system.tenant.sign({ aud: 'another' }) })
    const bob = await person('nobody', nobodySits)
    const args = lunch({ description: 'once' })
    await connected(system.mcp, bob, (client) => toolAnswer(client, 'add_user_expense', args, 'json'))
    const answer = await call('nobody', 'get_user_expenses', nobodySits)
    assert.equal(answer.split('"once"').length, 2)
  })
})

describe('a person whose calls are too many', () => {
  it('is told when to come back', async () => {
    const system = await startSystem({ RATE_LIMIT_PER_MINUTE: '2' })
    const folder = await mkdtemp(join(tmpdir(), 'person-'))
    try {
      const server = await describeServer(system.mcp)
      const person = (user: string) =>
        new Person({
          server,
          clientId: system.seed.clientId,
          file: join(folder, `${user}.json`),
          way: 'browser',
          openBrowser: (page) => browse(page, user),
          print: () => undefined,
        })
      const list = () => connected(system.mcp, person('Alice'), (client) => toolList(client, 'tables'))
      await list()
      await assert.rejects(list(), /The server is busy\.\n[\s\S]*The same command again in \d+ seconds\./)
      // A call is refused in words.
      const called = connected(system.mcp, person('Bob'), async (client) => {
        await toolAnswer(client, 'get_user_expenses', {}, 'json')
        return toolAnswer(client, 'get_user_expenses', {}, 'json')
      })
      await assert.rejects(called, /^Problem: get_user_expenses says: .* Try again in \d+ seconds\./)
    } finally {
      await system.stop()
      await rm(folder, { recursive: true })
    }
  })
})

describe('a person whose call takes a scope of type Admin', () => {
  it('is sent to the page with the administrator’s command when Entra refuses, and stays signed in', async () => {
    const system = await startSystem({ TOOL_SETS: 'expenses,costs' })
    const folder = await mkdtemp(join(tmpdir(), 'person-'))
    try {
      const server = await describeServer(system.mcp)
      const call = (tool: string, way?: 'browser') => {
        const bob = new Person({
          ...{ server, clientId: system.seed.clientId, file: join(folder, 'bob.json'), way },
          openBrowser: (page) => browse(page, 'Bob'),
          print: () => undefined,
        })
        return connected(system.mcp, bob, (client) => toolAnswer(client, tool, {}, 'json'))
      }
      await call('get_user_expenses', 'browser')
      await assert.rejects(call('cost_export', 'browser'), (error) => {
        assert.ok(error instanceof Problem, String(error))
        assert.match(error.message, /^The sign-in was refused: AADSTS90094\n/)
        assert.match(error.message, /An administrator has not consented to a scope/)
        assert.match(error.message, /\n {2}fix: .*docs\/tools\.md, "Scopes of type Admin"/)
        return true
      })
      await assert.rejects(call('cost_export'), /A further sign-in is wanted: for another scope/)
      assert.match(await call('get_user_expenses'), /expenses/)
    } finally {
      await system.stop()
      await rm(folder, { recursive: true })
    }
  })
})
