import express, { type ErrorRequestHandler, type RequestHandler, Router } from 'express'
import { devicePages, startDeviceCode } from './device-code.ts'
import { discoveryRoutes } from './discovery.ts'
import type { Entra } from './entra.ts'
import { parametersOf } from './parameters.ts'
import * as refusals from './refusals.ts'
import { signInRoutes } from './sign-in.ts'
import { tokenEndpoint } from './token-endpoint.ts'

/** Everything below /<tenant>. */
export function entraRoutes(entra: Entra): Router {
  const postOnly: RequestHandler = ({ method }) => {
    throw refusals.request.postOnly(method)
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
      ? refusals.request.commonTenant(tenant)
      : refusals.request.unknownTenant(tenant)
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
