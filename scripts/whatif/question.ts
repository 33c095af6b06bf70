/** The what-if of an azd environment: what the command prints, and what `verify` asks after a deployment. */
import { join } from 'node:path'
import { ROOT } from '../hooks/azd.ts'
import { Problem } from '../hooks/problem.ts'
import type { Context } from '../hooks/script.ts'
import { declaredOf } from './declaration.ts'
import { type Declared, identityWhatIf, type WhatIf } from './whatif.ts'

export const PARAMETERS = join(ROOT, 'infra', 'main.bicepparam')

/** Stands in for the tenant where nobody has to be signed in. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000'

type Asked = Pick<Context, 'environment' | 'variables' | 'operator'>

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
  const { environment, variables } = context
  return declaredOf({ environment, variables, parameters, tenantId: await tenantOf(context, isSignedIn) })
}

/** Reads the directory and changes nothing; throws a Problem when a right to read is missing. */
export async function whatIfOf(
  context: Asked & Pick<Context, 'directory'>,
  parameters: string = PARAMETERS,
): Promise<WhatIf> {
  return identityWhatIf(await declaredIn(context, parameters), context.directory)
}
