/** Tokens of a program that stands for itself (OAuth 2.0 client credentials); none is kept. */
import { ConfidentialClientApplication, type NodeAuthOptions } from '@azure/msal-node'
import ky from 'ky'
import { z } from 'zod'
import { proofWith } from '../../app/auth/client-authentication.ts'
import { ConfigurationError, credentialOf } from '../../app/auth/credential.ts'
import { safeUrl } from '../../app/loopback.ts'
import { Problem } from '../cli/problem.ts'
import type { Tokens } from './challenge.ts'
import { entraOf, signInProblem } from './entra.ts'
import type { McpServer } from './server.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** `variables`: the environment, for the credential. */
export function serviceTokens(server: McpServer, clientId: string, variables: Variables): Tokens {
  let token: Promise<string> | undefined
  return {
    held() {
      token ??= tokenFor(server, clientId, variables)
      return token
    },
    async answer({ description }) {
      throw refusal(description)
    },
    refusal,
  }
}

const refusal = (description: string) =>
  new Problem({
    what: `The server refuses this service: ${description}`,
    why: 'A service has the app roles that were assigned to it; nothing it could ask for adds one.',
    fix: 'Call as a person, without --service, or declare the service (docs/services.md).',
  })

const OF_A_SERVICE = {
  AADSTS700016: {
    cause: 'This tenant does not know the client id.',
    fix: '--client-id <id>, or AZURE_CLIENT_ID    (of the service’s own app: docs/services.md)',
  },
}

async function tokenFor(server: McpServer, clientId: string, variables: Variables): Promise<string> {
  const { authority, http } = entraOf(server)
  try {
    const app = new ConfidentialClientApplication({
      auth: { clientId, authority, ...(await proofOf(variables)) },
      system: { networkClient: http },
    })
    const result = await app.acquireTokenByClientCredential({ scopes: [`${server.url}/.default`] })
    return result?.accessToken ?? ''
  } catch (error) {
    throw signInProblem(error, http, OF_A_SERVICE)
  }
}

/** A secret or a certificate where one is set, else what GitHub says about the running job. */
async function proofOf(variables: Variables): Promise<Partial<NodeAuthOptions>> {
  // @env AZURE_CLIENT_ID, ENTRA_CLIENT_SECRET, ENTRA_CLIENT_CERTIFICATE_PATH The client id of a service, and its credential, for `npm run client -- --service`.
  const { ENTRA_CLIENT_SECRET, ENTRA_CLIENT_CERTIFICATE_PATH } = variables
  if (!ENTRA_CLIENT_SECRET && !ENTRA_CLIENT_CERTIFICATE_PATH)
    return { clientAssertion: await jobToken(variables) }
  if (ENTRA_CLIENT_SECRET && ENTRA_CLIENT_CERTIFICATE_PATH)
    throw noProof(
      '2 credentials are set.',
      'Keep ENTRA_CLIENT_SECRET or ENTRA_CLIENT_CERTIFICATE_PATH; unset the other.',
    )
  // An empty text is none.
  const set = ENTRA_CLIENT_SECRET ? { ENTRA_CLIENT_SECRET } : { ENTRA_CLIENT_CERTIFICATE_PATH }
  try {
    return await proofWith(credentialOf(set))()
  } catch (error) {
    throw error instanceof ConfigurationError ? noProof(error.message) : error
  }
}

/** Source: https://docs.github.com/actions/security-for-github-actions (OpenID Connect reference). */
async function jobToken(variables: Variables): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = variables
  if (!address || !token) throw noProof('A service needs a credential, and none is set.')
  const url = new URL(address)
  if (!safeUrl(url.origin)) throw noProof('ACTIONS_ID_TOKEN_REQUEST_URL is no https URL.')
  url.searchParams.set('audience', 'api://AzureADTokenExchange')
  try {
    const answer = await ky(url, { headers: { authorization: `Bearer ${token}` }, timeout: 10_000 }).json()
    return z.object({ value: z.string() }).parse(answer).value
  } catch {
    throw noProof('GitHub gives this job no token.')
  }
}

const noProof = (
  what: string,
  fix = 'Set ENTRA_CLIENT_SECRET or ENTRA_CLIENT_CERTIFICATE_PATH; in a workflow: permissions: id-token: write',
) =>
  new Problem({
    what,
    why: 'A service proves who it is with exactly one of a secret, a certificate and the token of a GitHub job.',
    fix,
  })
