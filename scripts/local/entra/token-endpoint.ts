import type { RequestHandler } from 'express'
import type { TokenAnswer } from './answer.ts'
import { withBasic } from './client-authentication.ts'
import { clientCredentials } from './client-credentials.ts'
import { redeemDeviceCode } from './device-code.ts'
import type { Entra } from './entra.ts'
import { errorBody } from './errors.ts'
import { onBehalfOf } from './on-behalf-of.ts'
import { type Parameters, parametersOf, required } from './parameters.ts'
import { redeemCode, redeemRefreshToken } from './redemption.ts'
import * as refusals from './refusals.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

type Grant = (entra: Entra, parameters: Parameters, crossOrigin: boolean) => Promise<TokenAnswer>

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
      const over = await entra.faults.hit(endpoint, request, response, (status) => {
        response.status(status).json(errorBody(refusals.outage(status), entra.now()))
      })
      if (over) return
    }
    const grantType = required(parameters, 'grant_type')
    const grant = grants.get(grantType)
    if (!grant) throw refusals.request.unknownGrant(grantType)
    response.json(await grant(entra, parameters, crossOrigin))
  }
}
