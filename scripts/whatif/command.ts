/** The command line of the what-if. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Problem } from '../cli/problem.ts'
import { ROOT } from '../cli/program.ts'
import type { Question } from './load.ts'
import { checkTemplateFile, findTemplateFile } from './template-file.ts'

export const FORMATS = ['text', 'markdown', 'json', 'sarif'] as const
export const LEVELS = ['high', 'medium', 'any'] as const
export type Level = (typeof LEVELS)[number]

export interface Command extends Question {
  format: (typeof FORMATS)[number]
  failOn: Level
  isHelp: boolean
  isMap: boolean
  /** The parameter file, or a template that needs none. */
  parameters: string
  /** Names of variables that a parameter file may read in a pipeline. */
  allowed: readonly string[]
  environment: string | undefined
}

export const HELP = `npm run whatif [-- options]
Says what a deployment and its hooks would change in Microsoft Entra ID, graded by risk. Changes nothing.

  map                          prints the Mermaid map of the declared state instead, without azd, sign-in or directory;
                               where no azd environment is selected, that of a new one called dev (--map does the same)
  --infra <folder>             with main.bicepparam, azd's main.parameters.json, or one other parameter file (infra)
  --parameters <file>          any .bicepparam, azd's .parameters.json, or a .bicep file that needs no values
  --set <name>=<value>         a parameter's value, over the file's; as often as needed
  --resource-group <name>      which a template for resource groups is deployed to
  --variable <name>            what the package's parameter file may read in a pipeline besides AZURE_…; as often as needed
  --format text|markdown|json|sarif
                               text; markdown is a comment for a pull request, json is for programs, sarif for code scanning
  --fail-on high|medium|any    which changes make the exit code 2 (any)
  --drift                      grades what somebody has done by hand instead of what a deployment would do
  --exceptions <file>          accepted exceptions (identity-exceptions.json beside the parameter file)
  --desired <file>             what hooks and other tools write besides the template
  -e, --environment <name>     another azd environment than the selected one
  -h, --help                   this text

Exit code: 0 no changes (of that risk), 2 changes, 1 error. What will fail counts as a change of every risk. A value
that is known after deployment only counts by its place, where the object is there already.
Needs a Bicep compiler (0.36.1 or newer), and the read-only rights Application.Read.All, Group.Read.All and, where
consent is declared, DelegatedPermissionGrant.Read.All (or Directory.Read.All). Signs in as azd does.
`

const refused = (what: string, why: string) => new Problem({ what, why, fix: 'npm run whatif -- --help' })

function oneOf<T extends string>(all: readonly T[], value: string, option: string): T {
  const found = all.find((one) => one === value)
  if (found) return found
  throw refused(`--${option} ${value} is not known.`, `It can be ${all.join(', ')}.`)
}

/** Of `name=value`. */
function valuesOf(given: readonly string[]): Record<string, string> {
  const values = new Map<string, string>()
  for (const text of given) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw refused(`--set ${text} is not understood.`, 'It is the name of a parameter, = and its value.')
    if (values.has(name))
      throw refused(`--set ${name} is given twice.`, 'Only one of the values could count.')
    values.set(name, value)
  }
  return Object.fromEntries(values)
}

function variableOf(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name
  throw refused(`--variable ${name} is not understood.`, 'It is the name of one variable.')
}

function templateFileOf(infra: string | undefined, parameters: string | undefined, usual: string): string {
  if (infra !== undefined && parameters !== undefined)
    throw refused('Both --infra and --parameters are given.', 'Each of them names what is deployed.')
  return parameters === undefined ? findTemplateFile(infra ?? usual) : checkTemplateFile(parameters)
}

function readOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        format: { type: 'string' },
        'fail-on': { type: 'string', default: 'any' },
        map: { type: 'boolean', default: false },
        infra: { type: 'string' },
        parameters: { type: 'string' },
        set: { type: 'string', multiple: true, default: [] },
        'resource-group': { type: 'string' },
        variable: { type: 'string', multiple: true, default: [] },
        environment: { type: 'string', short: 'e' },
        drift: { type: 'boolean', default: false },
        exceptions: { type: 'string' },
        desired: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error), 'Nothing was asked.')
  }
}

/** `usual`: the folder that counts where none is named. Throws a Problem that names the option. */
export function parseCommand(args: string[], usual: string = join(ROOT, 'infra')): Command {
  const { values, positionals } = readOptions(args)
  const [word, ...others] = positionals
  if (others.length > 0 || (word !== undefined && word !== 'map'))
    throw refused(`Unexpected: ${positionals.join(' ')}`, 'The only word that may stand alone is map.')
  const isMap = values.map || word === 'map'
  if (isMap && values.format !== undefined)
    throw refused('--format does not go with map.', 'The map is Mermaid, and nothing else.')
  return {
    format: oneOf(FORMATS, values.format ?? 'text', 'format'),
    failOn: oneOf(LEVELS, values['fail-on'], 'fail-on'),
    isHelp: values.help,
    isMap,
    parameters: values.help ? '' : templateFileOf(values.infra, values.parameters, usual),
    values: valuesOf(values.set),
    resourceGroup: values['resource-group'],
    allowed: values.variable.map(variableOf),
    environment: values.environment,
    perspective: values.drift ? 'found' : 'proposed',
    exceptions: values.exceptions,
    desired: values.desired,
  }
}
