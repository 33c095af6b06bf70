// Rights of one identity in the whole subscription. A module of its own: the name of an assignment has to change
// with its principal, and a principal is known at the start of a deployment only where it is a parameter.
// The assignment of a deleted identity survives; under its name nobody else could be given the right any more
// (RoleAssignmentUpdateNotPermitted), so an identity that is made anew gets new assignments. A what-if cannot see
// through that, which is why its linter rule is silenced where this is called: nobody previews this template.
targetScope = 'subscription'

import { guidType } from 'types.bicep'

@description('Object id of the identity.')
param principalId string

@description('Name (a GUID) of each role definition of the subscription, and what it is given for.')
param rights { role: guidType, reason: string }[]

resource given 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in rights: {
    name: guid(subscription().id, principalId, right.role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', right.role)
      description: right.reason
    }
  }
]
