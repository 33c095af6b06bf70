import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text as readAll } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { loadDeclaration } from '../../app/declaration.ts'
import { everyToolSet } from '../../app/permissions.ts'
import { freePort } from '../../scripts/emulators/loopback.ts'
import { startCommand } from '../e2e/npm-start.ts'
import { post } from '../e2e/rpc.ts'
import { type System, startSystem } from '../e2e/system.ts'
import { type Desk, makeDesk } from '../scripts/client/desk.ts'
import { RUN } from './block-claims.ts'
import { block, callIn } from './blocks.ts'
import { assertShown } from './compare-output.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('npm start', () => {
  it('prints what README.md and docs/local.md show', async () => {
    const data = await mkdtemp(join(tmpdir(), 'blocks-'))
    const { child, lines, errors } = startCommand([], { DATA_DIR: data })
    const exit = once(child, 'exit')
    let text = ''
    try {
      for await (const line of lines) {
        text += `${line}\n`
        if (line.startsWith('Ctrl-C')) break
      }
    } finally {
      child.kill('SIGINT')
      await exit
      await rm(data, { recursive: true })
    }
    assert.ok(text, errors())
    let shown = text
    for (const [name, port] of [
      ['MCP server', 8080],
      ['Tenant', 8081],
      ['Cosmos', 8082],
    ] as const) {
      const [, own = ''] = new RegExp(`^${name} +http://localhost:(\\d+)`, 'm').exec(text) ?? []
      shown = shown.replaceAll(`localhost:${own}`, `localhost:${port}`)
    }
    for (const { text } of [block('README.md', 'MCP server'), block('docs/local.md', 'MCP server')])
      assertShown(text, shown)
  })
})

