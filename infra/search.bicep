import { tagsType } from 'types.bicep'

@minLength(2)
@maxLength(60)
@description('Name of the search service.')
param searchName string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

@description('Price: free (0, one per subscription) or basic (by the hour).')
param sku 'free' | 'basic'

resource search 'Microsoft.Search/searchServices@2025-05-01' = {
  name: searchName
  location: location
  tags: tags
  sku: { name: sku }
  properties: {
    replicaCount: 1
    partitionCount: 1
    hostingMode: 'Default'
    computeType: 'default'
    // No API keys: who asks or writes has a role assignment of their own (access.bicep).
    disableLocalAuth: true
    // As with Cosmos DB: the endpoint is public, and every request needs an Entra token with a data role.
    publicNetworkAccess: 'enabled'
    networkRuleSet: { bypass: 'None', ipRules: [] }
    // The ranker reads documents in another service and is billed per query.
    semanticSearch: 'disabled'
    encryptionWithCmk: { enforcement: 'Unspecified' }
  }
}

@description('Endpoint of the search service.')
output endpoint string = search.properties.endpoint
