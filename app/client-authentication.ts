import {
  AuthError,
  ClientAuthErrorCodes,
  ManagedIdentityApplication,
  type NodeAuthOptions,
} from '@azure/msal-node'
import type { Credential } from './credential.ts'
import { DownstreamUnavailable } from './downstream.ts'
import { EntraHttp } from './entra-http.ts'

/** What a federated credential accepts as proof (Microsoft identity platform, "workload identity federation"). */
const TOKEN_EXCHANGE = 'api://AzureADTokenExchange'

/** How MSAL proves to Entra, in one exchange, that this is the API app. Throws DownstreamUnavailable. */
export async function clientAuthentication(credential: Credential): Promise<Partial<NodeAuthOptions>> {
  if (credential.kind === 'secret') return { clientSecret: credential.secret }
  if (credential.kind === 'certificate') {
    const { thumbprintSha256, privateKey, certificate } = credential
    return { clientCertificate: { thumbprintSha256, privateKey, x5c: certificate } }
  }
  // Asked for here and not in a callback, whose errors MSAL would hide. MSAL keeps the identity's token.
  return { clientAssertion: await assertionOf(credential.clientId) }
}

async function assertionOf(userAssignedClientId: string): Promise<string> {
  const identity = new ManagedIdentityApplication({
    managedIdentityIdParams: { userAssignedClientId },
    // MSAL's own would wait for ever on an endpoint that does not answer.
    system: { networkClient: new EntraHttp() },
  })
  try {
    return (await identity.acquireToken({ resource: TOKEN_EXCHANGE })).accessToken
  } catch (error) {
    const silent = error instanceof AuthError && error.errorCode === ClientAuthErrorCodes.networkError
    throw silent ? new DownstreamUnavailable('The managed identity') : error
  }
}
