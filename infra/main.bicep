targetScope = 'subscription'

import { guidType, mcpOrigin } from 'types.bicep'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment. Every name is derived from it.')
param environmentName string

@minLength(1)
@description('Azure region of all resources. `West Europe` and `westeurope` are one.')
param location string

@maxLength(36)
@description('Object id of whoever deploys; azd sets it. Empty: nobody gets rights as the deployer.')
param deployerId string = ''

@allowed(['User', 'ServicePrincipal'])
@description('Kind of the deployer; in a pipeline (`CI` is set, and not `false` or `0`) a `ServicePrincipal`. Only a user becomes an admin and gets to the data.')
param deployerType string = 'User'

@description('Whether the container app is there already; azd sets it. Its image is then kept.')
param serverExists bool = false

@description('Object ids of the admin group\'s first members (users, groups, service principals); empty: the deployer, if that is a user. Who was added by hand stays. Not used beside `EXISTING_ADMIN_GROUP_ID`.')
param adminMembers guidType[] = []

@description('Object id of a security group of yours that is the admin group; none is created then.')
param existingAdminGroupId guidType?

@description('Whether only members of the admin group and the users group get a token for the server; `false`: everybody in the tenant.')
param restrictToAssignedUsers bool = true

@maxLength(50)
@description('App ids of further clients that need no consent prompt.')
param extraClients guidType[] = []

@maxLength(10)
@description('MCP URLs of custom domains, exactly as clients send them. Bind the domain and its certificate to the container app yourself.')
param extraServerUrls string[] = []

@maxLength(10)
@description('Origins of pages in browsers that may call. Entra redeems a page\'s code only for a redirect URI of the platform `spa`: give the page a registration of its own and name it in `EXTRA_CLIENTS`.')
param allowedOrigins string[] = []

@minValue(0)
@maxValue(30)
@description('Replicas that always run; not above `MAX_REPLICAS`. 0: the server scales to zero and costs nothing when idle.')
param minReplicas int = 0

@minValue(1)
@maxValue(100)
@description('Replicas under load at most.')
param maxReplicas int = 10

@minLength(6)
@maxLength(254)
@description('Where alerts are mailed to. None: alerts are shown in the portal only.')
param alertEmail string?

@description('Lets `npm run client -- --device-code` sign in: the public client may be used without a redirect URI. Whoever is talked into typing a code signs a stranger in; a browser needs none.')
param allowDeviceCode bool = false

@description('Declares the dev API app, makes its secret and `.env`, and lets the deployer, if a user, read and write the data. `false`: none of it.')
param localDevelopment bool = true

@minLength(20)
@maxLength(100)
@description('MCP URL of a server on a developer\'s machine: identifies the dev API app. A tenant accepts one URL once: give a second environment another port, or switch local development off there.')
param localServerUrl string = 'http://localhost:8080/mcp'

@maxLength(256)
@description('The service or asset id that some tenants demand on every app registration.')
param serviceManagementReference string = ''

@minLength(1)
@description('Which tool sets of `infra/permissions.json` there are. What is off is not declared, not consented to and not offered; switching a set off disables its scopes and roles first, because Microsoft Graph removes disabled ones only. A deployment puts it out, so that `azd env refresh` brings it to another machine, and `azd down` forgets it; where it is not set nothing is taken back, and a deployment that would switch a set off is refused.')
param toolSets string[] = ['expenses', 'profile']

@allowed(['free', 'basic'])
@description('Price of the search service of the tool set `documents` (docs/documents.md): free (0, one per subscription) or basic (by the hour).')
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

@description('Tenant of every identity object.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group of this environment.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Where azd pushes the image.')
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

@description('MCP URL that clients are given.')
output SERVER_URL string = serverUrl

@description('App id of the API app: the audience of every access token.')
output ENTRA_CLIENT_ID string = identity.outputs.apiClientId

@description('Object id of the API app.')
output ENTRA_API_APP_OBJECT_ID string = identity.outputs.apiObjectId

@description('Unique name of the API app.')
output ENTRA_API_APP_UNIQUE_NAME string = identity.outputs.apiUniqueName

@description('Object id of the API app\'s service principal: what consent is granted to.')
output ENTRA_API_PRINCIPAL_ID string = identity.outputs.apiPrincipalId

@description('App id of the public client for MCP clients of one\'s own.')
output ENTRA_PUBLIC_CLIENT_ID string = identity.outputs.publicClientId

@description('App ids of the clients that may call the server; empty: every client.')
output ALLOWED_CLIENTS string = join(identity.outputs.allowedClients, ',')

@description('Tool sets that are on: azd env refresh brings them to whoever did not choose them.')
output TOOL_SETS string = join(toolSets, ',')

@description('Object id of the admin group.')
output ENTRA_ADMIN_GROUP_ID string = identity.outputs.adminGroupId

@description('Object id of the users group.')
output ENTRA_USERS_GROUP_ID string = identity.outputs.usersGroupId

@description('App id of the API app for servers on developers\' machines; empty without local development.')
output ENTRA_DEV_CLIENT_ID string = identity.outputs.devClientId

@description('Object id of that app; empty without local development.')
output ENTRA_DEV_APP_OBJECT_ID string = identity.outputs.devObjectId

@description('Object id of that app\'s service principal; empty without local development.')
output ENTRA_DEV_PRINCIPAL_ID string = identity.outputs.devPrincipalId

@description('MCP URL of a server on a developer\'s machine; empty without local development.')
output LOCAL_DEVELOPMENT_URL string = localDevelopment ? localServerUrl : ''

@description('Name of the server\'s managed identity.')
output SERVER_IDENTITY_NAME string = serverIdentityName

@description('Object id of the server\'s managed identity: the subject of the federated credential.')
output SERVER_IDENTITY_PRINCIPAL_ID string = serverIdentity.outputs.principalId

@description('Client id of the server\'s managed identity.')
output SERVER_IDENTITY_CLIENT_ID string = serverIdentity.outputs.clientId

@description('Endpoint of Cosmos DB.')
output COSMOS_ENDPOINT string = data.outputs.endpoint

@description('Database of the expenses.')
output COSMOS_DATABASE string = databaseName

@description('Container of the expenses.')
output COSMOS_CONTAINER string = containerName

@description('Endpoint of the search service; empty without the tool set documents.')
output SEARCH_ENDPOINT string = hasDocuments ? search!.outputs.endpoint : ''
