/** Whoever sits at a terminal: `npm run client` as a process of its own, with its own home and its own azd. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { cacheFile } from '../../../scripts/client/token-cache.ts'
import type { System } from '../../e2e/system.ts'

const script = fileURLToPath(new URL('../../../scripts/client.ts', import.meta.url))
const azd = fileURLToPath(new URL('../cli/azd-emulator.mjs', import.meta.url))

/** JSON Web Tokens, and the emulator's own: refresh tokens, codes, device codes. */
const TOKEN = /\beyJ[\w-]+\.|\b1\.[\w-]{20,}/

export type Desk = Awaited<ReturnType<typeof makeDesk>>

export async function makeDesk() {
  const home = await mkdtemp(join(tmpdir(), 'client-'))
  const bin = join(home, 'bin')
  await mkdir(bin)
  await cp(azd, join(bin, 'azd-emulator.mjs'))
  await writeFile(join(bin, 'azd'), `#!/bin/sh\nexec "${process.execPath}" "${bin}/azd-emulator.mjs" "$@"\n`)
  await writeFile(join(bin, 'azd.cmd'), `@"${process.execPath}" "%~dp0azd-emulator.mjs" %*\r\n`)
  await chmod(join(bin, 'azd'), 0o755)
  const setAzd = (values?: Record<string, string>) =>
    writeFile(join(bin, 'state.json'), JSON.stringify({ values }))
  await setAzd()
  const { SystemRoot } = process.env
  const basic = {
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    XDG_CONFIG_HOME: home,
    ...(SystemRoot && { SystemRoot }),
  }
  const start = (args: string[], variables: Record<string, string> = {}) =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], {
      env: { ...basic, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  return {
    home,
    /** What `azd env get-values` says; nothing: no environment is selected. */
    setAzd,
    /** Where the tokens of the server at `url` are kept. */
    file: (url: string) => cacheFile(join(home, 'entra-mcp-client'), url),
    run: (args: string[], variables?: Record<string, string>) => ended(start(args, variables)),
    /** Calls with `--device-code`, and signs in on the page as soon as the code is shown; or presses Cancel. */
    async signIn(system: Pick<System, 'mcp' | 'tenant'>, user: string, args: string[]) {
      const polls = system.tenant.faults.on('token', { hang: true, times: 1, only: isPoll })
      const child = start(['--url', system.mcp, '--device-code', ...args])
      const end = ended(child)
      await polls.reached(1)
      const form = user === '' ? { decline: '1' } : { user: `${user.toLowerCase()}@contoso.example` }
      await typeCode(end.shown(), form)
      polls.clear()
      return end
    },
    remove: () => rm(home, { recursive: true, force: true }),
  }
}

/** Types the code that `shown` names on the page that it names. */
export async function typeCode(shown: string, form: Record<string, string>): Promise<void> {
  const [, page = '', user_code = ''] = /open the page (\S+) and enter the code (\w+)/.exec(shown) ?? []
  assert.ok(
    (await fetch(page, { method: 'POST', body: new URLSearchParams({ user_code, ...form }) })).ok,
    shown,
  )
}

export const isPoll = ({ body }: { body: unknown }) =>
  z.object({ device_code: z.string() }).safeParse(body).success

type End = Readonly<{ code: number | null; stdout: string; stderr: string }>

/** Nothing that was printed may be a token, whatever the run was about. */
function ended(child: ChildProcess): Promise<End> & { shown: () => string } {
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const end = once(child, 'close').then(([code]: unknown[]) => {
    assert.doesNotMatch(stdout + stderr, TOKEN)
    return { code: typeof code === 'number' ? code : null, stdout, stderr }
  })
  return Object.assign(end, { shown: () => stderr })
}

const Kept = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())))

/** Every secret in a file of kept tokens. */
export async function secretsIn(file: string): Promise<string[]> {
  const kinds = Kept.parse(JSON.parse(await readFile(file, 'utf8')))
  return Object.values(kinds)
    .flatMap((entries) => Object.values(entries))
    .flatMap(({ secret }) => (typeof secret === 'string' ? [secret] : []))
}

/** Rewrites the kept access tokens, as time or another version would have left them. */
export async function changeKept(file: string, changes: Record<string, unknown>): Promise<void> {
  const kinds = Kept.parse(JSON.parse(await readFile(file, 'utf8')))
  for (const entry of Object.values(kinds.AccessToken ?? {})) Object.assign(entry, changes)
  await writeFile(file, JSON.stringify(kinds))
}
