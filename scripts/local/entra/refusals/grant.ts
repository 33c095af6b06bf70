import type { Application } from '../../directory-objects.ts'
import { EntraError, invalidClient, invalidGrant, invalidRequest } from '../errors.ts'

// Codes, tokens and assertions that are exchanged for tokens. Texts and OAuth codes as Entra sends them.

export const malformed = () => invalidGrant(9002313, 'Invalid request. Request is malformed or invalid.')

export const otherClient = () =>
  invalidGrant(70000, 'Provided grant is invalid: it was issued to another client.')

export const expired = () =>
  invalidGrant(
    70008,
    'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.',
  )

export const redeemed = () =>
  invalidGrant(
    54005,
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
  )

export const otherRedirect = (given: string, asked: string) =>
  invalidClient(
    500112,
    `The reply address '${given}' does not match the reply address '${asked}' provided when requesting Authorization code.`,
  )

export const pkceNeeded = () =>
  invalidRequest(
    9002325,
    'Proof Key for Code Exchange is required for cross-origin authorization code redemption.',
  )

export const notCrossOrigin = () =>
  invalidRequest(
    9002326,
    "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.",
  )

export const crossOriginOnly = () =>
  invalidRequest(
    9002327,
    "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
  )

export const challengeMethod = () =>
  invalidRequest(50149, 'Invalid Code_challenge parameter: the method must be S256.')

export const challengeSize = () => invalidRequest(501491, 'Invalid size of Code_Challenge parameter.')

export const verifier = () =>
  invalidGrant(
    501481,
    'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
  )

export const devicePending = () =>
  new EntraError(
    70016,
    'authorization_pending',
    'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  )

// Entra does not document a code for a client that polls too fast; the OAuth code is RFC 8628's.
export const deviceSlowDown = () =>
  new EntraError(70016, 'slow_down', 'OAuth 2.0 device flow error. Polling too fast.')

export const deviceDeclined = () =>
  new EntraError(70018, 'authorization_declined', 'The user declined the authorization request.')

export const deviceExpired = () =>
  new EntraError(
    70020,
    'expired_token',
    "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  )

export const deviceUnknown = () =>
  new EntraError(
    70000,
    'bad_verification_code',
    "The provided value for the input parameter 'device_code' is not valid.",
  )

export const assertionMalformed = () => invalidRequest(50027, 'JWT token is invalid or malformed.')

export const assertionSignature = () =>
  invalidGrant(50013, 'Assertion failed signature validation. [Reason - The key was not found.]')

export const assertionInvalid = (reason: string) => invalidGrant(50013, `Assertion is invalid: ${reason}.`)

export const assertionExpired = () =>
  invalidGrant(
    500133,
    'Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token.',
  )

export const assertionAudience = (audience: string, { appId }: Application) =>
  invalidGrant(
    500131,
    `Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '${audience}' and the expected audience is '${appId}' or one of the Application Uris of this application with App ID '${appId}'. The downstream client must request a token for the expected audience (the application that made the OBO request) and this application should use that token as the assertion.`,
  )

export const appOnlyAssertion = ({ appId }: Application) =>
  new EntraError(
    7000114,
    'unauthorized_client',
    `Application '${appId}' is not allowed to make application on-behalf-of calls.`,
  )
