import { tagsType } from 'types.bicep'

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

// The server's only credential. The federated credential that lets it act as the API app is written by the
// postprovision hook: as a Bicep resource it raced with the replication of the fresh identity.
resource serverIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object id of the identity.')
output principalId string = serverIdentity.properties.principalId

@description('Client id of the identity.')
output clientId string = serverIdentity.properties.clientId
