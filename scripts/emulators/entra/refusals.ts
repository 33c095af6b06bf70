import { randomUUID } from 'node:crypto'
import type { Application } from '../directory-objects.ts'

type Details = { status?: number; suberror?: string; claims?: string }

/** A refusal of Entra: the AADSTS number is what people search for, the OAuth code what clients act on. */
export class EntraError extends Error {
  override name = 'EntraError'
  readonly code: number
  readonly error: string
  readonly details: Details

  constructor(code: number, error: string, message: string, details: Details = {}) {
    super(message)
    this.code = code
    this.error = error
    this.details = details
  }

  with(details: Details): EntraError {
    return new EntraError(this.code, this.error, this.message, { ...this.details, ...details })
  }
}

/** The JSON body of the token endpoint; the authorize endpoint sends the first two fields. */
export function errorBody(refusal: EntraError, now: number, correlationId: string = randomUUID()) {
  const { code, error, message, details } = refusal
  const traceId = randomUUID()
  // Seconds precision and a space, not ISO 8601: so Entra prints it.
  const timestamp = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`
  const trail = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`
  return {
    error,
    error_description: `AADSTS${code}: ${message}\r\n${trail}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    // Microsoft's own page, which explains the code to whoever reads the body.
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    suberror: details.suberror,
    claims: details.claims,
  }
}

/** How the texts about unknown apps, resources and federated credentials begin and go on. */
const PARTS = {
  NOT_INSTALLED:
    'This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.',
  CHECK_CREDENTIAL:
    'Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation',
  NO_RECORD: 'No matching federated identity record found for presented assertion',
} as const

/** What is named in a text and is no part of many. */
type Values<N extends string> = [Exclude<N, keyof typeof PARTS>] extends [never]
  ? []
  : [Readonly<Record<Exclude<N, keyof typeof PARTS>, string>>]

/** A refusal from its text, as one finds it in the documentation: the number, the OAuth code, what Entra says. */
const refuse =
  <const N extends string = never>(text: TemplateStringsArray, ...names: N[]) =>
  (...[values]: Values<N>): EntraError => {
    const said: Readonly<Record<string, string>> = { ...PARTS, ...values }
    const whole = String.raw({ raw: text }, ...names.map((name) => said[name]))
    const [, code, error = '', message = ''] = /^AADSTS(\d+) (\w+): (.*)$/s.exec(whole) ?? []
    return new EntraError(Number(code), error, message, error === 'invalid_client' ? { status: 401 } : {})
  }

// What Entra refuses, by what is wrong: see "AADSTS error codes" in its documentation. Texts and OAuth codes as Entra sends them.

/** The request as such. */
export const request = {
  missing: refuse`AADSTS900144 invalid_request: The request body must contain the following parameter: '${'name'}'.`,
  duplicated: refuse`AADSTS9000411 invalid_request: The request is not properly formatted. The parameter '${'name'}' is duplicated.`,
  postOnly: refuse`AADSTS900561 invalid_request: The endpoint only accepts POST requests. Received a ${'method'} request.`,
  malformed: refuse`AADSTS9002313 invalid_request: Request is malformed or invalid.`,
  badParameter: refuse`AADSTS90100 invalid_request: The '${'name'}' request parameter is empty or not valid.`,
  unknownGrant: refuse`AADSTS70003 unsupported_grant_type: The app requested an unsupported grant type '${'grantType'}'.`,
  unknownTenant: refuse`AADSTS90002 invalid_tenant: Tenant '${'tenant'}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  commonTenant: refuse`AADSTS50194 invalid_request: The application is not configured as a multi-tenant application. Usage of the /${'tenant'} endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.`,
  idTokenResponse: refuse`AADSTS700054 unsupported_response_type: response_type 'id_token' is not enabled for the application.`,
  responseType: refuse`AADSTS700051 unsupported_response_type: response_type '${'name'}' is not enabled for the application.`,
}

/** The client and its credentials. */
export const client = {
  unknown: refuse`AADSTS700016 unauthorized_client: Application with identifier '${'clientId'}' was not found in the directory '${'tenant'}'. ${'NOT_INSTALLED'}`,
  disabled: refuse`AADSTS7000112 invalid_client: Application '${'appId'}'(${'displayName'}) is disabled.`,
  redirect: refuse`AADSTS50011 invalid_request: The redirect URI '${'redirectUri'}' specified in the request does not match the redirect URIs configured for the application '${'appId'}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.`,
  noRedirect: refuse`AADSTS500113 invalid_request: No reply address is registered for the application.`,
  credentialNeeded: refuse`AADSTS7000218 invalid_client: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.`,
  credentialUnwanted: refuse`AADSTS700025 invalid_client: Client is public so neither 'client_assertion' nor 'client_secret' should be presented.`,
  secretWrong: refuse`AADSTS7000215 invalid_client: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${'appId'}'.`,
  secretExpired: refuse`AADSTS7000222 invalid_client: The provided client secret keys for app '${'appId'}' are expired. Create new keys for the app.`,
  assertionMalformed: refuse`AADSTS50027 invalid_client: JWT token is invalid or malformed.`,
  assertionKey: refuse`AADSTS700027 invalid_client: The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]`,
  assertionSignature: refuse`AADSTS700027 invalid_client: Client assertion failed signature validation.`,
  assertionSubject: refuse`AADSTS700021 invalid_client: Client assertion application identifier doesn't match 'client_id' parameter.`,
  assertionAudience: refuse`AADSTS700023 invalid_client: Client assertion audience claim does not match Realm issuer.`,
  assertionExpired: refuse`AADSTS700024 invalid_client: Client assertion is not within its valid time range.`,
  noFederation: refuse`AADSTS70025 invalid_client: The client '${'appId'}'(${'displayName'}) has no configured federated identity credentials.`,
  federatedIssuer: refuse`AADSTS700211 invalid_client: ${'NO_RECORD'} issuer '${'issuer'}'. ${'CHECK_CREDENTIAL'}`,
  federatedAudience: refuse`AADSTS700212 invalid_client: ${'NO_RECORD'} audience '${'audience'}'. ${'CHECK_CREDENTIAL'}`,
  federatedSubject: refuse`AADSTS700213 invalid_client: ${'NO_RECORD'} subject '${'subject'}'. ${'CHECK_CREDENTIAL'}`,
  federatedSubjectCase: refuse`AADSTS7002138 invalid_client: ${'NO_RECORD'} subject '${'subject'}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${'CHECK_CREDENTIAL'}`,
}

/** Scopes, the resource that owns them, and consent. */
export const scope = {
  unknownResource: refuse`AADSTS500011 invalid_resource: The resource principal named ${'name'} was not found in the tenant named ${'tenant'}. ${'NOT_INSTALLED'}`,
  unknownScope: (values: { displayName: string; name: string; resourceId: string }) =>
    refuse`AADSTS650053 invalid_client: The application '${'displayName'}' asked for scope '${'name'}' that doesn't exist on the resource '${'resourceId'}'. Contact the app vendor.`(
      values,
    ).with({ status: 400 }),
  manyResources: refuse`AADSTS28000 invalid_request: Provided value for the input parameter scope is not valid because it contains more than one resource. Scope ${'scopes'} is not valid.`,
  mixedDefault: refuse`AADSTS70011 invalid_scope: The provided value for the input parameter 'scope' is not valid. The scope ${'scopes'} is not valid: .default can't be combined with resource-specific scopes.`,
  clientCredentials: refuse`AADSTS1002012 invalid_scope: The provided value for scope ${'scopes'} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  wrongTarget: refuse`AADSTS9010010 invalid_target: The resource parameter provided in the request doesn't match with the requested scopes.`,
  noConsent: (client: Application) =>
    refuse`AADSTS65001 invalid_grant: The user or administrator has not consented to use the application with ID '${'appId'}' named '${'displayName'}'. Send an interactive authorization request for this user and resource.`(
      client,
    ).with({ suberror: 'consent_required' }),
  adminOnly: (client: Application) =>
    refuse`AADSTS90094 invalid_grant: An administrator must consent: ${'displayName'} needs permission to access resources in your organization that only an admin can grant.`(
      client,
    ).with({ suberror: 'consent_required' }),
  notPreauthorized: refuse`AADSTS65002 invalid_grant: Consent between first party application '${'appId'}' and first party resource '${'resourceId'}' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.`,
}

/** The person, or the app that stands for itself. */
export const principal = {
  silent: refuse`AADSTS50058 login_required: A silent sign-in request was sent but no user is signed in.`,
  gone: refuse`AADSTS500341 invalid_grant: The user account has been deleted from the directory.`,
  disabled: refuse`AADSTS50057 invalid_grant: The user account is disabled.`,
  unassigned: refuse`AADSTS50105 access_denied: Your administrator has configured the application ${'displayName'} ('${'appId'}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '${'userPrincipalName'}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application.`,
  appUnassigned: refuse`AADSTS501051 invalid_grant: Application '${'appId'}'(${'displayName'}) is not assigned to a role for the application '${'resourceId'}'(${'resourceName'}).`,
  stepUp: (resource: Application, claims: string) =>
    refuse`AADSTS50076 interaction_required: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '${'appId'}'.`(
      resource,
    ).with({ suberror: 'basic_action', claims }),
}

/** Codes, tokens and assertions that are exchanged for tokens. */
export const grant = {
  malformed: refuse`AADSTS9002313 invalid_grant: Invalid request. Request is malformed or invalid.`,
  otherClient: refuse`AADSTS70000 invalid_grant: Provided grant is invalid: it was issued to another client.`,
  expired: refuse`AADSTS70008 invalid_grant: The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.`,
  redeemed: refuse`AADSTS54005 invalid_grant: OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.`,
  otherRedirect: refuse`AADSTS500112 invalid_client: The reply address '${'given'}' does not match the reply address '${'asked'}' provided when requesting Authorization code.`,
  pkceNeeded: refuse`AADSTS9002325 invalid_request: Proof Key for Code Exchange is required for cross-origin authorization code redemption.`,
  notCrossOrigin: refuse`AADSTS9002326 invalid_request: Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.`,
  crossOriginOnly: refuse`AADSTS9002327 invalid_request: Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.`,
  challengeMethod: refuse`AADSTS50149 invalid_request: Invalid Code_challenge parameter: the method must be S256.`,
  challengeSize: refuse`AADSTS501491 invalid_request: Invalid size of Code_Challenge parameter.`,
  verifier: refuse`AADSTS501481 invalid_grant: The Code_Verifier does not match the code_challenge supplied in the authorization request.`,
  devicePending: refuse`AADSTS70016 authorization_pending: OAuth 2.0 device flow error. Authorization is pending. Continue polling.`,
  // Entra does not document a code for a client that polls too fast; the OAuth code is RFC 8628's.
  deviceSlowDown: refuse`AADSTS70016 slow_down: OAuth 2.0 device flow error. Polling too fast.`,
  deviceDeclined: refuse`AADSTS70018 authorization_declined: The user declined the authorization request.`,
  deviceExpired: refuse`AADSTS70020 expired_token: The provided value for the input parameter 'device_code' is not valid. This device code has expired.`,
  deviceUnknown: refuse`AADSTS70000 bad_verification_code: The provided value for the input parameter 'device_code' is not valid.`,
  assertionMalformed: refuse`AADSTS50027 invalid_request: JWT token is invalid or malformed.`,
  assertionSignature: refuse`AADSTS50013 invalid_grant: Assertion failed signature validation. [Reason - The key was not found.]`,
  assertionInvalid: refuse`AADSTS50013 invalid_grant: Assertion is invalid: ${'reason'}.`,
  assertionExpired: refuse`AADSTS500133 invalid_grant: Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token.`,
  assertionAudience: refuse`AADSTS500131 invalid_grant: Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '${'audience'}' and the expected audience is '${'appId'}' or one of the Application Uris of this application with App ID '${'appId'}'. The downstream client must request a token for the expected audience (the application that made the OBO request) and this application should use that token as the assertion.`,
  appOnlyAssertion: refuse`AADSTS7000114 unauthorized_client: Application '${'appId'}' is not allowed to make application on-behalf-of calls.`,
}

/** Entra's own troubles, as tests make them happen. */
export const outage = (status: number) =>
  (status === 429
    ? refuse`AADSTS90055 temporarily_unavailable: There are too many incoming requests.`()
    : refuse`AADSTS90033 temporarily_unavailable: A transient error has occurred. Please try again.`()
  ).with({ status })
