import { tagsType } from 'types.bicep'

@description('Name of the Cosmos DB account.')
param cosmosName string

@description('Name of the database.')
param databaseName string

@description('Name of the container.')
param containerName string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: cosmosName
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: [{ name: 'EnableServerless' }]
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    // No account keys: who reads data has a role assignment of their own (access.bicep).
    disableLocalAuth: true
    // Databases and containers are changed through Azure Resource Manager only.
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    // Without a virtual network, consumption-only container apps have no fixed outgoing address to allow. The
    // endpoint is public, and every request needs an Entra token with a data role.
    publicNetworkAccess: 'Enabled'
    networkAclBypass: 'None'
    enableFreeTier: false
    enableAutomaticFailover: false
    enableMultipleWriteLocations: false
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-04-15' = {
  parent: cosmos
  name: databaseName
  properties: { resource: { id: databaseName } }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-04-15' = {
  parent: database
  name: containerName
  properties: {
    resource: {
      id: containerName
      // One user, one partition: no query of the server reads two users' expenses.
      partitionKey: { paths: ['/user_id'], kind: 'Hash', version: 2 }
      // The four paths that the store filters and sorts by; every other path would only make writes dearer.
      indexingPolicy: {
        indexingMode: 'consistent'
        automatic: true
        includedPaths: [
          { path: '/user_id/?' }
          { path: '/type/?' }
          { path: '/sort_key/?' }
          { path: '/category/?' }
        ]
        excludedPaths: [{ path: '/*' }, { path: '/"_etag"/?' }]
      }
    }
  }
}

@description('Endpoint of the account.')
output endpoint string = cosmos.properties.documentEndpoint
