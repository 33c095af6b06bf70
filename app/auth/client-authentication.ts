import type { NodeAuthOptions } from '@azure/msal-node'
import type { Credential } from './credential.ts'
import { ManagedIdentity } from './managed-identity.ts'

/** What a federated credential accepts as proof (Microsoft identity platform, "workload identity federation"). */
const TOKEN_EXCHANGE = 'api://AzureADTokenExchange'

/** How MSAL proves to Entra, in one exchange, that this is the API app. Throws what ManagedIdentity throws. */
export type Proof = () => Promise<Partial<NodeAuthOptions>>

export function proofWith(credential: Credential): Proof {
  if (credential.kind === 'secret') return async () => ({ clientSecret: credential.secret })
  if (credential.kind === 'certificate') {
    const { file } = credential
    // Read each time: the file may have been replaced.
    return async () => {
      const { thumbprintSha256, privateKey, certificate } = file.current
      return { clientCertificate: { thumbprintSha256, privateKey, x5c: certificate } }
    }
  }
  const identity = new ManagedIdentity(credential.clientId)
  // Asked for here and not in a callback of MSAL's, which would hide the errors.
  return async () => ({ clientAssertion: (await identity.token(TOKEN_EXCHANGE)).token })
}
