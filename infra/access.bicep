// Every right in Azure that this template gives, in one place. Rights in Entra are in identity.bicep.

@description('Name of the registry.')
param registryName string

@description('Name of the Application Insights component.')
param insightsName string

@description('Name of the Cosmos DB account.')
param cosmosName string

@description('Name of the database.')
param databaseName string

@description('Name of the container.')
param containerName string

@description('Name of the server\'s managed identity.')
param serverIdentityName string

@description('Object id of the server\'s managed identity.')
param serverPrincipalId string

@description('Name of the search service; null: there is none.')
param searchName string?

@description('Object id of the user who defines the index of the documents and fills it, if any.')
param documentsEditorId string?

@description('Object id of the user who develops locally against this environment, if any.')
param developerId string?

// Built-in roles.
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
var searchIndexDataReader = '1407120a-92aa-4202-b7e9-c0e197c71c8f'
var searchServiceContributor = '7ca78c08-252a-4471-8644-bb5ff32d4ba0'
var searchIndexDataContributor = '8ebe5a00-799e-43f5-93ac-243d3dce84a7'
var cosmosDataContributor = '00000000-0000-0000-0000-000000000002'

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' existing = {
  name: cosmosName
}

resource search 'Microsoft.Search/searchServices@2025-05-01' existing = if (searchName != null) {
  name: searchName ?? 'none'
}

resource serverMayPullItsImage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, serverIdentityName, acrPull)
  properties: {
    principalId: serverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', acrPull)
    description: 'The server pulls its image.'
  }
}

resource serverMaySendTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, serverIdentityName, monitoringMetricsPublisher)
  properties: {
    principalId: serverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    description: 'The server sends telemetry; instrumentation keys are switched off.'
  }
}

// Only the one container, not the account: other databases that somebody adds stay out of reach.
var expenses = '${cosmos.id}/dbs/${databaseName}/colls/${containerName}'

resource serverMayWriteExpenses 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = {
  parent: cosmos
  name: guid(expenses, serverIdentityName, cosmosDataContributor)
  properties: {
    principalId: serverPrincipalId
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: expenses
  }
}

resource developerMayWriteExpenses 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = if (developerId != null) {
  parent: cosmos
  name: guid(expenses, developerId ?? '', cosmosDataContributor)
  properties: {
    principalId: developerId ?? ''
    roleDefinitionId: '${cosmos.id}/sqlRoleDefinitions/${cosmosDataContributor}'
    scope: expenses
  }
}

// It may ask; what a question finds is up to the token of the user that comes with it.
resource serverMayAskForDocuments 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (searchName != null) {
  scope: search
  name: guid(search.id, serverIdentityName, searchIndexDataReader)
  properties: {
    principalId: serverPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', searchIndexDataReader)
    description: 'The server asks the index of the documents.'
  }
}

// Two roles: neither contains the other.
resource editorMayWriteDocuments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in [searchServiceContributor, searchIndexDataContributor]: if (searchName != null && documentsEditorId != null) {
    scope: search
    name: guid(search.id, documentsEditorId ?? '', role)
    properties: {
      principalId: documentsEditorId ?? ''
      principalType: 'User'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      description: 'npm run documents makes the index and fills it.'
    }
  }
]
