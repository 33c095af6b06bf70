import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { freePort } from '../../../scripts/emulators/loopback.ts'
import { lunch } from '../../e2e/rpc.ts'
import { type System, startSystem } from '../../e2e/system.ts'
import { type Desk, makeDesk, secretsIn } from './desk.ts'

describe('npm run client', () => {
  let system: System
  let desk: Desk
  before(async () => {
    system = await startSystem()
  })
  after(() => system.stop())
  beforeEach(async () => {
    desk = await makeDesk()
    system.tenant.faults.resetCounters()
  })
  afterEach(() => desk.remove())

  const call = (...args: string[]) => desk.run(['--url', system.mcp, ...args])
  const failed = async (args: string[], said: RegExp) => {
    const { code, stdout, stderr } = await call(...args)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, said)
    assert.match(stderr, /\n {2}fix: ./)
  }

  it('signs in with a device code, and from then on silently', async () => {
    const first = await desk.signIn(system, 'Alice', ['add_user_expense', JSON.stringify(lunch())])
    assert.equal(first.code, 0, first.stderr)
    assert.match(
      first.stderr,
      /^To sign in, use a web browser to open the page http:\/\/localhost:\d+\/.*\nSigned in\./,
    )
    assert.match(
      first.stdout,
      /^replayed: false\n\nexpense\nid +date +amount +category +description +payment_method\n/,
    )
    assert.match(first.stdout, /2026-03-01 +12\.5 {2}food +Lunch +visa\n$/)

    const { token } = system.tenant.counters
    const second = await call('get_user_expenses', '{"limit": 5}')
    assert.deepEqual([second.code, second.stderr], [0, ''])
    assert.match(second.stdout, /Lunch/)
    assert.equal(system.tenant.counters.token, token)
  })

  it('keeps the tokens in a file that only the user can read, and prints none of them', async () => {
    const { stdout, stderr } = await desk.signIn(system, 'Bob', ['--list', '--json'])
    const file = desk.file(system.mcp)
    if (process.platform !== 'win32') {
      assert.equal((await stat(file)).mode & 0o777, 0o600)
      assert.equal((await stat(dirname(file))).mode & 0o777, 0o700)
    }
    const secrets = await secretsIn(file)
    assert.equal(secrets.length, 3)
    for (const secret of secrets) assert.ok(!`${stdout}${stderr}`.includes(secret))
  })

  it('lists the tools of the caller, with their arguments', async () => {
    const bob = await desk.signIn(system, 'Bob', ['--list'])
    assert.match(
      bob.stdout,
      /^tool +does +arguments\nadd_user_expense +Records .* date amount category=food\|transport\|/,
    )
    assert.match(bob.stdout, /idempotency_key\?\nget_user_expenses +Lists/)
    assert.doesNotMatch(bob.stdout, /get_expense_stats/)
  })

  it('gives programs JSON alone', async () => {
    await desk.signIn(system, 'Alice', ['--list'])
    const list = await call('--list', '--json')
    assert.deepEqual(
      JSON.parse(list.stdout).map(({ name }: { name: string }) => name),
      ['add_user_expense', 'get_user_expenses', 'get_expense_stats'],
    )
    const stats = await call('get_expense_stats', '--json')
    assert.equal(stats.stderr, '')
    assert.ok(JSON.parse(stats.stdout).categories.food)
    assert.match((await call('get_expense_stats')).stdout, /categories\n +count +total\nfood +\d+ +[\d.]+\n/)
  })

  it('signs out: the tokens are gone, and nobody is signed in', async () => {
    await desk.signIn(system, 'Alice', ['--list'])
    assert.match((await call('--sign-out')).stderr, /Signed out/)
    await assert.rejects(stat(desk.file(system.mcp)), { code: 'ENOENT' })
    await failed(['--list'], /Nobody is signed in/)
    assert.equal((await call('--sign-out')).code, 0)
  })

  it('does not wait for a sign-in where there is no terminal', async () => {
    await failed(
      ['get_user_expenses'],
      /Nobody is signed in to .*\n.*this is no terminal\.\n.*--device-code, or --service/,
    )
    assert.equal(system.tenant.counters.token, 0)
  })

  it('tells that the sign-in was declined, and who may not come in', async () => {
    const declined = await desk.signIn(system, '', ['--list'])
    assert.deepEqual([declined.code, declined.stdout], [1, ''])
    assert.match(declined.stderr, /refused: AADSTS70018\n {2}why: Somebody pressed Cancel/)
    const dave = await desk.signIn(system, 'Dave', ['--list'])
    assert.match(dave.stderr, /refused: AADSTS50105\n.*\n {2}fix: Ask for membership/)
    assert.doesNotMatch(dave.stderr, /dave@/)
  })

  it('tells where device codes are off', async () => {
    const client = system.tenant.directory.application(system.seed.clientId)
    assert.ok(client)
    client.isFallbackPublicClient = false
    try {
      const { code, stderr } = await desk.signIn(system, 'Alice', ['--list'])
      assert.equal(code, 1)
      assert.match(stderr, /refused: AADSTS7000218\n.*\n {2}fix: Sign in with a browser/)
    } finally {
      client.isFallbackPublicClient = true
    }
  })

  it('names the tools that there are when one is called that is not there', async () => {
    await desk.signIn(system, 'Bob', ['--list'])
    const tools = /There are: add_user_expense, get_user_expenses\./
    await failed(['get_user_expense'], tools)
    await failed(['get_expense_stats'], tools)
  })

  it('tells in the tool’s own words what is wrong with its arguments', async () => {
    await desk.signIn(system, 'Bob', ['--list'])
    await failed(['get_user_expenses', '{"limit": 0}'], /must be at least 1/)
  })

  it('refuses a wrong command line before it asks anybody', async () => {
    for (const args of [
      [],
      ['a', '{}', 'b'],
      ['--list', 'foo'],
      ['--sign-out', 'foo'],
      ['a', '[]'],
      ['a', '{'],
      ['a', 'null'],
      ['--jason'],
      ['--list', '--service'],
    ])
      await failed(args, /fix: npm run client -- --help/)
    assert.match((await call('--help')).stdout, /^npm run client -- <tool> \[json\]/)
  })

  it('says which server does not answer', async () => {
    const nobody = `http://localhost:${await freePort()}/mcp`
    await failed(
      ['--list', '--url', nobody],
      /localhost:\d+\/mcp does not answer: ECONNREFUSED\n[\s\S]*npm start/,
    )
    for (const url of ['http://mcp.contoso.example/mcp', 'nonsense'])
      for (const what of ['--list', '--sign-out'])
        await failed([what, '--url', url], /is no URL of an MCP server: https/)
    await failed(['--list', '--url', `${system.mcp}/`], /calls itself .*\/mcp\.\n.*\n {2}fix: --url http/)
    await failed(['--list', '--url', `${system.tenant.url}/mcp`], /no MCP server behind Entra ID/)
  })

  it('takes broken kept tokens for none', async () => {
    await desk.signIn(system, 'Alice', ['--list'])
    await writeFile(desk.file(system.mcp), '{"Account":{"a":')
    await failed(['--list'], /cannot be read: as if nobody had signed in\.\n✗ Nobody is signed in/)
    assert.equal((await desk.signIn(system, 'Alice', ['--list'])).code, 0)
    assert.equal((await call('--list')).code, 0)
  })

  it('calls the server of the azd environment, and `npm start` where there is none', async () => {
    await desk.setAzd({ SERVER_URL: system.mcp })
    assert.match((await desk.run(['--list'])).stderr, new RegExp(`Nobody is signed in to ${system.mcp}`))
    await desk.setAzd({ SERVER_URL: 'http://localhost:1/mcp' })
    assert.match((await desk.run(['--list'], { SERVER_URL: system.mcp })).stderr, /Nobody is signed in/)
    assert.match((await desk.run(['--list'])).stderr, /localhost:1\/mcp/)
    await desk.setAzd()
    assert.match((await desk.run(['--sign-out'])).stderr, /Signed out of http:\/\/localhost:8080\/mcp/)
    assert.match((await desk.run(['--list', '-e', 'prod'])).stderr, /azd env get-values.* failed/)
  })
})
