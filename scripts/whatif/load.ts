/** Loads what the what-if starts from: what is declared, and how it is to be judged. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { requireBicep } from '../bicep/compiler.ts'
import { templateOf } from '../bicep/parameter-file.ts'
import { findPlaces } from '../bicep/places.ts'
import { Problem } from '../cli/problem.ts'
import { ROOT } from '../cli/program.ts'
import type { Context } from '../cli/script.ts'
import type { Declared } from './desired.ts'
import { type Exception, Exceptions } from './exceptions.ts'
import { Further, NOTHING_FURTHER } from './further.ts'
import type { Perspective } from './risk.ts'

const PARAMETERS = join(ROOT, 'infra', 'main.bicepparam')

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
  { parameters = PARAMETERS, values = {}, resourceGroup, desired, further }: Question,
  isSignedIn = true,
): Promise<Declared> {
  const { environment, variables, compile } = context
  const tenantId = await findTenant(context, isSignedIn)
  const infra = dirname(resolve(parameters))
  requireBicep()
  const compiled = await compile({
    infra,
    parameters: basename(parameters),
    values,
    resourceGroup,
    environment: { ...variables },
    subscriptionId: environment.AZURE_SUBSCRIPTION_ID,
    tenantId,
  })
  const places = findPlaces(templateOf(resolve(parameters)) ?? '')
  return {
    compiled,
    places,
    further: await addFurther(await further?.(tenantId), desired),
    variables,
    tenantId,
  }
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
    outputs: { ...further.outputs, ...more.outputs },
    names: { ...further.names, ...more.names },
  }
}

export interface Question {
  parameters?: string
  /** Values of parameters that count more than the file's. */
  values?: Readonly<Record<string, string>>
  /** Which the template is deployed to. */
  resourceGroup?: string | undefined
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
  if (!existsSync(file)) return undefined
  const parsed = schema.safeParse(parseJson(await readFile(file, 'utf8')))
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
