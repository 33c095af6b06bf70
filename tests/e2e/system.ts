import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import ky from 'ky'
import { loadPermissions } from '../../app/permissions.ts'
import { freePort } from '../../scripts/emulators/loopback.ts'
import { fillEmulator } from '../../scripts/emulators/seed/documents.ts'
import { seedDirectory } from '../../scripts/emulators/seed.ts'
import { STORE, serverEnvironment } from '../../scripts/emulators/server-environment.ts'
import { startCosmos } from '../scripts/emulators/cosmos.ts'
import { startTenant } from '../scripts/emulators/tenant.ts'
import { assertImpersonal } from './impersonal.ts'

const source = fileURLToPath(new URL('../../app/server.ts', import.meta.url))

export type System = Awaited<ReturnType<typeof startSystem>>
export type UserName = 'Alice' | 'Bob' | 'Carol' | 'Dave'

/**
 * The production server as a process of its own, its environment pointing at emulators in this process. `program`:
 * Node's arguments, when it is not the source. `now`: the tenant's clock. Without TOOL_SETS the expenses alone are on.
 */
export async function startSystem(
  overrides: Record<string, string> = {},
  program: readonly string[] = [source],
  now = Date.now,
) {
  const port = await freePort()
  const mcp = `http://localhost:${port}/mcp`
  const permissions = loadPermissions(overrides.TOOL_SETS ?? 'expenses')
  const seed = seedDirectory({ mcpUrls: [mcp], permissions })
  const tenant = await startTenant({ ...seed, port: 0, now })
  await fillEmulator({ tenant, seed, permissions })
  const cosmos = await startCosmos({ ...STORE, port: 0, file: ':memory:' })
  const environment: Record<string, string> = {
    ...serverEnvironment(mcp, { permissions, seed, tenant, cosmos }),
    RATE_LIMIT_PER_MINUTE: '100000',
    ...overrides,
  }
  const close = () => Promise.all([tenant.close(), cosmos.close()])
  let server = await startServer(program, environment, mcp).catch(async (error: unknown) => {
    await close()
    throw error
  })
  /** Whatever a test was about: the whole suite's output is read so. */
  const end = async () => {
    await kill(server.child)
    assertImpersonal(server.lines, seed)
  }
  return {
    mcp,
    seed,
    tenant,
    cosmos,
    environment,
    /** Every line that the server has written to stdout since its last start. */
    lines: () => server.lines,
    /** The audit line of an answered request; it is written just after the answer. */
    auditLine: ({ headers }: Response) =>
      lineWith(server, headers.get('x-request-id') ?? 'none', '"decision"'),
    /** The first line since the last start with all these texts in it; waits for it. */
    lineWith: (...texts: string[]) => lineWith(server, ...texts),
    process: () => server.child,
    tokenFor: (name: UserName, options: { claims?: string; clientId?: string; scope?: string } = {}) =>
      tenant.tokenFor({
        user: upnOf(seed, name),
        clientId: seed.clientId,
        scope: `${mcp}/user_impersonation`,
        resource: mcp,
        ...options,
      }),
    kill: () => kill(server.child),
    /** A new process with empty caches; the emulators and their data stay. */
    async restart() {
      await end()
      server = await startServer(program, environment, mcp)
    },
    /** Fails, when all is closed, if a line of the server said something personal. */
    async stop() {
      await end().finally(close)
    },
  }
}

async function lineWith({ lines, output }: Server, ...texts: string[]): Promise<Record<string, unknown>> {
  for (;;) {
    const line = lines.find((candidate) => texts.every((text) => candidate.includes(text)))
    if (line) return JSON.parse(line)
    await once(output, 'data', { signal: AbortSignal.timeout(5_000) })
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const running = child.exitCode === null && child.signalCode === null
  if (running && child.kill('SIGKILL')) await once(child, 'exit')
}

export function upnOf({ users }: ReturnType<typeof seedDirectory>, name: UserName): string {
  const user = users.find((candidate) => candidate.name.startsWith(name))
  if (!user) throw new Error(`The seed has no user ${name}.`)
  return user.upn
}

type Server = Readonly<{ child: ChildProcess; output: Readable; lines: string[] }>

async function startServer(
  program: readonly string[],
  environment: Record<string, string>,
  mcp: string,
): Promise<Server> {
  const child = spawn(process.execPath, program, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  const died = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`The server ended with ${code}.`)),
  )
  const healthy = ky(new URL('/healthz', mcp), {
    retry: { limit: 200, delay: () => 50 },
    totalTimeout: 30_000,
  })
  await Promise.race([healthy, died])
  died.catch(() => undefined)
  return { child, output: child.stdout, lines }
}
