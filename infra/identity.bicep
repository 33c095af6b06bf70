// Every object of this environment in Microsoft Entra ID. Two things are missing on purpose, the hooks do them:
// the federated credential of the API app (as a resource it raced with the replication of the fresh managed
// identity) and the consent grants (whoever deploys may lack that right; an administrator can catch up later).
// azd down does not delete these objects either: the hooks find them by unique name and tag.

extension microsoftGraphV1

import { appIdsOf, enabledUnlessSaid, guidType, rolesEnabledUnlessSaid, rolesHeldBy } from 'types.bicep'

@description('Name of the azd environment.')
param environmentName string

@description('Unique part of the names in Entra.')
param identityToken string

@minLength(1)
@description('Where the server is reached, like https://host: its own address first, then custom domains.')
param serverOrigins string[]

@description('Object ids of the members of the admin group.')
param adminMembers guidType[]

@description('Object id of a group that is the admin group instead of one of our own.')
param existingAdminGroupId guidType?

@description('Whether only assigned users get a token.')
param restrictToAssignedUsers bool

@description('App ids of further pre-authorized clients.')
param extraClients guidType[]

@description('Whether the public client may sign in with a device code.')
param allowDeviceCode bool

@description('Whether to declare the dev API app.')
param localDevelopment bool

@description('MCP URL of a server on a developer\'s machine.')
param localServerUrl string

@description('Service or asset id; empty: none.')
param serviceManagementReference string

@minLength(1)
@description('Names of the tool sets whose scopes, roles and downstream permissions are declared.')
param toolSets string[]

var permissions = loadJsonContent('permissions.json')
// What is not switched on is not declared: nobody is asked for a consent that no tool of theirs needs.
var selectedSets = filter(permissions.toolSets, set => contains(toolSets, set.name))
var scopes = enabledUnlessSaid(concat(permissions.scopes, flatten(map(selectedSets, set => set.scopes))))
var appRoles = rolesEnabledUnlessSaid(flatten(map(selectedSets, set => set.appRoles)))
// Pre-authorization may name enabled scopes only. Those of type Admin are not given away by it: whoever may use a client
// that is pre-authorized for one has it, and nobody was asked.
var preAuthorizedScopeIds = map(
  filter(scopes, scope => (scope.?isEnabled ?? true) && scope.type == 'User'),
  scope => scope.id
)
// union() drops a client that is named twice: Microsoft Graph refuses it.
var knownClients = map(union(map(permissions.clients, client => client.appId), extraClients), appId => {
  appId: appId
  delegatedPermissionIds: preAuthorizedScopeIds
})
var downstreamPermissions = flatten(map(selectedSets, set => set.downstreamPermissions))
var downstreamApis = filter(permissions.downstreamApis, downstream =>
  contains(map(downstreamPermissions, permission => permission.api), downstream.name))
// union() here too: two sets may need the same permission.
var downstreamAccess = map(downstreamApis, downstream => {
  resourceAppId: downstream.appId
  resourceAccess: map(
    union([], map(filter(downstreamPermissions, permission => permission.api == downstream.name), permission => permission.id)),
    id => { id: id, type: 'Scope' }
  )
})

// The key of every object; it can never change, so it holds nothing but the environment.
var apiName = 'mcp-expenses-api-${environmentName}-${identityToken}'
var devName = 'mcp-expenses-dev-${environmentName}-${identityToken}'
var clientName = 'mcp-expenses-client-${environmentName}-${identityToken}'
var adminsName = 'mcp-expenses-admins-${environmentName}-${identityToken}'
var usersName = 'mcp-expenses-users-${environmentName}-${identityToken}'
var tags = ['azd-env-name:${environmentName}', 'azd-env-token:${identityToken}']
var apiDisplayName = 'Expenses MCP server (${environmentName})'
var devDisplayName = 'Expenses MCP server on developers\' machines (${environmentName})'
// null where the tenant does not ask for one: an empty text would be refused.
var serviceReference = empty(serviceManagementReference) ? null : serviceManagementReference

