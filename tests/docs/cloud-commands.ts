/** The commands of other programs that the pages name: what cannot be run here can still be no word that does not exist. */
import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Command, textOf } from './blocks.ts'

/** `needs`: how many words follow. */
type Known = Readonly<{ needs: number; options?: readonly string[] }>

/**
 * Of azd with what each takes: `azd <command> --help`, kept in Azure/azure-dev as cli/azd/cmd/testdata/TestUsage-azd-*.snap.
 * A command that a page names for the first time is added from there. `-e` and `--environment` go with most.
 */
const AZD: Record<string, Known> = {
  'auth login': { needs: 0, options: ['--tenant-id'] },
  'auth token': { needs: 0 },
  deploy: { needs: 0 },
  down: { needs: 0 },
  'env get-value': { needs: 1 },
  'env list': { needs: 0 },
  'env new': { needs: 0 },
  'env refresh': { needs: 0 },
  'env set': { needs: 2 },
  'hooks run': { needs: 1 },
  init: { needs: 0, options: ['--template'] },
  'pipeline config': { needs: 0 },
  provision: { needs: 0, options: ['--no-state', '--preview'] },
  up: { needs: 0 },
}
/** Of the Azure CLI: learn.microsoft.com/cli/azure/reference-index, each command's own page. */
const AZ: Record<string, Known> = {
  'ad app create': { needs: 0, options: ['--display-name', '--sign-in-audience', '--query', '--output'] },
  'ad app federated-credential create': { needs: 0, options: ['--id', '--parameters'] },
  'ad sp create': { needs: 0, options: ['--id', '--query', '--output'] },
  'ad sp show': { needs: 0, options: ['--id', '--query', '-o'] },
  'containerapp revision restart': { needs: 0 },
  'identity list': { needs: 0 },
  'keyvault certificate create': { needs: 0, options: ['--vault-name', '--name', '--policy'] },
  'keyvault certificate get-default-policy': { needs: 0 },
  'keyvault certificate show': { needs: 0, options: ['--vault-name', '--name', '--query', '--output'] },
  login: { needs: 0 },
  'resource list': { needs: 0 },
  rest: { needs: 0, options: ['--method', '--url', '--body'] },
}
/** Of the GitHub CLI: cli.github.com/manual. */
const GH: Record<string, Known> = {
  api: { needs: 0 },
  'auth login': { needs: 0 },
  'run rerun': { needs: 1, options: ['--failed'] },
  'variable set': { needs: 0 },
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

/** An option is followed by its value where one comes; `needs` counts what stands alone. */
function checkOptions(words: Command, { needs, options = [] }: Known, said: string): string[] {
  const given = words.filter((word) => /^--?[a-z]/.test(word))
  for (const option of given) assert.ok(options.includes(option), `${said}: ${option}`)
  const alone = given.length > 0 ? [] : [...words]
  assert.ok(given.length > 0 || alone.length === needs || alone.length === 0, `${said}: takes ${needs} words`)
  return alone
}

/** Fails for what azd, az or gh do not know, and for a variable or hook that this template does not have. */
export function checkCloudCommand([program = '', ...words]: Command): void {
  const said = [program, ...words].join(' ')
  const known = PROGRAMS[program] ?? {}
  const name = commandOf(words, known)
  const alone = checkOptions(words.slice(name.split(' ').length), known[name] ?? { needs: 0 }, said)
  const [first] = alone
  if (program !== 'azd' || first === undefined || isPlaceholder(first)) return
  if (name === 'hooks run') assert.ok(first in hooks, `${said}: azure.yaml has no such hook`)
  if (name.startsWith('env ') && first !== 'NAME')
    assert.match(readers, new RegExp(`\\b${first}\\b`), `${said}: nothing reads ${first}`)
}
