/** A copy of the project with emulators of az, azd, gh and npm on PATH. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { isOurs } from '../../files.ts'

// Dozens of short processes load the same modules: compiled once for all of them.
const compiled = mkdtempSync(join(tmpdir(), 'compiled-'))
process.on('exit', () => rmSync(compiled, { recursive: true, force: true }))

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const notHere = process.platform === 'win32' ? 'these steps run on Ubuntu, with its shell' : false

const PARAMETERS = 'infra/main.bicepparam'
// Rooms that no step enters.
const OTHERS = /[\\/]scripts[\\/](local|bench|template)$/

const Call = z.object({
  program: z.string(),
  args: z.array(z.string()),
  body: z.record(z.string(), z.unknown()).optional(),
  /** What the template is told about the repository: its id, name, owner and the owner's id. */
  subject: z.array(z.string()),
  mayWriteGitHub: z.boolean(),
  /** Whether it could ask GitHub for a sign-in to Azure. */
  maySignIn: z.boolean().optional(),
})
export type Call = z.infer<typeof Call>

export interface Answer {
  /** The last: what the action has said, `json` or `markdown`. */
  program: 'az' | 'azd' | 'gh' | 'npm' | 'identity-what-if'
  /** Part of the command line. */
  match: string
  code?: number
  stdout?: string
  stderr?: string
  /** How often it is given; without end if left out. */
  times?: number
}
export interface World {
  answers: Answer[]
  /** What GitHub's API answers, by path. */
  github?: Record<string, unknown>
  /** What a write changes there, by method and path. */
  effects?: Record<string, Record<string, unknown>>
}
/** What only has to be written down is, without starting Node; its arguments hold nothing that JSON would escape. */
const shim = (program: string, bin: string) => `#!/bin/sh
case "$1" in auth|ci|bicep|variable|label)
  args=$(printf '"%s",' "$@")
  printf '{"program":"${program}","args":[%s],"subject":[],"mayWriteGitHub":%s}\\n' \
    "\${args%,}" "\${GH_TOKEN+true}" | sed 's/:}$/:false}/' >> "${bin}/calls.jsonl"
  exit;;
esac
exec "${process.execPath}" "${bin}/emulator.mjs" ${program} "$@"
`

/** A copy of the project with the emulators on PATH; `use` gets its folder and environment. */
export async function inProject<T>(
  world: World,
  use: (folder: string, env: Record<string, string>) => Promise<T>,
): Promise<T & { calls: Call[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'job-'))
  try {
    for (const part of ['infra', 'scripts', 'package.json'])
      await cp(join(root, part), join(folder, part), {
        recursive: true,
        filter: (path) => isOurs(path) && !OTHERS.test(path),
      })
    // What a pull request brings; one file of it is enough here.
    await cp(join(root, PARAMETERS), join(folder, 'proposed', PARAMETERS))
    for (const part of ['app', 'node_modules'])
      await symlink(join(root, part), join(folder, part), 'junction')
    const bin = join(folder, 'bin')
    await mkdir(bin)
    await cp(join(root, 'tests/scripts/github/emulator.mjs'), join(bin, 'emulator.mjs'))
    await writeFile(join(bin, 'state.json'), JSON.stringify({ github: {}, ...world }))
    for (const program of ['az', 'azd', 'gh', 'npm']) {
      const file = join(bin, program)
      await writeFile(file, shim(program, bin))
      await chmod(file, 0o755)
    }
    const path = [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)
    const result = await use(folder, {
      PATH: path,
      HOME: folder,
      TMPDIR: folder,
      CI: 'true',
      NODE_COMPILE_CACHE: compiled,
    })
    const log = await readFile(join(bin, 'calls.jsonl'), 'utf8').catch(() => '')
    const calls = log
      .split('\n')
      .filter(Boolean)
      .map((line) => Call.parse(JSON.parse(line)))
    return { ...result, calls }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export async function execute(program: string, args: string[], cwd: string, env: Record<string, string>) {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const [code] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, 'close'))
  return { code: code ?? 1, output }
}
