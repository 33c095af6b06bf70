// An identity of GitHub Actions: whose tokens it accepts and what it may do in Microsoft Entra ID.

extension microsoftGraphV1

import { guidType } from 'types.bicep'

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Subjects of the GitHub tokens that it accepts, by name of the federated credential.')
param subjects { *: string }

@description('Ids of its application permissions of Microsoft Graph, by name.')
param graphRoles { *: guidType }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

// One after the other: an identity refuses credentials that are written at the same time.
@batchSize(1)
resource githubMaySignIn 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = [
  for subject in items(subjects): {
    parent: identity
    name: subject.key
    properties: {
      issuer: 'https://token.actions.githubusercontent.com'
      subject: subject.value
      audiences: ['api://AzureADTokenExchange']
    }
  }
]

// Microsoft's own: it is in every tenant before any deployment, so looking it up cannot fail.
resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource graphRights 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for role in items(graphRoles): {
    resourceId: graph.id
    principalId: identity.properties.principalId
    appRoleId: role.value
  }
]

@description('Object id of the identity.')
output principalId string = identity.properties.principalId

@description('Client id of the identity.')
output clientId string = identity.properties.clientId
