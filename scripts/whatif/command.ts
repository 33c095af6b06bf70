/** How the what-if is called. */
import { parseArgs } from 'node:util'
import { Problem } from '../cli/problem.ts'
import type { Perspective } from './risk.ts'
import { LEVELS, type Level } from './summary.ts'

export const FORMATS = ['text', 'markdown', 'json'] as const
export type Format = (typeof FORMATS)[number]

export interface Command {
  format: Format
  failOn: Level
  isHelp: boolean
  isMap: boolean
  parameters: string
  environment: string | undefined
  perspective: Perspective
  exceptions: string | undefined
}

export const HELP = `npm run whatif [-- options]
Says what a deployment and its hooks would change in Microsoft Entra ID, graded by risk. Changes nothing.

  --format text|markdown|json  text; markdown is a comment for a pull request, json is for programs
  --fail-on high|medium|any    which changes make the exit code 2 (any)
  --map                        prints the Mermaid map of the declared state instead, without azd, sign-in or directory;
                               where no azd environment is selected, that of a new one called dev
  --drift                      grades what somebody has done by hand instead of what a deployment would do
  --exceptions <file>          accepted exceptions (identity-exceptions.json beside the parameter file)
  --parameters <file>          the parameter file (infra/main.bicepparam)
  -e, --environment <name>     another azd environment than the selected one
  -h, --help                   this text

Exit code: 0 no changes (of that risk), 2 changes, 1 error. What will fail counts as a change of every risk.
Needs a Bicep compiler, and the read-only rights Application.Read.All, Group.Read.All and, where consent is declared,
DelegatedPermissionGrant.Read.All (or Directory.Read.All). Signs in as azd does.
`

function oneOf<T extends string>(all: readonly T[], value: string, option: string): T {
  const found = all.find((one) => one === value)
  if (found) return found
  throw new Problem({
    what: `--${option} ${value} is not known.`,
    why: `It can be ${all.join(', ')}.`,
    fix: 'npm run whatif -- --help',
  })
}

export function commandOf(args: string[], usualParameters: string): Command {
  const { values } = parseArgs({
    args,
    options: {
      format: { type: 'string', default: 'text' },
      'fail-on': { type: 'string', default: 'any' },
      map: { type: 'boolean', default: false },
      parameters: { type: 'string', default: usualParameters },
      environment: { type: 'string', short: 'e' },
      drift: { type: 'boolean', default: false },
      exceptions: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  return {
    format: oneOf(FORMATS, values.format, 'format'),
    failOn: oneOf(LEVELS, values['fail-on'], 'fail-on'),
    isHelp: values.help,
    isMap: values.map,
    parameters: values.parameters,
    environment: values.environment,
    perspective: values.drift ? 'found' : 'proposed',
    exceptions: values.exceptions,
  }
}
