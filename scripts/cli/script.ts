/** How every script of an operator starts and ends: options, help, one clear message and exit code 1 on failure. */
import { parseArgs } from 'node:util'
import { compile } from '../bicep/compile.ts'
import { Directory } from '../graph/directory.ts'
import { azdVersion } from './azd.ts'
import { type Surroundings, surroundings } from './environment.ts'
import { operatorOf } from './operator.ts'
import { Problem } from './problem.ts'
import { ROOT } from './program.ts'
import { explain } from './remedies.ts'
import { isStarted } from './started.ts'
import type { Operator } from './token.ts'

/** What a script works with; tests bring their own. */
export type Context = Surroundings &
  Readonly<{
    directory: Directory
    operator: Operator
    /** Like `1.23.15`. */
    azdVersion: () => Promise<string>
    /** What the Bicep compiler says. */
    compile: typeof compile
    print: (line: string) => void
    /** The project's folder: where azd keeps its environments and a developer's `.env` is. */
    root: string
  }>

interface Script {
  /** What it does, how it is called and what it reads; the first line is a sentence. */
  help: string
  /** Further switches, all without a value. */
  switches?: readonly string[]
  /** Whether a word may follow. */
  takesWord?: boolean
  /** Runs before azd has asked for the subscription, too. */
  early?: boolean
}

const COMMON = `
Options:
  -e, --environment <name>  another azd environment than the selected one
  -h, --help                this text
Reads the azd environment (given by azd to its hooks, else: azd env get-values). Signs in as azd does.
`

/** With the surroundings that these arguments choose. */
export async function contextOf(...choice: Parameters<typeof surroundings>): Promise<Context> {
  const around = await surroundings(...choice)
  const operator = operatorOf(around.environment)
  const directory = new Directory({
    endpoint: around.environment.GRAPH_ENDPOINT,
    patienceSeconds: around.environment.DIRECTORY_PATIENCE_SECONDS,
    token: operator.token,
  })
  const print = (line: string) => console.log(line)
  return { ...around, operator, directory, azdVersion, compile, root: ROOT, print }
}

function argumentsOf({ switches = [], takesWord = false }: Script) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        environment: { type: 'string', short: 'e' },
        ...Object.fromEntries(switches.map((name) => [name, { type: 'boolean' as const }])),
      },
    })
    const unexpected = positionals.slice(takesWord ? 1 : 0)
    if (unexpected.length > 0) throw new Error(`Unexpected: ${unexpected.join(' ')}`)
    const given = Object.entries(values).flatMap(([name, value]) => (value === true ? [name] : []))
    return { name: values.environment, switches: new Set(given), word: positionals[0] }
  } catch (error) {
    throw new Problem({
      what: error instanceof Error ? error.message : String(error),
      why: 'Nothing was done.',
      fix: 'the same command with --help, which lists what it takes',
    })
  }
}

/** Runs `main` if the file of `meta` is what was started; nothing happens where it was imported. */
export async function runScript(
  meta: ImportMeta,
  script: Script,
  main: (context: Context, args: ReturnType<typeof argumentsOf>) => Promise<void>,
): Promise<void> {
  if (!isStarted(meta)) return
  try {
    const args = argumentsOf(script)
    if (args.switches.has('help')) return void process.stdout.write(`${script.help.trim()}\n${COMMON}`)
    await main(await contextOf(args.name, undefined, script.early), args)
  } catch (error) {
    console.error(`\n✗ ${explain(error)}`)
    process.exitCode = 1
  }
}
