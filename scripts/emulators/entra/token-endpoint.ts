import type { RequestHandler } from 'express'
import { isAssigned } from './admission.ts'
import { answerWith, type Grant, type TokenAnswer } from './answer.ts'
import { clientOf, prove, withBasic } from './client-authentication.ts'
import { redeemDeviceCode } from './device-code.ts'
import { type Entra, type Parameters, parametersOf, required } from './entra.ts'
import { onBehalfOf, redeemCode, redeemRefreshToken } from './redemption.ts'
import * as refusals from './refusals.ts'
import { resolveScopes } from './scopes.ts'
import { appToken } from './tokens.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const grants: ReadonlyMap<string, Grant> = new Map([
  ['authorization_code', redeemCode],
  ['refresh_token', redeemRefreshToken],
  ['client_credentials', clientCredentials],
  ['urn:ietf:params:oauth:grant-type:device_code', redeemDeviceCode],
  ['device_code', redeemDeviceCode],
  [JWT_BEARER, onBehalfOf],
])

/** POST /<tenant>/oauth2/v2.0/token */
export function tokenEndpoint(entra: Entra): RequestHandler {
  return async (request, response) => {
    const crossOrigin = request.get('origin') !== undefined
    // Refusals too can be read by a page.
    if (crossOrigin) response.set('Access-Control-Allow-Origin', '*')
    const parameters = withBasic(parametersOf(request.body), request.get('authorization'))
    const endpoints =
      parameters.grant_type === JWT_BEARER ? (['token', 'obo'] as const) : (['token'] as const)
    for (const endpoint of endpoints) {
      const over = await entra.interventions.meet(endpoint, request, response, (status) => {
        response.status(status).json(refusals.errorBody(refusals.outage(status), entra.now()))
      })
      if (over) return
    }
    const grantType = required(parameters, 'grant_type')
    const grant = grants.get(grantType)
    if (!grant) throw refusals.request.unknownGrant({ grantType })
    response.json(await grant(entra, parameters, crossOrigin))
  }
}

/** client_credentials: an app that stands for itself; its token has `idtyp` "app" and no `scp`. */
async function clientCredentials(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const proof = await prove(entra, client, parameters)
  const scope = required(parameters, 'scope')
  if (!/^\S+\/\.default$/.test(scope)) throw refusals.scope.clientCredentials({ scopes: scope })
  const { resource, resourceName } = resolveScopes(entra, client, scope, parameters.resource)
  const principal = entra.directory.servicePrincipal(client.appId)
  if (!principal) throw refusals.client.unknown({ clientId: client.appId, tenant: entra.tenantId })
  // An app may always ask for a token for itself.
  if (client !== resource && !isAssigned(entra.directory, principal.id, resource)) {
    const { appId: resourceId, displayName } = resource
    throw refusals.principal.appUnassigned({ ...client, resourceId, resourceName: displayName })
  }
  return answerWith(await appToken(entra, { client: principal, proof, resource, resourceName }))
}
