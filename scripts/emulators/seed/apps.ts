import type { Permissions } from '../../../app/permissions.ts'
import type { Application } from '../directory-objects.ts'
import { blankApplication } from '../microsoft-apps.ts'

// Fixed ids: expenses are kept by `oid`, so a restart must not give Alice another one.
export const TENANT_ID = '4f6c2b1e-9a57-4d0f-8c3d-5e1b7a902c64'
export const API_APP_ID = 'c0d1f7a4-2b6e-4a83-9f15-7e3a8d5b6c20'
export const CLIENT_APP_ID = 'e7b3a9d2-51c8-4f6e-a0b4-2c9d8f1e7a35'
export const API_PRINCIPAL = '1d9e4c73-8f20-4b5a-b6d1-3a7c0e92f584'
export const CLIENT_PRINCIPAL = '2ea05d84-9031-4c6b-87e2-4b8d1fa3069f'
export const MANAGED_IDENTITY = {
  clientId: '73f5a2d9-e586-41b0-9c37-90d264f85be4',
  principalId: '8406b3ea-f697-42c1-ad48-a1e375096cf5',
}

/** The URLs of the server, with and without its path, plus the form that needs no host name. */
const identifierUris = (mcpUrls: readonly string[]) => [
  ...new Set([...mcpUrls, ...mcpUrls.map((url) => url.replace(/\/mcp$/, '')), `api://${API_APP_ID}`]),
]

export function apiApplication(mcpUrls: readonly string[], permissions: Permissions): Application {
  const scopes = permissions.scopes.map((scope) => ({ ...scope, isEnabled: true }))
  const clients = [CLIENT_APP_ID, ...permissions.clients.map(({ appId }) => appId)]
  // Those of type Admin need an administrator's consent, as in infra/identity.bicep.
  const delegatedPermissionIds = scopes.filter(({ type }) => type === 'User').map(({ id }) => id)
  return {
    ...blankApplication('95a7c4fb-07a8-43d2-be59-b2f4861a7d06', API_APP_ID, 'Expenses server'),
    uniqueName: 'expenses-server-local',
    identifierUris: identifierUris(mcpUrls),
    api: {
      requestedAccessTokenVersion: 2,
      oauth2PermissionScopes: scopes,
      preAuthorizedApplications: clients.map((appId) => ({ appId, delegatedPermissionIds })),
    },
    optionalClaims: { idToken: [], accessToken: [{ name: 'idtyp' }, { name: 'xms_cc' }], saml2Token: [] },
    appRoles: permissions.appRoles.map((role) => ({ ...role, isEnabled: true })),
    requiredResourceAccess: permissions.downstreamApis.map((api) => ({
      resourceAppId: api.appId,
      resourceAccess: api.permissions.map(({ id }) => ({ id, type: 'Scope' })),
    })),
    federatedIdentityCredentials: [
      {
        id: 'a6b8d50c-18b9-44e3-8f6a-c30597ab8e17',
        name: 'managed-identity',
        // The name Entra gives itself; the emulator answers to it as well as to its own URL.
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