// Locks the credentials of the service principal: they can come from the app registration only.
var credentialsLocked = {
  isEnabled: true
  allProperties: true
  credentialsWithUsageSign: true
  credentialsWithUsageVerify: true
  tokenEncryptionKeyId: true
}
// Entra says then which clients answer claims challenges (app/auth/authorize.ts), and which tokens are an app's and
// not a person's (app/auth/verifier.ts).
var claimsWanted = {
  idToken: []
  accessToken: [
    { name: 'idtyp', essential: false, additionalProperties: [] }
    { name: 'xms_cc', essential: false, additionalProperties: [] }
  ]
  saml2Token: []
}
var noImplicitGrant = {
  redirectUris: []
  implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false }
}

// ---- The API app. First pass: what must be there before a URL may be an identifier (version 2 tokens) and
// before a client may be pre-authorized (the scopes). Only declared properties are written, so that this pass
// takes nothing away from an app that is in use.
resource api 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: apiName
  displayName: apiDisplayName
  description: 'Audience of the tokens for the expenses MCP server; asks for downstream tokens on behalf of its users.'
  signInAudience: 'AzureADMyOrg'
  api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: scopes }
  appRoles: appRoles
  requiredResourceAccess: downstreamAccess
  groupMembershipClaims: 'None'
  optionalClaims: claimsWanted
  isFallbackPublicClient: false
  web: noImplicitGrant
  spa: { redirectUris: [] }
  publicClient: { redirectUris: [] }
  // No secret, no certificate: what somebody adds by hand is removed by the next deployment.
  passwordCredentials: []
  keyCredentials: []
  servicePrincipalLockConfiguration: credentialsLocked
  tags: tags
  serviceManagementReference: serviceReference
}

resource apiPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: api.appId
  displayName: apiDisplayName
  accountEnabled: true
  appRoleAssignmentRequired: restrictToAssignedUsers
  tags: tags
}

// ---- The client for MCP clients of one's own: a public client with PKCE, never with a secret.
resource publicClient 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: clientName
  displayName: 'Expenses MCP client (${environmentName})'
  description: 'For MCP clients that have no app registration of their own.'
  signInAudience: 'AzureADMyOrg'
  // Entra ignores the port of a loopback address, not its path.
  publicClient: { redirectUris: permissions.redirectUris }
  // A device code comes with no redirect URI, by which Entra would know a public client.
  isFallbackPublicClient: allowDeviceCode
  web: noImplicitGrant
  spa: { redirectUris: [] }
  requiredResourceAccess: []
  passwordCredentials: []
  keyCredentials: []
  servicePrincipalLockConfiguration: credentialsLocked
  tags: tags
  serviceManagementReference: serviceReference
}

resource publicClientPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: publicClient.appId
  displayName: 'Expenses MCP client (${environmentName})'
  accountEnabled: true
  appRoleAssignmentRequired: false
  tags: tags
}

// ---- The API app, second pass over the same unique name: the URLs that clients send as resource (compared
// character by character) and the clients without a consent prompt. The scopes are said again, because the api
// object is written as a whole.
resource apiReachable 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: apiName
  displayName: apiDisplayName
  identifierUris: concat(
    flatten(map(serverOrigins, origin => ['${origin}/mcp', origin])),
    ['api://${api.appId}']
  )
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: scopes
    preAuthorizedApplications: concat(knownClients, [
      { appId: publicClient.appId, delegatedPermissionIds: preAuthorizedScopeIds }
    ])
  }
}

// ---- Groups. Members of nested groups are not assigned to an app, so put people into them directly.
resource admins 'Microsoft.Graph/groups@v1.0' = if (existingAdminGroupId == null) {
  uniqueName: adminsName
  displayName: 'Expenses MCP server: admins (${environmentName})'
  description: 'Sees statistics over all users. azd environment ${environmentName}, ${identityToken}.'
  mailEnabled: false
  mailNickname: 'mcp-expenses-admins-${identityToken}'
  securityEnabled: true
  // append: who was added by hand stays.
  members: { relationshipSemantics: 'append', relationships: adminMembers }
}

resource users 'Microsoft.Graph/groups@v1.0' = {
  uniqueName: usersName
  displayName: 'Expenses MCP server: users (${environmentName})'
  description: 'May use the server. azd environment ${environmentName}, ${identityToken}.'
  mailEnabled: false
  mailNickname: 'mcp-expenses-users-${identityToken}'
  securityEnabled: true
}

