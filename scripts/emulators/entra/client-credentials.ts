import type { Application } from '../directory-objects.ts'
import type { TokenAnswer } from './answer.ts'
import { clientOf, prove } from './client-authentication.ts'
import type { Entra } from './entra.ts'
import { type Parameters, required } from './parameters.ts'
import * as refusals from './refusals.ts'
import { checkTarget, resolveScopes } from './scopes.ts'
import { ACCESS_TOKEN_SECONDS, appToken } from './tokens.ts'

/** client_credentials: an app that stands for itself; its token has `idtyp` "app" and no `scp`. */
export async function clientCredentials(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const proof = await prove(entra, client, parameters)
  const scope = required(parameters, 'scope')
  if (!/^\S+\/\.default$/.test(scope)) throw refusals.scope.clientCredentials(scope)
  const request = resolveScopes(entra.directory, entra.tenantId, client, scope)
  checkTarget(parameters.resource, request)
  const principal = entra.directory.servicePrincipal(client.appId)
  if (!principal) throw refusals.client.unknown(client.appId, entra.tenantId)
  checkAssignment(entra, client, principal.id, request.resource)
  const { resource, resourceName } = request
  return {
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_SECONDS,
    ext_expires_in: ACCESS_TOKEN_SECONDS,
    access_token: await appToken(entra, {
      client: { appId: client.appId, principalId: principal.id },
      proof,
      resource,
      resourceName,
    }),
  }
}

/** An app may always ask for a token for itself. */
function checkAssignment(
  { directory }: Entra,
  client: Application,
  principalId: string,
  resource: Application,
): void {
  const target = directory.servicePrincipal(resource.appId)
  if (client === resource || !target?.appRoleAssignmentRequired) return
  if (directory.assignments(principalId, target.id).length === 0) {
    throw refusals.principal.appUnassigned(client, resource)
  }
}
