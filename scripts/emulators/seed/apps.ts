import type { Permissions } from '../../../app/permissions.ts'
import type { Application } from '../directory-objects.ts'
import { blankApplication } from '../microsoft-apps.ts'
import { API_APP_ID, CLIENT_APP_ID, MANAGED_IDENTITY, TENANT_ID } from './ids.ts'

/** The URLs of the server, with and without its path, plus the form that needs no host name. */
const identifierUris = (mcpUrls: readonly string[]) => [
  ...new Set([...mcpUrls, ...mcpUrls.map((url) => url.replace(/\/mcp$/, '')), `api://${API_APP_ID}`]),
]

export function apiApplication(mcpUrls: readonly string[], permissions: Permissions): Application {
  const scopes = permissions.scopes.map((scope) => ({ ...scope, isEnabled: true }))
  const clients = [CLIENT_APP_ID, ...permissions.clients.map(({ appId }) => appId)]
  const delegatedPermissionIds = scopes.map(({ id }) => id)
  return {
    ...blankApplication('95a7c4fb-07a8-43d2-be59-b2f4861a7d06', API_APP_ID, 'Expenses server'),
    uniqueName: 'expenses-server-local',
    identifierUris: identifierUris(mcpUrls),
    api: {
      requestedAccessTokenVersion: 2,
      oauth2PermissionScopes: scopes,
      preAuthorizedApplications: clients.map((appId) => ({ appId, delegatedPermissionIds })),
    },
    appRoles: permissions.appRoles.map((role) => ({ ...role, isEnabled: true })),
    requiredResourceAccess: permissions.downstreamApis.map((api) => ({
      resourceAppId: api.appId,
      resourceAccess: api.permissions.map(({ id }) => ({ id, type: 'Scope' })),
    })),
    federatedIdentityCredentials: [
      {
        id: 'a6b8d50c-18b9-44e3-8f6a-c30597ab8e17',
        name: 'managed-identity',
        // The name Entra gives itself; the stand-in answers to it as well as to its own URL.
        issuer: `https://login.microsoftonline.com/${TENANT_ID}/v2.0`,
        subject: MANAGED_IDENTITY.principalId,
        audiences: ['api://AzureADTokenExchange'],
        description: null,
      },
    ],
  }
}

export function clientApplication(permissions: Permissions): Application {
  return {
    ...blankApplication('b7c9e61d-29ca-45f4-907b-d416a8bc9f28', CLIENT_APP_ID, 'Expenses client'),
    uniqueName: 'expenses-client-local',
    publicClient: { redirectUris: permissions.redirectUris },
    // As with ALLOW_DEVICE_CODE; a browser does not need it.
    isFallbackPublicClient: true,
    requiredResourceAccess: [
      {
        resourceAppId: API_APP_ID,
        resourceAccess: permissions.scopes.map(({ id }) => ({ id, type: 'Scope' })),
      },
    ],
  }
}
