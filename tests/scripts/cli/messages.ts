/**
 * What Entra and Graph say, in their words, for every remedy that there is. Names and ids are left out: "…".
 * Sources: https://learn.microsoft.com/entra/identity-platform/reference-error-codes, the emulators' tables of refusals
 * (scripts/emulators/entra/refusals.ts, scripts/emulators/graph/errors.ts, tests/scripts/emulators/graph/errors.ts) and
 * what is named at a line.
 */

/** By AADSTS number. */
export const SIGN_IN_MESSAGES: Readonly<Record<number, string>> = {
  9010010: 'The resource parameter provided in the request doesn’t match with the requested scopes.',
  650053: 'The application asked for a scope that doesn’t exist on the resource.',
  500011: 'The resource principal was not found in the tenant.',
  65001: 'The user or administrator has not consented to use the application.',
  90094: 'An administrator must consent.',
  65002:
    'Consent between first party application and first party resource must be configured via preauthorization.',
  50011: 'The redirect URI does not match the redirect URIs configured for the application.',
  500113: 'No reply address is registered for the application.',
  70021: 'No matching federated identity record found for presented assertion.',
  700211: 'No matching federated identity record found for presented assertion issuer.',
  700212: 'No matching federated identity record found for presented assertion audience.',
  700213: 'No matching federated identity record found for presented assertion subject.',
  // Since 2024: reference-breaking-changes, "Federated identity credentials now use case-sensitive matching".
  7002138: 'The subject matches with case-insensitive comparison, but not with case-sensitive comparison.',
  700024: 'Client assertion is not within its valid time range.',
  700016: 'Application was not found in the directory.',
  700082: 'The refresh token has expired due to inactivity.',
  70043: 'The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.',
  50132: 'The session is not valid.',
  50133: 'The session is not valid due to password expiration or recent password change.',
  50173: 'The provided grant has expired due to it being revoked.',
  7000215: 'Invalid client secret provided.',
  7000222: 'The provided client secret keys are expired.',
  50076: 'You must use multi-factor authentication.',
  50079: 'You must enroll in multi-factor authentication.',
  50158: 'External security challenge not satisfied.',
}

/** Those that only `npm run client`, or another client, meets. */
export const CLIENT_MESSAGES: Readonly<Record<number, string>> = {
  50105:
    'Your administrator has configured the application to block users unless they are specifically granted access.',
  501051: 'Application is not assigned to a role for the application.',
  7000218: 'The request body must contain ‘client_assertion’ or ‘client_secret’.',
  70018: 'The user declined the authorization request.',
}

/** Status, code and text of Microsoft Graph. */
export const DIRECTORY_MESSAGES: readonly [status: number, code: string, detail: string][] = [
  [401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.'],
  [403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.'],
  [400, 'Request_BadRequest', 'Another object with the same value for property uniqueName already exists.'],
  [
    400,
    'Request_BadRequest',
    'Another object with the same value for property identifierUris already exists.',
  ],
  [
    400,
    'CannotDeleteOrUpdateEnabledEntitlement',
    'Permission (scope or role) cannot be deleted or updated unless disabled first.',
  ],
  [
    400,
    'InvalidFederatedIdentityCredentialValue',
    'No more than 20 federated identity credentials can be added to an application.',
  ],
  [
    404,
    'Request_ResourceNotFound',
    'Resource … does not exist or one of its queried reference-property objects are not present.',
  ],
  [400, 'Request_BadRequest', 'The principal … does not exist.'],
  [
    409,
    'Directory_ConcurrencyViolation',
    'Unable to perform the operation because another operation on the same object is in progress.',
  ],
  [429, 'TooManyRequests', 'Too many requests.'],
  [503, 'ServiceUnavailable', 'The service failed.'],
]
