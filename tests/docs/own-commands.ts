/** The commands of this repository that the pages name, tried on the parser of the script that they start. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { parseCommand } from '../../scripts/whatif/command.ts'
import type { Command } from './blocks.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const scripts: Readonly<Record<string, string>> = manifest.scripts
/** npm's own, which the pages may name; `npm start` and `npm test` are scripts too. */
const NPM = ['ci', 'i', 'install']
/** They refuse what they do not know before they explain themselves. */
const PARSED = /^node (scripts\/(?:start|client|whatif|documents|pipeline|identity\/[\w-]+)\.ts)( --map)?$/

type Call = Readonly<{ name: string; args: Command }>

/** Undefined for a command of npm's own. */
function callOf(words: Command): Call | undefined {
  const [, verb = '', ...rest] = words.filter((word) => word !== '--silent')
  if (NPM.includes(verb)) return undefined
  const [name = '', ...more] = verb === 'run' ? rest : [verb, ...rest]
  assert.ok(name in scripts, `${words.join(' ')}: package.json has no script ${name}`)
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

function checkNode(words: Command): void {
  const file = words.find((word) => word.endsWith('.ts')) ?? ''
  assert.ok(existsSync(`${root}${file}`), words.join(' '))
}

/** Fails for a script, a file or an option that is not there. */
export async function checkOwnCommand(words: Command): Promise<void> {
  const [program, ...args] = words
  const call = program === 'npm' ? callOf(words) : undefined
  if (call) await tryCall(call)
  if (program !== 'npx') return
  const at = args.indexOf('identity-what-if')
  if (at >= 0) parseCommand([...args.slice(at + 1), '--help'])
  else if (args[0] === 'node') checkNode(args)
  else assert.ok(existsSync(`${root}node_modules/.bin/${args[0]}`), words.join(' '))
}
