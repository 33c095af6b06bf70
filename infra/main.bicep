targetScope = 'subscription'

import { guidType, mcpOrigin } from 'types.bicep'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment. All other names are derived from it.')
param environmentName string

@minLength(1)
@description('Azure region of all resources. `West Europe` and `westeurope` mean the same region.')
param location string

@maxLength(36)
@description('Object id of the deployer; azd sets it. If it is empty, nobody gets rights as the deployer.')
param deployerId string = ''

@allowed(['User', 'ServicePrincipal'])
@description('Type of the deployer; in a pipeline (`CI` is set, and not to `false` or `0`) it is `ServicePrincipal`. Only a user becomes an admin and gets access to the data.')
param deployerType string = 'User'

@description('Whether the container app exists already; azd sets it. If it does, its image is kept.')
param serverExists bool = false

@description('Object ids of the first members of the admin group (users, groups, service principals). If it is empty, the deployer becomes a member, if the deployer is a user. Members that were added by hand stay. Not used together with `EXISTING_ADMIN_GROUP_ID`.')
param adminMembers guidType[] = []

@description('Object id of an existing security group to use as the admin group. The deployment then creates no admin group.')
param existingAdminGroupId guidType?

@description('`true`: only members of the admin group and the users group get a token for the server. `false`: everybody in the tenant gets one.')
param restrictToAssignedUsers bool = true

@maxLength(50)
@description('App ids of more clients whose users see no consent prompt.')
param extraClients guidType[] = []

@maxLength(10)
@description('MCP URLs of custom domains, exactly as clients send them. Bind the domain and its certificate to the container app yourself.')
param extraServerUrls string[] = []

@maxLength(10)
@description('Origins of web pages that may call the server. Entra redeems the authorization code of a web page only for a redirect URI of the platform *Single-page application*: create an app registration for the page, and add its app id to `EXTRA_CLIENTS`.')
param allowedOrigins string[] = []

@minValue(0)
@maxValue(30)
@description('Number of replicas that always run, at most `MAX_REPLICAS`. With 0, the server scales to zero and costs nothing when idle.')
param minReplicas int = 0

@minValue(1)
@maxValue(100)
@description('Largest number of replicas under load.')
param maxReplicas int = 10

@minLength(6)
@maxLength(254)
@description('E-mail address that alerts are sent to. Without one, alerts are shown in the portal only.')
param alertEmail string?

@description('Allows sign-in with `npm run client -- --device-code`: the public client may then be used without a redirect URI (*Allow public client flows* in the portal). A user who is talked into typing the code of a stranger signs that stranger in. A sign-in in the browser needs no code.')
param allowDeviceCode bool = false

@description('`true`: declares the dev API app, creates its secret and `.env`, and lets the deployer, if a user, read and write the data. `false`: does none of this.')
param localDevelopment bool = true

@minLength(20)
@maxLength(100)
@description('MCP URL of a server on a developer\'s machine. It is the *Application ID URI* of the dev API app, and a tenant accepts each one only once: in a second environment, choose another port, or set `LOCAL_DEVELOPMENT` to `false`.')
param localServerUrl string = 'http://localhost:8080/mcp'

@maxLength(256)
@description('The service or asset id that some tenants require on every app registration.')
param serviceManagementReference string = ''

@minLength(1)
@description('Tool sets of `infra/permissions.json` to deploy. A set that is not selected is not declared in Entra, gets no consent and is not offered. When you remove a set, its scopes and roles are disabled first, because Microsoft Graph removes only disabled ones. `TOOL_SETS` is an output of the deployment too: `azd env refresh` copies it to another machine, and `azd down` clears it. If it is not set, no consent is removed, and a deployment that would remove a set is refused.')
param toolSets string[] = ['expenses', 'profile']

@allowed(['free', 'basic'])
@description('Pricing tier of the search service for the tool set `documents` (docs/documents.md): `free` (no cost, one per subscription) or `basic` (billed by the hour).')
param searchSku string = 'free'

