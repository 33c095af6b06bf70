/** The what-if of an azd environment: what the command prints, and what `verify` asks after a deployment. */
import { dirname, join } from 'node:path'
import { ROOT } from '../cli/azd.ts'
import { readBlock } from '../cli/env-file.ts'
import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import { declaredOf } from './declaration.ts'
import { readExceptions } from './exceptions.ts'
import type { Perspective } from './risk.ts'
import { type Declared, identityWhatIf, type Judging, type WhatIf } from './whatif.ts'

export const PARAMETERS = join(ROOT, 'infra', 'main.bicepparam')

/** Stands in for the tenant where nobody has to be signed in. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000'

type Asked = Pick<Context, 'environment' | 'variables' | 'operator' | 'compile'>

async function tenantOf({ environment, operator }: Asked, isSignedIn: boolean): Promise<string> {
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
export async function declaredIn(
  context: Asked,
  parameters: string = PARAMETERS,
  isSignedIn = true,
): Promise<Declared> {
  const { environment, variables, compile } = context
  return declaredOf({
    environment,
    variables,
    compile,
    parameters,
    tenantId: await tenantOf(context, isSignedIn),
  })
}

export interface Question {
  parameters?: string
  perspective?: Perspective
  /** The reviewed file; beside the parameter file when left out. */
  exceptions?: string | undefined
}

/** How it is judged: by the reviewed exceptions, and knowing what Entra and the hooks of this folder have made. */
export async function judgingOf(
  { environment, operator, root }: Asked & Pick<Context, 'root'>,
  { parameters = PARAMETERS, perspective = 'proposed', exceptions }: Question,
): Promise<Judging> {
  const file = exceptions ?? join(dirname(parameters), 'identity-exceptions.json')
  const { ENTRA_CLIENT_SECRET_ID: secret } = await readBlock(join(root, '.env'), environment.AZURE_ENV_NAME)
  return {
    exceptions: await readExceptions(file),
    deployer: (await operator.claims()).oid,
    ownSecrets: new Set(secret ? [secret] : []),
    perspective,
    today: new Date().toISOString().slice(0, 10),
  }
}

/** Reads the directory and changes nothing; throws a Problem when a right to read is missing. */
export async function whatIfOf(
  context: Asked & Pick<Context, 'directory' | 'root'>,
  question: Question = {},
): Promise<WhatIf> {
  const [declared, judging] = await Promise.all([
    declaredIn(context, question.parameters),
    judgingOf(context, question),
  ])
  return identityWhatIf(declared, context.directory, judging)
}
