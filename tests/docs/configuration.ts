/**
 * Writes the tables of docs/configuration.md: which variables there are, their defaults, what they should be and what
 * they do, each from the code that reads it. Part of `npm run snapshots`; alone: `node tests/docs/configuration.ts`.
 */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { ConfigurationError } from '../../app/auth/credential.ts'
import { endpointOf, loadConfig, Environment as Settings } from '../../app/config.ts'
import { loadDeclaration } from '../../app/declaration.ts'
import { everyToolSet } from '../../app/permissions.ts'
import { compile } from '../../scripts/bicep/compile.ts'
import {
  environmentOf,
  Environment as Hooks,
  NEW_ENVIRONMENT,
  NOT_ASKED_YET,
} from '../../scripts/cli/environment.ts'
import { checkParameters } from '../../scripts/cli/parameters.ts'
import { Problem } from '../../scripts/cli/problem.ts'
import { filesIn } from '../files.ts'
import { EXAMPLES } from '../scripts/cli/parameter-examples.ts'
import { asMarkdown, table, withGenerated } from './generated.ts'

const root = new URL('../../', import.meta.url)
export const CONFIGURATION = new URL('docs/configuration.md', root)

/** A row: what a reader of the environment takes, with the words of its own refusal. */
interface Variable {
  name: string
  /** Undefined: it has none, and the reader refuses to do without. */
  usual: unknown
  isRequired: boolean
  should: string
  what: string
}

/** Empty is not set, for every reader. */
const shown = (value: unknown): string =>
  (Array.isArray(value) ? value.join(',') : String(value ?? '')).replace(/.+/, '`$&`') || 'none'

const rowOf = ({ name, usual, isRequired, should, what }: Variable): string[] => [
  `\`${name}\``,
  isRequired ? 'required' : shown(usual),
  asMarkdown(should),
  asMarkdown(what),
]
const variablesTable = (variables: readonly Variable[]): string =>
  table(['variable', 'default', 'should be', 'what'], variables.map(rowOf))

/** No right value of anything that is tested at all. */
const WRONG = '\u0000'

/** What somebody is told who sets `name` to what `read` is given; '' where it is taken. */
function refusalOf(name: string, read: () => unknown): string {
  try {
    read()
    return ''
  } catch (error) {
    if (!(error instanceof Problem || error instanceof ConfigurationError)) throw error
    const told = error instanceof Problem ? error.what : error.message
    const faults = told.split(/\n|; /).filter((line) => line.trim().startsWith(`${name} `))
    return [...new Set(faults.map((fault) => /should be (.+?)\.?$/.exec(fault)?.[1] ?? ''))].join('; ')
  }
}

/** Fields of a schema that say what they are. */
function described(shape: z.ZodRawShape, refuse: (name: string) => string): Variable[] {
  return Object.entries(shape).flatMap(([name, field]) => {
    const { description: what } = z.globalRegistry.get(field) ?? {}
    if (what === undefined) return []
    const { success, data } = z.safeParse(field, undefined)
    return [{ name, usual: data, isRequired: !success, should: refuse(name), what }]
  })
}

const Described = z.looseObject({ metadata: z.looseObject({ description: z.string() }) })
const Template = z.looseObject({
  parameters: z.record(z.string(), Described),
  outputs: z.record(z.string(), Described),
})

/** Each parameter with the variable that it stands for: the first one it is made of that no earlier parameter is. */
export function variablesOf(parameterFile: string): Map<string, string> {
  const read = new Map<string, string[]>()
  const variables = new Map<string, string>()
  for (const statement of parameterFile.replaceAll(/^\/\/.*$/gm, '').split(/^(?=param |var )/m)) {
    const [, kind, name = ''] = /^(param|var) (\w+) =/.exec(statement) ?? []
    const direct = [...statement.matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, one = '']) => one)
    const indirect = [...read].flatMap(([one, all]) =>
      new RegExp(`(?<!\\.)\\b${one}\\b`).test(statement) ? all : [],
    )
    const all = [...indirect, ...direct]
    read.set(name, all)
    const own = all.find((one) => ![...variables.values()].includes(one))
    if (kind === 'param' && own) variables.set(name, own)
  }
  return variables
}

/** Without these azd does not begin. */
const ASKED = { AZURE_ENV_NAME: 'dev', AZURE_LOCATION: 'westeurope' }

