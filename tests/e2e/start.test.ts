import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { freePort } from '../../scripts/emulators/loopback.ts'
import { Ready, startCommand } from './npm-start.ts'
import { callTool, lunch } from './rpc.ts'
import { accessToken, SignIn, withLoginHint } from './sign-in.ts'

describe('npm start', () => {
  const data = mkdtempSync(join(tmpdir(), 'start-'))
  after(() => rmSync(data, { recursive: true }))
  const start = (args: string[], env: Record<string, string> = {}) =>
    startCommand(args, { DATA_DIR: data, ...env })

  async function ready(args = ['--json']) {
    const { child, lines, errors } = start(args)
    const { value } = await lines.next()
    assert.ok(value, errors())
    return { child, lines, system: Ready.parse(JSON.parse(value)) }
  }

  async function stop(child: ChildProcess) {
    const exit = once(child, 'exit')
    child.kill('SIGINT')
    assert.deepEqual(await exit, [0, null])
  }

  const tokenOf = ({ mcp, clientId }: Ready, upn: string) =>
    accessToken(mcp, new SignIn(clientId, withLoginHint(upn)))

  it('prints one JSON line when ready, and Ctrl-C stops everything', async () => {
    const { child, lines, system } = await ready()
    assert.deepEqual(
      system.users.slice(0, 2).map(({ name, admin }) => [name, admin]),
      [
        ['Alice', true],
        ['Bob', false],
      ],
    )
    assert.equal(system.scope, `${system.mcp}/user_impersonation`)
    for (const url of [system.tenant, system.cosmos]) assert.ok((await fetch(url)).status > 0)
    await stop(child)
    assert.deepEqual(await lines.next(), { value: undefined, done: true })
    for (const url of [system.mcp, system.tenant, system.cosmos]) await assert.rejects(fetch(url))
  })

  it('keeps the expenses over a restart', async () => {
    const first = await ready()
    const upn = first.system.users[1]?.upn ?? ''
    await callTool(first.system.mcp, 'add_user_expense', lunch({ description: 'kept' }), {
      token: await tokenOf(first.system, upn),
    })
    await stop(first.child)
    const second = await ready()
    const list = await callTool(
      second.system.mcp,
      'get_user_expenses',
      {},
      { token: await tokenOf(second.system, upn) },
    )
    assert.match(JSON.stringify(list.structuredContent), /kept/)
    await stop(second.child)
  })

  async function welcome(env: Record<string, string>) {
    const { child, lines } = start([], env)
    let text = ''
    for await (const line of lines) {
      text += `${line}\n`
      if (line.startsWith('Ctrl-C')) break
    }
    await stop(child)
    return text
  }

  it('prints the URLs, the two users, the block for VS Code and a command for the Inspector', async () => {
    const text = await welcome({})
    for (const part of [
      /MCP server +http:\/\/localhost:\d+\/mcp/,
      /alice@\S+ +admin: sees get_expense_stats/,
      /bob@/,
      /"type": "http"/,
      /npx mcp-inspector --cli/,
    ]) {
      assert.match(text, part)
    }
  })

  it('names no tool of a tool set that is off', async () => {
    assert.match(await welcome({ TOOL_SETS: 'profile' }), /alice@\S+ +admin\n/)
  })

  for (const variable of ['PORT', 'TENANT_PORT', 'COSMOS_PORT']) {
    it(`names ${variable} when that port is busy, and leaves nothing running`, async () => {
      // It answers whoever asks whether the server is ready.
      const other = createServer((_request, response) => response.end('{}')).listen(0, 'localhost')
      await once(other, 'listening')
      const { port } = other.address() as AddressInfo
      const { child, lines, errors } = start(['--json'], { [variable]: String(port) })
      const [code] = await once(child, 'exit')
      other.close()
      assert.equal(code, 1)
      assert.match(errors(), new RegExp(`Port ${port} is busy[^\\n]* ${variable} `))
      assert.equal((await lines.next()).done, true)
    })
  }

  it('names all ports that are busy, with one command that starts beside them', async () => {
    const { child, system } = await ready()
    const ports = { PORT: system.mcp, TENANT_PORT: system.tenant, COSMOS_PORT: system.cosmos }
    const busy = Object.entries(ports).map(([name, url]) => [name, new URL(url).port] as const)
    const second = start([], Object.fromEntries(busy))
    assert.deepEqual(await once(second.child, 'close'), [1, null])
    const lines = busy.map(
      ([name, port]) =>
        `Port ${port} is busy. Stop what uses it, or set ${name} to another port (0 = any free one).\n`,
    )
    const example = 'Beside what runs: PORT=0 TENANT_PORT=0 COSMOS_PORT=0 npm start\n'
    assert.equal(second.errors(), `${lines.join('')}${example}`)
    await stop(child)
  })

  describe('with a DATA_DIR that cannot be used', () => {
    const file = join(data, 'file')
    const nothing = join(data, 'nothing')
    const odd = join(data, 'odd')
    before(() => {
      writeFileSync(file, '')
      symlinkSync(join(data, 'gone'), nothing)
      mkdirSync(join(odd, 'cosmos.sqlite'), { recursive: true })
    })
    const linux = process.platform === 'linux'
    const cases: [string, string, RegExp, boolean][] = [
      ['a file', file, /EEXIST/, true],
      ['below a file', join(file, 'below'), /ENOTDIR|ENOENT/, true],
      ['a link to nothing', nothing, /EEXIST/, process.platform !== 'win32'],
      ['a folder that takes none', '/proc/expenses/data', /ENOENT/, linux],
      ['a folder where the file should be', odd, /unable to open database file/, true],
    ]
    for (const [what, folder, said, isHere] of cases)
      it(`${what}: says so, and what to do`, { skip: !isHere && 'not on this system' }, async () => {
        const { child, errors } = start([], { DATA_DIR: folder })
        assert.deepEqual(await once(child, 'close'), [1, null])
        const [, why = ''] = /^DATA_DIR (.+)\. Name a folder that you may write\.\n$/.exec(errors()) ?? []
        assert.ok(why.startsWith(`${folder} cannot be used: `), errors())
        assert.match(why, said)
      })

    // Root may write what nobody may.
    const skip = (!process.getuid?.() && 'whoever runs this may write everything') || !linux
    it('a folder that is not theirs', { skip }, async () => {
      const { child, errors } = start([], { DATA_DIR: '/expenses' })
      assert.deepEqual(await once(child, 'close'), [1, null])
      assert.match(errors(), /^DATA_DIR \/expenses cannot be used: (?:EACCES|EROFS)/)
    })
  })

  it('says that the server was ended by somebody else, and ends too', {
    skip: process.platform !== 'linux',
  }, async () => {
    const { child, errors } = start(['--json'])
    const pid = child.pid ?? assert.fail()
    await once(child.stdout, 'data')
    const [server] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    process.kill(Number(server), 'SIGKILL')
    assert.deepEqual(await once(child, 'close'), [1, null])
    assert.match(errors(), /The server has ended: SIGKILL\.\n$/)
  })

  it('refuses one port for two', async () => {
    const port = String(await freePort())
    const { child, errors } = start([], { PORT: port, TENANT_PORT: port })
    assert.deepEqual(await once(child, 'exit'), [1, null])
    assert.match(errors(), /PORT, TENANT_PORT and COSMOS_PORT should be three ports/)
  })

  it('refuses a port that is none', async () => {
    const { child, errors } = start([], { TENANT_PORT: 'eighty' })
    const [code] = await once(child, 'exit')
    assert.equal(code, 1)
    assert.match(errors(), /TENANT_PORT should be a port from 0 to 65535/)
  })

  it('explains itself with --help and refuses what it does not know', async () => {
    const help = start(['--help'])
    assert.match((await help.lines.next()).value ?? '', /npm start/)
    assert.deepEqual(await once(help.child, 'exit'), [0, null])
    const unknown = start(['--jason'])
    assert.deepEqual(await once(unknown.child, 'exit'), [1, null])
    assert.match(unknown.errors(), /--jason/)
  })
})
