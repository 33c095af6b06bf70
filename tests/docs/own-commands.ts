/** The commands of this repository that the pages name, tried on the parser of the script that they start. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { parseCommand } from '../../scripts/whatif/command.ts'
import type { Command } from './blocks.ts'
import { run } from './classify-block.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const scripts: Readonly<Record<string, string>> = manifest.scripts
/** Scripts that npm starts without `run`. */
const SHORT = ['start', 'test']
/** What `npm run pack:whatif` makes. */
const PACKED = String.raw`\./identity-what-if-(?:<version>|\d+\.\d+\.\d+)\.tgz`
/** All of npm's own that the pages may name. */
const NPM = new RegExp(`^npm (?:ci|i -D ${PACKED})$`)
/** How npx finds the what-if: installed, or in the file that was packed. */
const FOUND = new RegExp(`^(?:-y --package=${PACKED} -- )?$`)
/** They refuse what they do not know before they explain themselves. */
const PARSED = /^node (scripts\/(?:start|client|whatif|documents|pipeline|identity\/[\w-]+)\.ts)( --map)?$/

type Call = Readonly<{ name: string; args: Command }>

/** Undefined for a command of npm's own. */
function callOf(words: Command): Call | undefined {
  if (NPM.test(words.join(' '))) return undefined
  const [, verb = '', ...rest] = words.filter((word) => word !== '--silent')
  const [name = '', ...more] = SHORT.includes(verb) ? [verb, ...rest] : rest
  assert.ok(verb === 'run' || name === verb, `${words.join(' ')}: npm has no such command here`)
  assert.ok(Object.hasOwn(scripts, name), `${words.join(' ')}: package.json has no script ${name}`)
  const [dashes, ...args] = more
  // Without them npm keeps the options for itself.
  assert.ok(dashes === undefined || dashes === '--', `${words.join(' ')}: -- is missing`)
  return { name, args }
}

async function tryCall({ name, args }: Call): Promise<void> {
  if (args.length === 0) return
  const said = `npm run ${name} -- ${args.join(' ')}`
  if (name === 'bench')
    return assert.ok(
      args.every((arg) => /^\d+$/.test(arg)),
      said,
    )
  const [, file = '', map] = PARSED.exec(scripts[name] ?? '') ?? []
  assert.ok(file, `${said}: the script takes no arguments`)
  const all = [file, ...(map ? ['--map'] : []), ...args, '--help']
  const { stdout } = await promisify(execFile)(process.execPath, all, { cwd: root }).catch((error: unknown) =>
    assert.fail(`${said}\n${error}`),
  )
  assert.match(stdout, /--help|npm start/, said)
}

function checkNode(args: string[], said: string): void {
  const { positionals } = parseArgs({ args, options: { test: { type: 'boolean' } }, allowPositionals: true })
  assert.ok(positionals.length > 0, `${said}: no file`)
  for (const file of positionals) assert.ok(statSync(`${root}${file}`).isFile(), said)
}

/** Options of what others wrote, from its `--help`; any more must be in a command that a test runs. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = { 'mcp-inspector': ['--web'] }

function checkProgram([name = '', ...args]: Command, said: string): void {
  assert.ok(name && existsSync(`${root}node_modules/.bin/${name}`), `${said}: no such program`)
  const isKnown = args.every((arg) => OPTIONS[name]?.includes(arg))
  assert.ok(isKnown || run.has(said), `${said}: no test runs it`)
}

/** Fails for a script, a file or an option that is not there. */
export async function checkOwnCommand(words: Command): Promise<void> {
  const [program, ...args] = words
  const said = words.join(' ')
  const call = program === 'npm' ? callOf(words) : undefined
  if (call) await tryCall(call)
  if (program !== 'npx') return
  const at = args.indexOf('identity-what-if')
  if (at >= 0) {
    assert.match(
      args
        .slice(0, at)
        .map((arg) => `${arg} `)
        .join(''),
      FOUND,
      said,
    )
    parseCommand([...args.slice(at + 1), '--help'])
  } else if (args[0] === 'node') checkNode(args.slice(1), said)
  else checkProgram(args, said)
}