async function deployment(): Promise<{ parameters: string; outputs: string }> {
  const infra = fileURLToPath(new URL('infra/', root))
  const { written } = await compile({
    infra,
    environment: ASKED,
    subscriptionId: NOT_ASKED_YET,
    tenantId: NOT_ASKED_YET,
  })
  const { parameters, outputs } = Template.parse(written.template)
  const sets = loadDeclaration().toolSets.map(({ name }) => name)
  const rows = [...variablesOf(await readFile(`${infra}main.bicepparam`, 'utf8'))].map(
    ([parameter, name]) => {
      const refused = EXAMPLES[name]?.refused[0]
      return {
        name,
        usual: written.parameters[parameter],
        isRequired: name in ASKED,
        should: refusalOf(name, () => checkParameters({ [name]: refused }, sets)),
        what: parameters[parameter]?.metadata.description ?? '',
      }
    },
  )
  return {
    parameters: variablesTable(rows),
    outputs: table(
      ['variable', 'what'],
      Object.entries(outputs).map(([name, { metadata }]) => [
        `\`${name}\``,
        asMarkdown(metadata.description),
      ]),
    ),
  }
}

/** An address is right as one, and may still be a stranger's. */
const STRANGER = 'https://mcp.contoso.com'
const hooks = (): string =>
  variablesTable(
    described(Hooks.shape, (name) => {
      const told = [WRONG, STRANGER].map((value) =>
        refusalOf(name, () => environmentOf({ ...NEW_ENVIRONMENT, [name]: value })),
      )
      return [...new Set(told)].join('; ')
    }),
  )

function server(): string {
  const declaration = loadDeclaration()
  const refuse = (name: string) => {
    const TOOL_SETS = everyToolSet(declaration)
    const given = (value?: string) => () => loadConfig({ TOOL_SETS, [name]: value }, declaration)
    // A name may be anything, but has to be there.
    return refusalOf(name, given(WRONG)) || refusalOf(name, given())
  }
  const settings = described(Settings.shape, refuse)
  const endpoints = declaration.downstreamApis.map((api) => {
    const { variable: name, usual } = endpointOf(api)
    const sets = declaration.toolSets
      .filter(({ downstreamPermissions }) => downstreamPermissions.some((one) => one.api === api.name))
      .map((set) => `\`${set.name}\``)
      .join(', ')
    const what = `${api.displayName}${usual ? ', or an emulator' : '; Bicep sets it'}. Tool sets: ${sets}.`
    return { name, usual, isRequired: !usual, should: refuse(name), what }
  })
  return variablesTable([...settings, ...endpoints])
}

/** The script says it itself. */
async function start(): Promise<string> {
  const script = fileURLToPath(new URL('scripts/start.ts', root))
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--help'])
  const rows = [...stdout.matchAll(/^ {2}([A-Z_]+)(?:=(\S+))? +(.+)$/gm)].map(
    ([, name, usual, what = '']) => [`\`${name}\``, shown(usual), asMarkdown(what)],
  )
  return table(['variable', 'default', 'what'], rows)
}

/** The TypeScript of `rooms`, by path. */
export async function sourcesIn(...rooms: string[]): Promise<Map<string, string>> {
  const names = filesIn(...rooms).filter((name) => name.endsWith('.ts'))
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(new URL(name, root), 'utf8')] as const),
    ),
  )
}

/** What has no schema says it in a comment beside the code: `@env NAME, NAME what they do`. */
async function programs(): Promise<string> {
  const rows = [...(await sourcesIn('scripts'))].flatMap(([path, text]) =>
    [...text.matchAll(/@env ((?:[A-Z_]+, )*[A-Z_]+) (.+?)(?: \*\/)?$/gm)].map(([, names = '', what = '']) => [
      names.replaceAll(/\w+/g, '`$&`'),
      asMarkdown(what),
      `[\`${path}\`](../${path})`,
    ]),
  )
  return table(['variables', 'what', 'read in'], rows)
}

/** docs/configuration.md with its tables as they should be; takes a compiler. */
export async function currentConfiguration(): Promise<string> {
  const { parameters, outputs } = await deployment()
  return withGenerated(CONFIGURATION, {
    ...{ parameters, outputs },
    ...{ hooks: hooks(), server: server(), start: await start(), programs: await programs() },
  })
}

if (import.meta.main) await writeFile(CONFIGURATION, await currentConfiguration())
