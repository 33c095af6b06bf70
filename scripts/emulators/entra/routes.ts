import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import { signInRoutes } from './authorize.ts'
import { devicePages, startDeviceCode } from './device-code.ts'
import { type Entra, issuerV2, parametersOf } from './entra.ts'
import * as refusals from './refusals.ts'
import { tokenEndpoint } from './token-endpoint.ts'

/** Everything below /<tenant>. */
export function entraRoutes(entra: Entra): Router {
  const postOnly: RequestHandler = ({ method }) => {
    throw refusals.request.postOnly({ method })
  }
  const router = Router({ mergeParams: true })
  router.use(ownTenant(entra), noStore, express.urlencoded({ extended: false }))
  router.use(discoveryRoutes(entra), signInRoutes(entra), devicePages(entra))
  router.route('/oauth2/v2.0/token').post(tokenEndpoint(entra)).all(postOnly)
  router
    .route('/oauth2/v2.0/devicecode')
    .post((request, response) => {
      response.json(startDeviceCode(entra, parametersOf(request.body)))
    })
    .all(postOnly)
  router.use(refusalAsJson(entra))
  return router
}

/** The tenant is single: /common is refused as for an app of one tenant, other names are unknown. */
function ownTenant({ tenantId }: Entra): RequestHandler<{ tenant: string }> {
  return ({ params: { tenant }, path }, _response, next) => {
    const isOwn = tenant.toLowerCase() === tenantId
    const isEntra = /^\/(oauth2|discovery|v2\.0)\//.test(path)
    if (isOwn || !isEntra) return next(isOwn ? undefined : 'router')
    throw ['common', 'organizations', 'consumers'].includes(tenant)
      ? refusals.request.commonTenant({ tenant })
      : refusals.request.unknownTenant({ tenant })
  }
}

const noStore: RequestHandler = (_request, response, next) => {
  response.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' })
  next()
}

function refusalAsJson({ now }: Entra): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (!(error instanceof refusals.EntraError)) return next(error)
    const body = refusals.errorBody(error, now(), request.get('client-request-id'))
    response.status(error.details.status ?? 400).json(body)
  }
}

/**
 * As Entra publishes it: no `registration_endpoint` (neither DCR nor CIMD), and no
 * `code_challenge_methods_supported` although PKCE works. The forms of RFC 8414 are not served at all.
 */
function configurationOf(entra: Entra) {
  const tenant = `${entra.url}/${entra.tenantId}`
  return {
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: issuerV2(entra),
    request_uri_parameter_supported: false,
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${tenant}/oauth2/v2.0/devicecode`,
    claims_supported: 'sub iss aud exp iat nonce preferred_username name tid ver email'.split(' '),
    tenant_region_scope: null,
    cloud_instance_name: 'microsoftonline.com',
    msgraph_host: 'graph.microsoft.com',
  }
}

/** Both documents are for anybody, browsers of other origins included. */
function discoveryRoutes(entra: Entra): Router {
  const keys: RequestHandler = async (request, response) => {
    const over = await entra.interventions.meet('keys', request, response, (status) => {
      response.status(status).type('html').send('Service unavailable')
    })
    if (over) return
    const issuer = issuerV2(entra)
    response.set('Access-Control-Allow-Origin', '*').json({
      keys: entra.keys.published.map((key) => ({ ...key, issuer })),
    })
  }
  const router = Router()
  router.get('/v2.0/.well-known/openid-configuration', (_request, response) => {
    response.set('Access-Control-Allow-Origin', '*').json(configurationOf(entra))
  })
  router.get('/discovery/v2.0/keys', keys)
  return router
}