// Azure names carry the region, because some stay reserved in their old region after a deletion; the names in
// Entra do not, because identities have none.
var token = toLower(uniqueString(subscription().id, environmentName, location))
var identityToken = toLower(uniqueString(subscription().id, environmentName))
var tags = { 'azd-env-name': environmentName }
var serverIdentityName = 'id-${token}'
var serverName = 'ca-${token}'
var registryName = 'cr${token}'
var cosmosName = 'cosmos-${token}'
var insightsName = 'appi-${token}'
var databaseName = 'expenses'
var containerName = 'expenses'
var searchName = 'srch-${token}'
// It may cost money: there is none without the tool set.
var hasDocuments = contains(toolSets, 'documents')
var deployerIsUser = deployerType == 'User' && !empty(deployerId)
var customOrigins = map(extraServerUrls, url => mcpOrigin(url))

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

// First, because a fresh managed identity is not visible everywhere for minutes; its rights come last.
module serverIdentity 'server-identity.bicep' = {
  scope: group
  params: { name: serverIdentityName, location: location, tags: tags }
}

module monitor 'monitor.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    insightsName: insightsName
    serverName: serverName
    alertEmail: alertEmail
  }
}

module data 'data.bicep' = {
  scope: group
  params: {
    cosmosName: cosmosName
    databaseName: databaseName
    containerName: containerName
    location: location
    tags: tags
  }
}

module search 'search.bicep' = if (hasDocuments) {
  scope: group
  params: { searchName: searchName, location: location, tags: tags, sku: searchSku }
}

module host 'host.bicep' = {
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    registryName: registryName
    workspaceId: monitor.outputs.workspaceId
  }
}

// A container app's host name is known before the app: that breaks the circle between app registration and server.
var serverOrigin = 'https://${serverName}.${host.outputs.defaultDomain}'
var serverUrl = '${serverOrigin}/mcp'

module identity 'identity.bicep' = {
  scope: group
  params: {
    environmentName: environmentName
    identityToken: identityToken
    serverOrigins: concat([serverOrigin], customOrigins)
    adminMembers: empty(adminMembers) && deployerIsUser ? [deployerId] : adminMembers
    existingAdminGroupId: existingAdminGroupId
    restrictToAssignedUsers: restrictToAssignedUsers
    extraClients: extraClients
    allowDeviceCode: allowDeviceCode
    localDevelopment: localDevelopment
    localServerUrl: localServerUrl
    serviceManagementReference: serviceManagementReference
    toolSets: toolSets
  }
}

module access 'access.bicep' = {
  scope: group
  params: {
    registryName: registryName
    insightsName: insightsName
    cosmosName: cosmosName
    databaseName: databaseName
    containerName: containerName
    serverIdentityName: serverIdentityName
    serverPrincipalId: serverIdentity.outputs.principalId
    searchName: hasDocuments ? searchName : null
    documentsEditorId: hasDocuments && deployerIsUser ? deployerId : null
    developerId: localDevelopment && deployerIsUser ? deployerId : null
  }
  // The container apps environment takes minutes: by then the identity is visible to Azure and to Cosmos DB.
  dependsOn: [data, host, monitor, search]
}

module image 'image.bicep' = if (serverExists) {
  scope: group
  params: { serverName: serverName }
}

module server 'server.bicep' = {
  scope: group
  params: {
    serverName: serverName
    location: location
    tags: tags
    environmentId: host.outputs.environmentId
    registryServer: host.outputs.registryServer
    insightsName: insightsName
    serverIdentityName: serverIdentityName
    serverIdentityClientId: serverIdentity.outputs.clientId
    image: serverExists ? image!.outputs.image : null
    customDomains: serverExists ? image!.outputs.customDomains : []
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    alertActionGroupId: monitor.outputs.actionGroupId
    settings: {
      tenantId: tenant().tenantId
      clientId: identity.outputs.apiClientId
      url: serverUrl
      extraUrls: map(customOrigins, origin => '${origin}/mcp')
      allowedOrigins: allowedOrigins
      adminGroupId: identity.outputs.adminGroupId
      allowedClients: identity.outputs.allowedClients
      toolSets: toolSets
      searchEndpoint: hasDocuments ? search!.outputs.endpoint : ''
      cosmosEndpoint: data.outputs.endpoint
      cosmosDatabase: databaseName
      cosmosContainer: containerName
    }
  }
  // A replica that starts before it may pull its image or read its data fails.
  dependsOn: [access]
}

