import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type System, startSystem } from './system.ts'

const run = promisify(execFile)
const inspector = fileURLToPath(
  new URL(
    '../../node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
    import.meta.url,
  ),
)

describe('the command line of MCP Inspector', () => {
  let system: System
  let token: string
  const home = mkdtempSync(join(tmpdir(), 'inspector-'))
  before(async () => {
    system = await startSystem()
    token = await system.tokenFor('Alice')
  })
  after(async () => {
    await system.stop()
    rmSync(home, { recursive: true })
  })

  async function inspect(...options: string[]): Promise<unknown> {
    return JSON.parse((await inspectAs(token, ...options)).stdout)
  }

  async function inspectAs(bearer: string, ...options: string[]) {
    const target = ['--cli', system.mcp, '--header', `Authorization: Bearer ${bearer}`, '--stored-auth-only']
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      USERPROFILE: home,
      MCP_INSPECTOR_SECRET_STORE: 'memory',
    }
    return run(process.execPath, [inspector, ...target, ...options], { env, cwd: home })
  }

  it('lists the tools of an admin', async () => {
    const { tools } = z
      .object({ tools: z.array(z.object({ name: z.string() })) })
      .parse(await inspect('--method', 'tools/list'))
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['add_user_expense', 'get_user_expenses', 'get_expense_stats'],
    )
  })

  it('calls a tool', async () => {
    const args = ['date=2026-05-01', 'amount=4.2', 'category=food', 'description=Tea', 'payment_method=cash']
    const call = await inspect(
      '--method',
      'tools/call',
      '--tool-name',
      'add_user_expense',
      ...args.flatMap((arg) => ['--tool-arg', arg]),
    )
    const { structuredContent } = z
      .object({ structuredContent: z.object({ replayed: z.boolean() }) })
      .parse(call)
    assert.equal(structuredContent.replayed, false)
  })

  it('shows in words that Conditional Access asks for more', async () => {
    const carol = await system.tokenFor('Carol')
    const call = ['--method', 'tools/call', '--tool-name', 'get_expense_stats']
    // It ends with another code than 0 for a tool error, and still shows it.
    const told = await inspectAs(carol, ...call).catch((error: { stdout: string }) => error)
    const { isError, content } = z
      .object({ isError: z.literal(true), content: z.tuple([z.object({ text: z.string() })]) })
      .parse(JSON.parse(told.stdout))
    assert.match(`${isError} ${content[0].text}`, /^true Conditional Access of your organisation/)
  })
})
