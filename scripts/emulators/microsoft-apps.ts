import { loadDeclaration } from '../../app/declaration.ts'
import { everyToolSet, type Permissions, selectPermissions } from '../../app/permissions.ts'
import type { Application, PermissionScope } from './directory-objects.ts'

export const GRAPH_APP_ID = '00000003-0000-0000-c000-000000000000'
export const AZURE_CLI_APP_ID = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
const TOKEN_EXCHANGE_APP_ID = 'fb60f99c-7a34-4190-8149-302f77469936'

/** The OpenID Connect scopes are permissions of Microsoft Graph, with these ids in every tenant. */
export const OIDC_SCOPES = {
  openid: '37f7f235-527c-4136-accd-4a02d197296e',
  profile: '14dad69e-099b-42c9-810b-d002981feec1',
  email: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0',
  offline_access: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
} as const

/** A registration with nothing in it, to be filled by what a caller knows. */
export const blankApplication = (id: string, appId: string, displayName: string): Application => ({
  id,
  appId,
  displayName,
  uniqueName: null,
  signInAudience: 'AzureADMyOrg',
  identifierUris: [],
  api: { requestedAccessTokenVersion: null, oauth2PermissionScopes: [], preAuthorizedApplications: [] },
  appRoles: [],
  requiredResourceAccess: [],
  publicClient: { redirectUris: [] },
  web: { redirectUris: [] },
  isFallbackPublicClient: false,
  keyCredentials: [],
  passwordCredentials: [],
  federatedIdentityCredentials: [],
  owners: [],
})

/** A scope of one of Microsoft's own APIs, whose texts nobody here reads. */
export const permissionScope = (id: string, value: string): PermissionScope => ({
  id,
  value,
  type: 'User',
  isEnabled: true,
  adminConsentDisplayName: value,
  adminConsentDescription: value,
  userConsentDisplayName: value,
  userConsentDescription: value,
})

const microsoftApplication = (appId: string, displayName: string): Application => ({
  ...blankApplication(appId, appId, displayName),
  signInAudience: 'AzureADMultipleOrgs',
  // Microsoft's own APIs tell apps from people by it.
  optionalClaims: { idToken: [], accessToken: [{ name: 'idtyp' }], saml2Token: [] },
})

/** Redirect URIs as seen in the field; a client we know nothing about gets the loopback one. */
const knownRedirects: Record<string, string[]> = {
  'aebc6443-996d-45c2-90f0-388ff96faa56': [
    'http://127.0.0.1:33418/',
    'http://localhost',
    'https://vscode.dev/redirect',
  ],
}

/** The Azure CLI is in every tenant, whether or not it is a client of ours. */
const withAzureCli = ({ clients }: Permissions) =>
  clients.some(({ appId }) => appId === AZURE_CLI_APP_ID)
    ? clients
    : [...clients, { appId: AZURE_CLI_APP_ID, name: 'Azure CLI' }]

function clientApplications(permissions: Permissions): Application[] {
  return withAzureCli(permissions).map(({ appId, name }) => ({
    ...microsoftApplication(appId, name),
    publicClient: { redirectUris: knownRedirects[appId] ?? ['http://localhost'] },
    isFallbackPublicClient: true,
  }))
}

/** Every API that a tool set may ask for: what is an app of Microsoft's does not depend on which sets are on. */
function everyApi() {
  const declaration = loadDeclaration()
  return selectPermissions(declaration, everyToolSet(declaration)).downstreamApis
}

/** Graph is in every tenant. */
export const isDownstream = (appId: string) =>
  appId !== GRAPH_APP_ID && everyApi().some((api) => api.appId === appId)

/** What the declaration in use asks for beyond that is known too, as it would be at Microsoft. */
function downstreamApplications(declared: Permissions): Application[] {
  const every = everyApi()
  const more = declared.downstreamApis.filter(({ name }) => !every.some((api) => api.name === name))
  return [...every, ...more].map(({ appId, displayName, resource, permissions }) => {
    const app = microsoftApplication(appId, displayName)
    const scopes = permissions.map(({ id, value }) => permissionScope(id, value))
    if (appId === GRAPH_APP_ID) {
      scopes.push(...Object.entries(OIDC_SCOPES).map(([value, id]) => permissionScope(id, value)))
      // Microsoft's own clients read the signed-in user's profile without asking anybody.
      app.api.preAuthorizedApplications = withAzureCli(declared).map((client) => ({
        appId: client.appId,
        delegatedPermissionIds: scopes.flatMap(({ id, value }) => (value === 'User.Read' ? [id] : [])),
      }))
    } else {
      // `az account get-access-token` is documented for each of them, and asks for no consent.
      app.api.preAuthorizedApplications = [
        { appId: AZURE_CLI_APP_ID, delegatedPermissionIds: permissions.map(({ id }) => id) },
      ]
    }
    // A resource that is a GUID is the app id itself.
    app.identifierUris = URL.canParse(resource) ? [resource, `${resource}/`] : []
    app.api.oauth2PermissionScopes = scopes
    return app
  })
}

/** The first-party apps that this product meets: its clients, its downstream APIs, the token exchange. */
export function microsoftApplications(permissions: Permissions): Application[] {
  const exchange = microsoftApplication(TOKEN_EXCHANGE_APP_ID, 'AAD Token Exchange')
  exchange.identifierUris = ['api://AzureADTokenExchange']
  exchange.api.requestedAccessTokenVersion = 2
  return [...clientApplications(permissions), ...downstreamApplications(permissions), exchange]
}
