import type { Application } from '../../directory-objects.ts'
import { EntraError, invalidGrant, invalidRequest, NOT_INSTALLED } from '../errors.ts'

// Scopes, the resource that owns them, and consent. Texts and OAuth codes as Entra sends them.

export const unknownResource = (name: string, tenant: string) =>
  new EntraError(
    500011,
    'invalid_resource',
    `The resource principal named ${name} was not found in the tenant named ${tenant}. ${NOT_INSTALLED}`,
  )

export const unknownScope = (app: Application, name: string, resource: Application) =>
  new EntraError(
    650053,
    'invalid_client',
    `The application '${app.displayName}' asked for scope '${name}' that doesn't exist on the resource '${resource.appId}'. Contact the app vendor.`,
  )

export const manyResources = (scopes: string) =>
  invalidRequest(
    28000,
    `Provided value for the input parameter scope is not valid because it contains more than one resource. Scope ${scopes} is not valid.`,
  )

export const mixedDefault = (scopes: string) =>
  new EntraError(
    70011,
    'invalid_scope',
    `The provided value for the input parameter 'scope' is not valid. The scope ${scopes} is not valid: .default can't be combined with resource-specific scopes.`,
  )

export const clientCredentials = (scopes: string) =>
  new EntraError(
    1002012,
    'invalid_scope',
    `The provided value for scope ${scopes} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  )

export const wrongTarget = () =>
  new EntraError(
    9010010,
    'invalid_target',
    "The resource parameter provided in the request doesn't match with the requested scopes.",
  )

export const noConsent = ({ appId, displayName }: Application) =>
  new EntraError(
    65001,
    'invalid_grant',
    `The user or administrator has not consented to use the application with ID '${appId}' named '${displayName}'. Send an interactive authorization request for this user and resource.`,
    { suberror: 'consent_required' },
  )

export const notPreauthorized = (app: Application, resource: Application) =>
  invalidGrant(
    65002,
    `Consent between first party application '${app.appId}' and first party resource '${resource.appId}' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.`,
  )
