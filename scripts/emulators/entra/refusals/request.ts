import { EntraError, invalidRequest } from '../errors.ts'

// The request as such. Texts and OAuth codes as Entra sends them.

export const missing = (name: string) =>
  invalidRequest(900144, `The request body must contain the following parameter: '${name}'.`)

export const duplicated = (name: string) =>
  invalidRequest(9000411, `The request is not properly formatted. The parameter '${name}' is duplicated.`)

export const postOnly = (method: string) =>
  invalidRequest(900561, `The endpoint only accepts POST requests. Received a ${method} request.`)

export const malformed = () => invalidRequest(9002313, 'Request is malformed or invalid.')

export const badParameter = (name: string) =>
  invalidRequest(90100, `The '${name}' request parameter is empty or not valid.`)

export const unknownGrant = (grantType: string) =>
  new EntraError(
    70003,
    'unsupported_grant_type',
    `The app requested an unsupported grant type '${grantType}'.`,
  )

export const unknownTenant = (tenant: string) =>
  new EntraError(
    90002,
    'invalid_tenant',
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  )

export const commonTenant = (tenant: string) =>
  invalidRequest(
    50194,
    `The application is not configured as a multi-tenant application. Usage of the /${tenant} endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.`,
  )
