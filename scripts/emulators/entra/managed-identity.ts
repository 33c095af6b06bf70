import { timingSafeEqual } from 'node:crypto'
import type { RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { Entra } from './entra.ts'
import { ACCESS_TOKEN_SECONDS, appToken } from './tokens.ts'

const Query = z.object({ 'api-version': z.literal('2019-08-01'), resource: z.string(), client_id: z.guid() })

const refuse = (response: Response, statusCode: number, message: string) => {
  response.status(statusCode).json({ statusCode, message })
}

function isHeader(expected: string, given: string | undefined): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given ?? '')]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** GET IDENTITY_ENDPOINT of Container Apps and App Service, protocol 2019-08-01. Only user-assigned identities. */
export function managedIdentity(entra: Entra): RequestHandler {
  return async (request, response) => {
    const over = await entra.interventions.meet('managedIdentity', request, response, (status) =>
      refuse(response, status, 'An internal error occurred.'),
    )
    if (over) return
    // The header keeps requests forged through the app (SSRF) from getting its tokens.
    if (!isHeader(entra.identityHeader, request.get('x-identity-header'))) {
      return refuse(response, 401, 'The X-IDENTITY-HEADER header is missing or wrong.')
    }
    const { data, error } = Query.safeParse(request.query)
    if (data) return answer(entra, data, response)
    // Named by their parameter, because the platform's own answer to a bad request says no more than that either.
    const [name] = error.issues[0]?.path ?? []
    if (name === 'api-version' && name in request.query)
      return refuse(response, 400, 'The api-version is not supported.')
    refuse(response, 400, `The '${String(name)}' parameter is missing or not valid.`)
  }
}

async function answer(entra: Entra, query: z.infer<typeof Query>, response: Response): Promise<void> {
  const { resource: resourceName, client_id: appId } = query
  const identity = entra.directory.servicePrincipal(appId.toLowerCase())
  if (identity?.servicePrincipalType !== 'ManagedIdentity') {
    return refuse(
      response,
      400,
      'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
    )
  }
  const resource = entra.directory.resource(resourceName)
  if (!resource)
    return refuse(response, 400, `AADSTS500011: The resource principal named ${resourceName} was not found.`)
  response.set('Cache-Control', 'no-store').json({
    access_token: await appToken(entra, { client: identity, proof: '2', resource, resourceName }),
    expires_on: String(Math.floor(entra.now() / 1000) + ACCESS_TOKEN_SECONDS),
    resource: resourceName,
    token_type: 'Bearer',
    client_id: identity.appId,
  })
}