var adminGroupId = existingAdminGroupId == null ? admins!.id : existingAdminGroupId!
// The id that stands for: assigned, without a role.
var assignedWithoutRole = '00000000-0000-0000-0000-000000000000'

// Only where assignment counts: assigning a group takes a licence (Entra ID P1) that some tenants lack.
resource adminsMaySignIn 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (restrictToAssignedUsers) {
  resourceId: apiPrincipal.id
  principalId: adminGroupId
  appRoleId: assignedWithoutRole
}

resource usersMaySignIn 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (restrictToAssignedUsers) {
  resourceId: apiPrincipal.id
  principalId: users.id
  appRoleId: assignedWithoutRole
}

// ---- Services. An assignment by hand, outside of permissions.json, is what the what-if shows as unmanaged.
resource servicesMayCall 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for held in rolesHeldBy(permissions.?services ?? [], appRoles): {
    resourceId: apiPrincipal.id
    principalId: held.principalId
    appRoleId: held.appRoleId
  }
]

// ---- The dev API app: the same API for servers on developers' machines. Its short-lived secret is written by a
// hook and not declared here; the production app above never has one.
resource devApi 'Microsoft.Graph/applications@v1.0' = if (localDevelopment) {
  uniqueName: devName
  displayName: devDisplayName
  description: 'Audience of the tokens for expenses MCP servers on developers\' machines.'
  signInAudience: 'AzureADMyOrg'
  api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: scopes }
  appRoles: appRoles
  requiredResourceAccess: downstreamAccess
  groupMembershipClaims: 'None'
  optionalClaims: claimsWanted
  isFallbackPublicClient: false
  web: noImplicitGrant
  spa: { redirectUris: [] }
  publicClient: { redirectUris: [] }
  servicePrincipalLockConfiguration: credentialsLocked
  tags: tags
  serviceManagementReference: serviceReference
}

resource devPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = if (localDevelopment) {
  appId: devApi!.appId
  displayName: devDisplayName
  accountEnabled: true
  appRoleAssignmentRequired: restrictToAssignedUsers
  tags: tags
}

resource devApiReachable 'Microsoft.Graph/applications@v1.0' = if (localDevelopment) {
  uniqueName: devName
  displayName: devDisplayName
  identifierUris: [localServerUrl, 'api://${devApi!.appId}']
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: scopes
    preAuthorizedApplications: concat(knownClients, [
      { appId: publicClient.appId, delegatedPermissionIds: preAuthorizedScopeIds }
    ])
  }
}

resource adminsMaySignInLocally 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (restrictToAssignedUsers && localDevelopment) {
  resourceId: devPrincipal!.id
  principalId: adminGroupId
  appRoleId: assignedWithoutRole
}

resource usersMaySignInLocally 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (restrictToAssignedUsers && localDevelopment) {
  resourceId: devPrincipal!.id
  principalId: users.id
  appRoleId: assignedWithoutRole
}

@description('App id of the API app.')
output apiClientId string = api.appId

@description('Object id of the API app.')
output apiObjectId string = api.id

@description('Unique name of the API app.')
output apiUniqueName string = apiName

@description('Object id of the API app\'s service principal.')
output apiPrincipalId string = apiPrincipal.id

@description('App id of the public client.')
output publicClientId string = publicClient.appId

@description('App ids of the clients that may call the server; none: every client.')
output allowedClients string[] = appIdsOf(permissions.?allowedClients ?? [], publicClient.appId)

@description('Object id of the admin group.')
output adminGroupId string = adminGroupId

@description('Object id of the users group.')
output usersGroupId string = users.id

@description('App id of the dev API app; empty without local development.')
output devClientId string = localDevelopment ? devApi!.appId : ''

@description('Object id of the dev API app; empty without local development.')
output devObjectId string = localDevelopment ? devApi!.id : ''

@description('Object id of the dev API app\'s service principal; empty without local development.')
output devPrincipalId string = localDevelopment ? devPrincipal!.id : ''
