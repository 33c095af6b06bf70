// What the deploy identity may do in the environment's resource group, and nowhere else.

@description('Object id of the identity.')
param principalId string

// Built-in roles.
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c'
var roleAdministrator = 'f58310d9-a9f6-439a-9e8d-f62e7b41a168'
var acrPull = '7f951dda-4ed3-4680-a7ca-43fe172d538d'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
var searchIndexDataReader = '1407120a-92aa-4202-b7e9-c0e197c71c8f'

// Only the roles that access.bicep gives, and only to managed identities: the pipeline can make nobody an owner,
// itself included. Cosmos DB has its own roles, which Contributor may assign.
var roles = '{${acrPull}, ${monitoringMetricsPublisher}, ${searchIndexDataReader}}'
var assignments = 'Microsoft.Authorization/roleAssignments'
func allowedOnly(assignments string, action string, attributes string, roles string) string =>
  '((!(ActionMatches{\'${assignments}/${action}\'})) OR (@${attributes}[${assignments}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals ${roles} AND @${attributes}[${assignments}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {\'ServicePrincipal\'}))'
var onlyThese = '${allowedOnly(assignments, 'write', 'Request', roles)} AND ${allowedOnly(assignments, 'delete', 'Resource', roles)}'

// The names change with the principal, as in pipeline-rights.bicep.
resource mayWrite 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, principalId, contributor)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', contributor)
    description: 'The pipeline deploys the environment.'
  }
}

resource mayAssignThreeRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, principalId, roleAdministrator)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleAdministrator)
    condition: onlyThese
    conditionVersion: '2.0'
    description: 'The pipeline lets the server pull its image, send telemetry and ask for documents.'
  }
}
