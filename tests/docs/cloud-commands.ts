/** The commands of other programs that the pages name: what cannot be run here can still be no word that does not exist. */
import assert from 'node:assert/strict'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Command, textOf } from './blocks.ts'

/** How many words it takes that belong to no option (0 where nothing is said), and its options. */
type Known = Readonly<{ words?: number; options?: NonNullable<ParseArgsConfig['options']> }>

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OUTPUT = { type: 'string', short: 'o' } as const

/**
 * Of azd with what each takes: `azd <command> --help`, kept in Azure/azure-dev as cli/azd/cmd/testdata/TestUsage-azd-*.snap.
 * A command or an option that a page names for the first time is added from there.
 */
const AZD: Record<string, Known> = {
  'auth login': { options: { 'tenant-id': TEXT } },
  'auth token': {},
  deploy: {},
  down: {},
  'env get-value': { words: 1 },
  'env list': {},
  'env new': {},
  'env refresh': {},
  'env set': { words: 2 },
  'hooks run': { words: 1 },
  init: { options: { template: TEXT } },
  'pipeline config': {},
  provision: { options: { 'no-state': FLAG, preview: FLAG } },
  up: {},
}
/** Of the Azure CLI: learn.microsoft.com/cli/azure/reference-index, each command's own page. */
const AZ: Record<string, Known> = {
  'ad app create': {
    options: { 'display-name': TEXT, 'sign-in-audience': TEXT, query: TEXT, output: OUTPUT },
  },
  'ad app federated-credential create': { options: { id: TEXT, parameters: TEXT } },
  'ad sp create': { options: { id: TEXT, query: TEXT, output: OUTPUT } },
  'ad sp show': { options: { id: TEXT, query: TEXT, output: OUTPUT } },
  'containerapp revision restart': {},
  'identity list': {},
  'keyvault certificate create': { options: { 'vault-name': TEXT, name: TEXT, policy: TEXT } },
  'keyvault certificate get-default-policy': {},
  'keyvault certificate show': { options: { 'vault-name': TEXT, name: TEXT, query: TEXT, output: OUTPUT } },
  login: {},
  'resource list': {},
  rest: { options: { method: TEXT, url: TEXT, body: TEXT } },
}
/** Of the GitHub CLI: cli.github.com/manual. A run's id may be left out only where gh can ask for it. */
const GH: Record<string, Known> = {
  api: { words: 1 },
  'auth login': {},
  'run rerun': { words: 1, options: { failed: FLAG } },
  'variable set': { words: 1 },
}
const PROGRAMS: Record<string, Record<string, Known>> = { azd: AZD, az: AZ, gh: GH }

const { hooks } = z.object({ hooks: z.record(z.string(), z.unknown()) }).parse(parse(textOf('azure.yaml')))
/** Where a variable of an azd environment is read, or written as an output. */
const READERS = [
  'infra/main.bicepparam',
  'infra/main.bicep',
  'docs/configuration.md',
  'docs/certificate.patch',
]
const readers = READERS.map(textOf).join('\n')
const isPlaceholder = (word: string) => /^<.+>$/.test(word)

function commandOf(words: Command, known: Record<string, Known>): string {
  for (const length of [4, 3, 2, 1]) {
    const name = words.slice(0, length).join(' ')
    if (Object.hasOwn(known, name)) return name
  }
  assert.fail(`not among the known commands: ${words.join(' ')}`)
}

/** The words that belong to no option. */
function wordsAlone(args: string[], { words = 0, options = {} }: Known, said: string): string[] {
  try {
    const { positionals } = parseArgs({ args, options, allowPositionals: true })
    assert.equal(positionals.length, words, `takes ${words} words`)
    return positionals
  } catch (error) {
    assert.fail(`${said}: ${error}`)
  }
}

/**
 * Fails for what azd, az or gh do not know, and for a variable or hook that this template does not have. `inSentence`: it
 * may be the name of a command alone.
 */
export function checkCloudCommand([program = '', ...words]: Command, { inSentence = false } = {}): void {
  const said = [program, ...words].join(' ')
  const known = PROGRAMS[program] ?? {}
  const name = commandOf(words, known)
  const args = words.slice(name.split(' ').length)
  if (inSentence && args.length === 0) return
  const [first] = wordsAlone(args, known[name] ?? {}, said)
  if (program !== 'azd' || first === undefined || isPlaceholder(first)) return
  if (name === 'hooks run') assert.ok(Object.hasOwn(hooks, first), `${said}: azure.yaml has no such hook`)
  if (name.startsWith('env ') && first !== 'NAME')
    assert.match(readers, new RegExp(`\\b${first}\\b`), `${said}: nothing reads ${first}`)
}
