/** Loads what the what-if starts from: the command, what is declared, and how it is to be judged. */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { requireBicep } from '../bicep/compiler.ts'
import { ROOT } from '../cli/azd.ts'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import type { Declared } from './desired.ts'
import { type Exception, Exceptions } from './exceptions.ts'
import { Further, NOTHING_FURTHER } from './further.ts'
import type { Perspective } from './risk.ts'

export const FORMATS = ['text', 'markdown', 'json', 'sarif'] as const
export const LEVELS = ['high', 'medium', 'any'] as const
export type Level = (typeof LEVELS)[number]

export interface Command {
  format: (typeof FORMATS)[number]
  failOn: Level
  isHelp: boolean
  isMap: boolean
  parameters: string
  environment: string | undefined
  perspective: Perspective
  exceptions: string | undefined
  desired: string | undefined
}

export const HELP = `npm run whatif [-- options]
Says what a deployment and its hooks would change in Microsoft Entra ID, graded by risk. Changes nothing.

  --format text|markdown|json|sarif
                               text; markdown is a comment for a pull request, json is for programs, sarif for code scanning
  --fail-on high|medium|any    which changes make the exit code 2 (any)
  --map                        prints the Mermaid map of the declared state instead, without azd, sign-in or directory;
                               where no azd environment is selected, that of a new one called dev
  --drift                      grades what somebody has done by hand instead of what a deployment would do
  --exceptions <file>          accepted exceptions (identity-exceptions.json beside the parameter file)
  --desired <file>             what hooks and other tools write besides the template
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

const FILE = 'main.bicepparam'
const PARAMETERS = join(ROOT, 'infra', FILE)

/** Throws a Problem, or an error of `parseArgs`, that names the option. */
export function parseCommand(args: string[], usualParameters: string = PARAMETERS): Command {
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
      desired: { type: 'string' },
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
    desired: values.desired,
  }
}

/** What is asked about, and as whom. */
export type Asked = Pick<Context, 'variables' | 'operator' | 'compile'> & {
  environment: Pick<Context['environment'], 'AZURE_TENANT_ID' | 'AZURE_SUBSCRIPTION_ID'>
}

/** Stands in for the tenant where nobody has to be signed in. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000'

async function findTenant({ environment, operator }: Asked, isSignedIn: boolean): Promise<string> {
  if (environment.AZURE_TENANT_ID) return environment.AZURE_TENANT_ID
  if (!isSignedIn) return NO_TENANT
  const { tid } = await operator.claims()
  if (tid) return tid
  throw new Problem({
    what: 'The tenant is not known.',
    why: 'Names and issuers in the template depend on it.',
    fix: 'azd env set AZURE_TENANT_ID <tenant id>',
  })
}

/** What is declared for the environment; with `isSignedIn` false nobody is asked for a token. */
export async function loadDeclared(
  context: Asked,
  { parameters = PARAMETERS, desired, further }: Question,
  isSignedIn = true,
): Promise<Declared> {
  const { environment, variables, compile } = context
  const tenantId = await findTenant(context, isSignedIn)
  const infra = dirname(resolve(parameters))
  if (basename(parameters) !== FILE)
    throw new Problem({
      what: `${parameters} is not called ${FILE}.`,
      why: 'The compiler is given that file and main.bicep beside it, as azd does.',
      fix: `Rename it; from main.parameters.json: bicep decompile-params main.parameters.json --bicep-file main.bicep`,
    })
  requireBicep()
  const compiled = await compile({
    infra,
    environment: { ...variables },
    subscriptionId: environment.AZURE_SUBSCRIPTION_ID,
    tenantId,
  })
  return { compiled, further: await addFurther(await further?.(tenantId), desired), variables, tenantId }
}

/** A file that somebody names has to be there. */
async function addFurther(further: Further = NOTHING_FURTHER, file?: string): Promise<Further> {
  if (file === undefined) return further
  const wrong = {
    why: 'What hooks write would be reported as if nobody had declared it.',
    fix: 'Correct the file; docs/whatif.md describes it.',
  }
  const more = await readJson(file, Further, wrong)
  if (!more) throw new Problem({ what: `${file} is not there.`, ...wrong })
  return {
    consents: [...further.consents, ...more.consents],
    withdrawn: [...further.withdrawn, ...more.withdrawn],
    disabledFirst: [...further.disabledFirst, ...more.disabledFirst],
    federatedCredentials: [...further.federatedCredentials, ...more.federatedCredentials],
    secrets: [...further.secrets, ...more.secrets],
    names: { ...further.names, ...more.names },
  }
}

export interface Question {
  parameters?: string
  perspective?: Perspective
  /** The reviewed file; beside the parameter file when left out. */
  exceptions?: string | undefined
  /** A file of what is written besides the template. */
  desired?: string | undefined
  /** What the caller knows of that. */
  further?: (tenantId: string) => Promise<Further>
}

/** How the differences are judged. */
export interface Policy {
  exceptions: readonly Exception[]
  /** Object id of whoever asks. */
  deployer: string | undefined
  perspective: Perspective
  /** Like 2026-11-27: exceptions expire. */
  today: string
}

/** By the reviewed exceptions, and knowing who asks. */
export async function loadPolicy(
  { operator }: Pick<Asked, 'operator'>,
  { parameters = PARAMETERS, perspective = 'proposed', exceptions }: Question,
): Promise<Policy> {
  const file = exceptions ?? join(dirname(parameters), 'identity-exceptions.json')
  const reviewed = await readJson(file, Exceptions, {
    why: 'What it accepts would be reported, or what it should not accept would be hidden.',
    fix: 'Correct the file; docs/whatif.md describes it.',
  })
  return {
    exceptions: reviewed?.exceptions ?? [],
    deployer: (await operator.claims()).oid,
    perspective,
    today: new Date().toISOString().slice(0, 10),
  }
}

/** undefined where there is no such file. Throws a Problem that names the line. */
async function readJson<T>(
  file: string,
  schema: z.ZodType<T>,
  wrong: { why: string; fix: string },
): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const parsed = schema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new Problem({ what: `${file} cannot be used: ${z.prettifyError(parsed.error)}`, ...wrong })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
