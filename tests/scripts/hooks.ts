/** Runs hooks as azd does: real processes, `tsx`, cwd = the folder of the hook, the azd environment as variables, `azd` on PATH. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isOurs } from '../files.ts'
import { withoutPrincipal } from './cli/azd-values.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const azd = fileURLToPath(new URL('cli/azd-emulator.mjs', import.meta.url))

/** What azd runs is in hooks/, what an operator runs alone in identity/ or on top. */
const roomOf = (script: string) =>
  /^(pre|post)/.test(script)
    ? 'hooks'
    : ['whatif', 'pipeline', 'documents'].includes(script)
      ? '.'
      : 'identity'

export interface Ended {
  code: number | null
  /** stdout and stderr together, as a person sees them. */
  output: string
}

/** What the `azd` on PATH knows. */
export interface AzdState {
  /** undefined: nobody is signed in. */
  token?: string | undefined
  version?: string
  /** Of the selected azd environment, for scripts that are run alone. */
  values?: Record<string, string>
}

export type Project = Awaited<ReturnType<typeof makeProject>>

/** A copy of the project, so that `.env` and `.azure/` of whoever runs the tests stay as they are. */
export async function makeProject() {
  const folder = await mkdtemp(join(tmpdir(), 'hooks-'))
  const bin = join(folder, 'bin')
  for (const part of ['app', 'infra', 'scripts', 'azure.yaml', 'package.json', 'tsconfig.json'])
    await cp(join(root, part), join(folder, part), { recursive: true, filter: isOurs })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  await mkdir(bin)
  await cp(azd, join(bin, 'azd-emulator.mjs'))
  await writeFile(join(bin, 'azd'), `#!/bin/sh\nexec "${process.execPath}" "${bin}/azd-emulator.mjs" "$@"\n`)
  await writeFile(join(bin, 'azd.cmd'), `@"${process.execPath}" "%~dp0azd-emulator.mjs" %*\r\n`)
  await chmod(join(bin, 'azd'), 0o755)

  const { BICEP, HOME, SystemRoot, USERPROFILE } = process.env
  // npx, which azd runs, puts the project's own programs first on PATH: Node 24 among them.
  const path = [bin, dirname(process.execPath), join(root, 'node_modules/.bin'), process.env.PATH]
  const basic = {
    PATH: path.join(delimiter),
    TMPDIR: folder,
    // Dozens of starts of the same files.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    // Relative to where the tests run; without a compiler the proof leaves the what-if out.
    ...(BICEP && { BICEP: resolve(BICEP) }),
    ...(HOME && { HOME }),
    ...(SystemRoot && { SystemRoot }),
    ...(USERPROFILE && { USERPROFILE }),
  }

  return {
    folder,
    setAzd: (state: AzdState) => {
      const values = state.values && withoutPrincipal(state.values)
      return writeFile(join(bin, 'state.json'), JSON.stringify({ ...state, values }))
    },
    /** The command lines that azd has been called with. */
    azdCalls: async () =>
      (await readFile(join(bin, 'calls.log'), 'utf8').catch(() => '')).split('\n').filter(Boolean),
    async run(script: string, variables: Record<string, string>, args: string[] = []): Promise<Ended> {
      const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
      return ended(
        spawn(process.execPath, [tsx, `${script}.ts`, ...args], {
          cwd: join(folder, 'scripts', roomOf(script)),
          env: { ...basic, ...withoutPrincipal(variables) },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      )
    },
    /** Plain Node, from another folder: how an operator runs a script alone. One process, so it can be killed. */
    startAlone(script: string, variables: Record<string, string>, args: string[] = []): ChildProcess {
      const file = join(folder, 'scripts', roomOf(script), `${script}.ts`)
      const env = { ...basic, ...withoutPrincipal(variables) }
      return spawn(process.execPath, [file, ...args], {
        cwd: tmpdir(),
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

export async function ended(child: ChildProcess): Promise<Ended> {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => (output += text))
  await once(child, 'close')
  return { code: child.exitCode, output }
}