describe('With TOOL_SETS=expenses', () => {
  let system: System
  let desk: Desk
  before(async () => {
    system = await startSystem()
    desk = await makeDesk()
  })
  after(() => Promise.all([desk.remove(), system.stop()]))
  const shownAs = (output: string) =>
    output
      .replaceAll(new URL(system.mcp).host, 'localhost:8080')
      .replaceAll(system.tenant.url, 'http://localhost:8081')

  it('the client answers as the session in docs/local.md', async () => {
    const session = block('docs/local.md', '$ npm run --silent client').text.split(/^\$ /m).slice(1)
    assert.equal(session.length, 3)
    for (const [index, part] of session.entries()) {
      const [line = '', ...shown] = part.trimEnd().split('\n')
      const { args } = callIn(line)
      const ended =
        index === 0
          ? await desk.signIn(
              system,
              'Alice',
              args.filter((arg) => arg !== '--device-code'),
            )
          : await desk.run(args, { SERVER_URL: system.mcp })
      assert.equal(ended.code, 0, ended.stderr)
      assertShown(shown.join('\n'), shownAs(`${ended.stderr}${ended.stdout}`), [system.seed.tenantId])
    }
  })

  it('the audit line of docs/architecture.md is written when Bob asks for the statistics', async () => {
    const call = {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'get_expense_stats', arguments: {} },
    }
    const line = await system.auditLine(await post(system.mcp, call, { token: await system.tokenFor('Bob') }))
    const bob = system.seed.users.find(({ name }) => name === 'Bob')
    assertShown(block('docs/architecture.md', '{"time"').text, JSON.stringify(line), [
      bob?.oid ?? '',
      system.seed.clientId,
    ])
  })

  // Elsewhere no variable names another browser.
  const skip = process.platform !== 'linux' && 'a browser would open'
  it('MCP Inspector signs in on the page that it opens, and lists the tools', { skip }, async () => {
    const { args } = callIn(RUN.inspector)
    const home = await mkdtemp(join(tmpdir(), 'inspector-'))
    // The browser of this machine: nobody looks, the address is read from what is printed.
    await writeFile(join(home, 'browser'), '#!/bin/sh\n')
    await chmod(join(home, 'browser'), 0o755)
    const inspector = join(
      root,
      'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    )
    const given = args.map((arg) => (arg === 'http://localhost:8080/mcp' ? system.mcp : arg))
    const child = spawn(process.execPath, [inspector, ...given], {
      env: {
        ...{ PATH: process.env.PATH, HOME: home, USERPROFILE: home, BROWSER: join(home, 'browser') },
        ...{ MCP_INSPECTOR_SECRET_STORE: 'memory', MCP_AUTO_OPEN_ENABLED: 'true' },
        MCP_OAUTH_CALLBACK_URL: `http://127.0.0.1:${await freePort()}/oauth/callback`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // It waits for a sign-in for as long as it takes.
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    const ended = once(child, 'close')
    const answer = readAll(child.stdout)
    const said: string[] = []
    let page: Response | undefined
    try {
      for await (const line of createInterface(child.stderr)) {
        said.push(line)
        const [address] = /http:\/\/localhost:\d+\/\S+\/authorize\S+/.exec(line) ?? []
        if (address) page ??= await fetch(`${address}&login_hint=${system.seed.users[0]?.upn}`)
      }
      await ended
    } finally {
      child.kill('SIGKILL')
      await ended
      await rm(home, { recursive: true })
    }
    assert.equal(page?.status, 200, said.join('\n'))
    assert.equal(child.exitCode, 0, said.join('\n'))
    const { tools } = z
      .object({ tools: z.array(z.object({ name: z.string() })) })
      .parse(JSON.parse(await answer))
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['add_user_expense', 'get_user_expenses', 'get_expense_stats'],
    )
  })
})

describe('With every tool set', () => {
  let system: System
  const desks = new Map<string, Desk>()
  before(async () => {
    system = await startSystem({ TOOL_SETS: everyToolSet(loadDeclaration()) })
    for (const name of ['Alice', 'Bob']) desks.set(name, await makeDesk())
  })
  after(() => Promise.all([...Array.from(desks.values(), (desk) => desk.remove()), system.stop()]))
  const run = async (name: string, line: string) => {
    const { code, stdout, stderr } =
      (await desks.get(name)?.run(callIn(line).args, { SERVER_URL: system.mcp })) ?? assert.fail(name)
    assert.equal(code, 0, stderr)
    return stdout
  }
  const FIND = `npm run client -- get_documents '{"query":"*"}'`

  it('Alice and Bob sign in once, and Alice sees one tool more than Bob', async () => {
    for (const [name, desk] of desks) {
      const { code, stderr } = await desk.signIn(system, name, ['--list'])
      assert.equal(code, 0, stderr)
    }
    const [alice, bob] = await Promise.all(['Alice', 'Bob'].map((name) => run(name, RUN.listTools)))
    assert.equal(alice?.trim().split('\n').length, (bob?.trim().split('\n').length ?? 0) + 1)
  })

  it('Alice reads the costs that docs/tools.md asks for, and Bob does not', async () => {
    assert.match(await run('Alice', RUN.costByService), /^currency +total/m)
    await assert.rejects(run('Bob', RUN.costByService), /Cost Management Reader/)
  })

  it('Alice exports costs once Olivia has consented on the page that docs/tools.md names', async () => {
    await assert.rejects(run('Alice', RUN.costExport), /A further sign-in is wanted: for another scope/)
    const address = block('docs/tools.md', 'http://localhost:8081/')
      .text.replaceAll('http://localhost:8081', system.tenant.url)
      .replace('http://localhost:8080/mcp', system.mcp)
    const page = await (await fetch(address)).text()
    const [, ticket = ''] = /name="ticket" value="([^"]+)"/.exec(page) ?? []
    const [, action = ''] = /action="([^"]+)"/.exec(page) ?? []
    const [, user = ''] = /value="([^"]+)">Olivia/.exec(page) ?? []
    const body = new URLSearchParams({ ticket, user })
    const answer = await fetch(new URL(action, address), { method: 'POST', body, redirect: 'manual' })
    assert.match(
      answer.headers.get('location') ?? '',
      new RegExp(`^${system.tenant.url}/\\?admin_consent=True&`),
    )
    assert.match(await run('Alice', RUN.costExport), /^date,service,amount,currency$/m)
  })

  it('Alice and Bob find different documents, none of them that of whoever deploys, as docs/documents.md says', async () => {
    const [alice = '', bob = ''] = await Promise.all(['Alice', 'Bob'].map((name) => run(name, FIND)))
    assert.notEqual(alice, bob)
    assert.doesNotMatch(alice + bob, /deployment-notes/)
  })
})