@description('Id of the Entra tenant.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group of this environment.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Registry that azd pushes the image to.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = host.outputs.registryServer

@description('Name of the registry, for the remote build.')
output AZURE_CONTAINER_REGISTRY_NAME string = registryName

@description('Id of the container apps environment.')
output AZURE_CONTAINER_APPS_ENVIRONMENT_ID string = host.outputs.environmentId

@description('Name of the container apps environment.')
output AZURE_CONTAINER_APPS_ENVIRONMENT_NAME string = host.outputs.environmentName

@description('Default domain of the container apps environment.')
output AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN string = host.outputs.defaultDomain

@description('Name of the container app.')
output SERVICE_SERVER_NAME string = server.outputs.name

@description('MCP URL of the server, for clients.')
output SERVER_URL string = serverUrl

@description('App id of the API app: the audience of every access token.')
output ENTRA_CLIENT_ID string = identity.outputs.apiClientId

@description('Object id of the API app.')
output ENTRA_API_APP_OBJECT_ID string = identity.outputs.apiObjectId

@description('Unique name of the API app.')
output ENTRA_API_APP_UNIQUE_NAME string = identity.outputs.apiUniqueName

@description('Object id of the API app\'s service principal, which consent is granted to.')
output ENTRA_API_PRINCIPAL_ID string = identity.outputs.apiPrincipalId

@description('App id of the public client, for your own MCP clients.')
output ENTRA_PUBLIC_CLIENT_ID string = identity.outputs.publicClientId

@description('App ids of the clients that may call the server; empty if every client may.')
output ALLOWED_CLIENTS string = join(identity.outputs.allowedClients, ',')

@description('Selected tool sets; `azd env refresh` copies them to another machine.')
output TOOL_SETS string = join(toolSets, ',')

@description('Object id of the admin group.')
output ENTRA_ADMIN_GROUP_ID string = identity.outputs.adminGroupId

@description('Object id of the users group.')
output ENTRA_USERS_GROUP_ID string = identity.outputs.usersGroupId

@description('App id of the dev API app, for servers on developers\' machines; empty without local development.')
output ENTRA_DEV_CLIENT_ID string = identity.outputs.devClientId

@description('Object id of the dev API app; empty without local development.')
output ENTRA_DEV_APP_OBJECT_ID string = identity.outputs.devObjectId

@description('Object id of the dev API app\'s service principal; empty without local development.')
output ENTRA_DEV_PRINCIPAL_ID string = identity.outputs.devPrincipalId

@description('MCP URL of a server on a developer\'s machine; empty without local development.')
output LOCAL_DEVELOPMENT_URL string = localDevelopment ? localServerUrl : ''

@description('Name of the server\'s managed identity.')
output SERVER_IDENTITY_NAME string = serverIdentityName

@description('Object id of the server\'s managed identity, which is the subject of the federated credential.')
output SERVER_IDENTITY_PRINCIPAL_ID string = serverIdentity.outputs.principalId

@description('Client id of the server\'s managed identity.')
output SERVER_IDENTITY_CLIENT_ID string = serverIdentity.outputs.clientId

@description('Endpoint of Cosmos DB.')
output COSMOS_ENDPOINT string = data.outputs.endpoint

@description('Name of the database that stores the expenses.')
output COSMOS_DATABASE string = databaseName

@description('Name of the container that stores the expenses.')
output COSMOS_CONTAINER string = containerName

@description('Endpoint of the search service; empty without the tool set `documents`.')
output SEARCH_ENDPOINT string = hasDocuments ? search!.outputs.endpoint : ''
