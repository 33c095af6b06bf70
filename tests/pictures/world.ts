/** What the pictures show: `npm start`, the client at a terminal, and a deployment that is about to begin. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findBicep } from '../../scripts/bicep/compiler.ts'
import { preprovision } from '../../scripts/hooks/preprovision.ts'
import { happened, Ready, startCommand } from '../e2e/npm-start.ts'
import { callTool, lunch, rpc } from '../e2e/rpc.ts'
import { accessToken, SignIn, withLoginHint } from '../e2e/sign-in.ts'
import { startSystem } from '../e2e/system.ts'
import { makeDesk } from '../scripts/client/desk.ts'
import { startStage } from '../scripts/stage.ts'
import type { Typed } from './terminal.ts'

export type World = Awaited<ReturnType<typeof startWorld>>
export type Person = 'Alice' | 'Bob'

async function spend(mcp: string, { Alice, Bob }: Record<Person, string>): Promise<void> {
  const taxi = lunch({ amount: 31, category: 'transport', description: 'Taxi' })
  await callTool(mcp, 'add_user_expense', taxi, { token: Alice })
  await callTool(mcp, 'add_user_expense', lunch(), { token: Bob })
}

/** `ports`: of `npm start`; without them any free ones. Both have recorded an expense, and both have asked for the statistics. */
export async function startWorld(ports: Record<string, string> = {}) {
  const data = mkdtempSync(join(tmpdir(), 'pictures-'))
  const command = startCommand(['--json'], { DATA_DIR: data, ...ports })
  const { value } = await command.lines.next()
  if (!value) throw new Error(command.errors())
  const ready = Ready.parse(JSON.parse(value))
  const tokenOf = (name: Person) => {
    const upn = ready.users.find((user) => user.name === name)?.upn ?? ''
    return accessToken(ready.mcp, new SignIn(ready.clientId, withLoginHint(upn)))
  }
  const tokens = { Alice: await tokenOf('Alice'), Bob: await tokenOf('Bob') }
  await spend(ready.mcp, tokens)
  for (const token of [tokens.Bob, tokens.Alice])
    await rpc(ready.mcp, 'tools/call', { name: 'get_expense_stats', arguments: {} }, { token })
  return {
    ...ready,
    tokens,
    /** The page at the tenant's address when the four calls are on it. */
    page: await happened(ready.tenant, (page) => page.split('href="/?decision=').length > 4),
    /** Where a client sends the browser of somebody who is not signed in. */
    async authorizePage(): Promise<string> {
      const signIn = new SignIn(ready.clientId, async () => new URL('http://localhost/?code=none'))
      // There is no such code; the address is known by then.
      await accessToken(ready.mcp, signIn).catch(() => undefined)
      return signIn.authorizeUrl?.href ?? ''
    },
    async stop() {
      const exit = once(command.child, 'exit')
      command.child.kill('SIGINT')
      await exit
      rmSync(data, { recursive: true })
    },
  }
}

const linesOf = ({ stdout, stderr }: { stdout: string; stderr: string }) =>
  `${stdout}${stderr}`.trim().split('\n')

/** `npm run client` as Alice, then as Bob. */
export async function twoUsers(): Promise<Typed[]> {
  const system = await startSystem()
  const typed: Typed[] = []
  try {
    await spend(system.mcp, { Alice: await system.tokenFor('Alice'), Bob: await system.tokenFor('Bob') })
    for (const [name, heading] of [
      ['Alice', '# TOOL_SETS=expenses; Alice, a member of the admin group'],
      ['Bob', '# Bob, who is not'],
    ] as const) {
      const desk = await makeDesk()
      const list = await desk.signIn(system, name, ['--list'])
      const stats = await desk.run(['--url', system.mcp, 'get_expense_stats'])
      await desk.remove()
      typed.push({ heading, command: 'npm run client -- --list', answer: list.stdout.trim().split('\n') })
      typed.push({ command: 'npm run client -- get_expense_stats', answer: linesOf(stats) })
    }
  } finally {
    await system.stop()
  }
  return typed
}

/** What azd up checks before it deploys anything for the first time. */
export async function firstChecks(): Promise<Typed[]> {
  const stage = await startStage()
  try {
    const context = await stage.context(stage.base)
    await preprovision(context)
    return [
      {
        heading: '# azd up begins with this: nothing is deployed yet',
        command: 'azd hooks run preprovision',
        answer: context.lines,
      },
    ]
  } finally {
    await stage.stop()
  }
}

const whatif = fileURLToPath(new URL('../../scripts/whatif.ts', import.meta.url))

/** `npm run map` in a fresh clone, of an environment without apps for developers' machines. */
export async function declaredMap(): Promise<string> {
  const { HOME, USERPROFILE, SystemRoot } = process.env
  const env = {
    // No azd, which could know an environment of this machine.
    PATH: dirname(process.execPath),
    BICEP: findBicep()?.path,
    LOCAL_DEVELOPMENT: 'false',
    ...{ HOME, USERPROFILE, SystemRoot },
  }
  return (await promisify(execFile)(process.execPath, [whatif, '--map'], { env })).stdout
}
