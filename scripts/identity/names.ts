/**
 * How this environment's objects are called in Entra: the same words as in infra/identity.bicep, so that they are
 * found before a deployment and after `azd down`, when azd has forgotten its outputs. A test holds the names against
 * every committed snapshot; `namesOf` holds them against the deployment.
 */
import type { Environment } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'
import { uniqueString } from './unique-string.ts'

export interface Names {
  /** Unique per subscription and environment. */
  token: string
  /** On every app and service principal. */
  tags: readonly [environment: string, token: string]
  api: string
  client: string
  dev: string
  admins: string
  users: string
}

type Known = Pick<Environment, 'AZURE_ENV_NAME' | 'AZURE_SUBSCRIPTION_ID' | 'ENTRA_API_APP_UNIQUE_NAME'>

export function namesOf(environment: Known): Names {
  const { AZURE_ENV_NAME, AZURE_SUBSCRIPTION_ID, ENTRA_API_APP_UNIQUE_NAME } = environment
  const token = uniqueString(`/subscriptions/${AZURE_SUBSCRIPTION_ID}`, AZURE_ENV_NAME)
  const name = (kind: string) => `mcp-expenses-${kind}-${AZURE_ENV_NAME}-${token}`
  const names: Names = {
    token,
    tags: [`azd-env-name:${AZURE_ENV_NAME}`, `azd-env-token:${token}`],
    api: name('api'),
    client: name('client'),
    dev: name('dev'),
    admins: name('admins'),
    users: name('users'),
  }
  if (ENTRA_API_APP_UNIQUE_NAME && ENTRA_API_APP_UNIQUE_NAME !== names.api) {
    throw new Problem({
      what: `The deployed API app is called ${ENTRA_API_APP_UNIQUE_NAME}, the scripts look for ${names.api}.`,
      why: 'infra/identity.bicep and scripts/identity/names.ts must say the same, or the scripts work on the wrong objects.',
      fix: 'Make scripts/identity/names.ts follow infra/identity.bicep, then: node --test tests/scripts/identity/names.test.ts',
    })
  }
  return names
}
