import { type RequestHandler, Router } from 'express'
import { type Entra, issuerV2 } from './entra.ts'

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
export function discoveryRoutes(entra: Entra): Router {
  const keys: RequestHandler = async (request, response) => {
    const over = await entra.faults.hit('keys', request, response, (status) => {
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
