import type { Application } from '../../directory-objects.ts'
import { EntraError, invalidClient, invalidRequest, NOT_INSTALLED } from '../errors.ts'

// The client and its credentials. Texts and OAuth codes as Entra sends them.

const checkCredential =
  'Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation'

export const unknown = (clientId: string, tenant: string) =>
  new EntraError(
    700016,
    'unauthorized_client',
    `Application with identifier '${clientId}' was not found in the directory '${tenant}'. ${NOT_INSTALLED}`,
  )

export const disabled = ({ appId, displayName }: Application) =>
  invalidClient(7000112, `Application '${appId}'(${displayName}) is disabled.`)

export const redirect = (redirectUri: string, { appId }: Application) =>
  invalidRequest(
    50011,
    `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${appId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.`,
  )

export const noRedirect = () => invalidRequest(500113, 'No reply address is registered for the application.')

export const credentialNeeded = () =>
  invalidClient(
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  )

export const credentialUnwanted = () =>
  invalidClient(
    700025,
    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
  )

export const secretWrong = ({ appId }: Application) =>
  invalidClient(
    7000215,
    `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${appId}'.`,
  )

export const secretExpired = ({ appId }: Application) =>
  invalidClient(
    7000222,
    `The provided client secret keys for app '${appId}' are expired. Create new keys for the app.`,
  )

export const assertionMalformed = () => invalidClient(50027, 'JWT token is invalid or malformed.')

export const assertionKey = () =>
  invalidClient(
    700027,
    'The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]',
  )

export const assertionSignature = () => invalidClient(700027, 'Client assertion failed signature validation.')

export const assertionSubject = () =>
  invalidClient(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")

export const assertionAudience = () =>
  invalidClient(700023, 'Client assertion audience claim does not match Realm issuer.')

export const assertionExpired = () =>
  invalidClient(700024, 'Client assertion is not within its valid time range.')

export const noFederation = ({ appId, displayName }: Application) =>
  invalidClient(
    70025,
    `The client '${appId}'(${displayName}) has no configured federated identity credentials.`,
  )

export const federatedIssuer = (issuer: string) =>
  invalidClient(
    700211,
    `No matching federated identity record found for presented assertion issuer '${issuer}'. ${checkCredential}`,
  )

export const federatedAudience = (audience: string) =>
  invalidClient(
    700212,
    `No matching federated identity record found for presented assertion audience '${audience}'. ${checkCredential}`,
  )

export const federatedSubject = (subject: string) =>
  invalidClient(
    700213,
    `No matching federated identity record found for presented assertion subject '${subject}'. ${checkCredential}`,
  )

export const federatedSubjectCase = (subject: string) =>
  invalidClient(
    7002138,
    `No matching federated identity record found for presented assertion subject '${subject}'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ${checkCredential}`,
  )
