// The two identities of GitHub Actions. Deployed once by an administrator (npm run pipeline), never by the
// pipeline itself: an identity that could change its own rights would have every right.
//   review  pull requests and the nightly comparison: reads and previews, writes nothing.
//   deploy  jobs of the GitHub environment "production" only: writes.
targetScope = 'subscription'

import { guidType } from 'types.bicep'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment that the pipeline deploys.')
param environmentName string

@minLength(1)
@description('Azure region of the environment.')
param location string

@minLength(1)
@maxLength(39)
@description('Owner of the GitHub repository, in its exact case: Entra ID compares subjects character by character.')
param repositoryOwner string

@minLength(1)
@maxLength(100)
@description('Name of the GitHub repository, in its exact case.')
param repositoryName string

@maxLength(20)
@description('Numeric id of the owner, where GitHub uses immutable subjects. Empty: subjects hold names only.')
param repositoryOwnerId string = ''

@maxLength(20)
@description('Numeric id of the repository, where GitHub uses immutable subjects. Empty: subjects hold names only.')
param repositoryId string = ''

@description('As in main.bicep. Without it nobody is assigned to the app, and the pipeline needs one dangerous right less.')
param restrictToAssignedUsers bool = true

var token = toLower(uniqueString(subscription().id, environmentName, 'pipeline'))
// Not azd-env-name: azd down would delete the identities together with the environment.
var tags = { 'azd-env-pipeline': environmentName }
var reviewName = 'id-review-${token}'
var deployName = 'id-deploy-${token}'

// What GitHub puts into "sub". With ids a later owner of a released name is somebody else.
var repository = empty(repositoryOwnerId) && empty(repositoryId)
  ? '${repositoryOwner}/${repositoryName}'
  : empty(repositoryOwnerId) || empty(repositoryId)
      ? fail('GITHUB_REPOSITORY_OWNER_ID and GITHUB_REPOSITORY_ID belong together: set both or neither.')
      : '${repositoryOwner}@${repositoryOwnerId}/${repositoryName}@${repositoryId}'

// Built-in role.
var reader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'

// Application permissions of Microsoft Graph; the ids are the same in every tenant.
var graphRead = {
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30'
  'DelegatedPermissionGrant.Read.All': '81b4724a-58aa-41c1-8a55-84ef97466587'
  'Group.Read.All': '5b567255-7703-4780-807c-7be8301ae99b'
}
var graphWrite = {
  'Application.ReadWrite.All': '1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9'
  'DelegatedPermissionGrant.ReadWrite.All': '8e8e4742-1d95-4f68-9d56-6ee75648c72a'
  'Group.ReadWrite.All': '62a82d76-70ea-41e2-9197-370581804d09'
}
var graphAssign = { 'AppRoleAssignment.ReadWrite.All': '06b708a9-e830-4db3-a914-8e69da51d44f' }

resource pipelineGroup 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}-pipeline'
  location: location
  tags: tags
}

// The same as in main.bicep: it must be there before rights can end at its border. Contributor on it may declare it
// again, so that the pipeline needs no right to declare resource groups.
resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: { 'azd-env-name': environmentName }
}

// Reader may not ask what a deployment would do; these two actions change nothing.
resource previewRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'preview')
  properties: {
    roleName: 'Deployment preview (${environmentName}, ${token})'
    description: 'Asks what a deployment would change.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: ['Microsoft.Resources/deployments/validate/action', 'Microsoft.Resources/deployments/whatIf/action']
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

// main.bicep is a deployment of the subscription. What it deploys is judged by the deployer's rights on each
// resource, so these actions alone make and change nothing: no other resource group, and no new one.
resource deploymentRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'deployment')
  properties: {
    roleName: 'Subscription deployment (${environmentName}, ${token})'
    description: 'Starts deployments of the subscription and reads how they went; registers resource providers.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          '*/register/action'
          'Microsoft.Resources/deployments/operations/read'
          'Microsoft.Resources/deployments/operationStatuses/read'
          'Microsoft.Resources/deployments/read'
          'Microsoft.Resources/deployments/validate/action'
          'Microsoft.Resources/deployments/write'
          'Microsoft.Resources/subscriptions/locations/read'
          'Microsoft.Resources/subscriptions/providers/read'
          'Microsoft.Resources/subscriptions/read'
          'Microsoft.Resources/subscriptions/resourceGroups/read'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

module review 'pipeline-identity.bicep' = {
  scope: pipelineGroup
  params: {
    name: reviewName
    location: location
    tags: tags
    subjects: {
      'pull-request': 'repo:${repository}:pull_request'
      'branch-main': 'repo:${repository}:ref:refs/heads/main'
    }
    graphRoles: graphRead
  }
}

module deploy 'pipeline-identity.bicep' = {
  scope: pipelineGroup
  params: {
    name: deployName
    location: location
    tags: tags
    subjects: { 'environment-production': 'repo:${repository}:environment:production' }
    graphRoles: union(graphWrite, restrictToAssignedUsers ? graphAssign : {})
  }
}

module reviewRights 'pipeline-rights.bicep' = {
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: review.outputs.principalId
    rights: [
      { role: reader, reason: 'Pull requests are compared with what is there.' }
      { role: previewRole.name, reason: 'Pull requests show what a deployment would change.' }
    ]
  }
}

module deployRights 'pipeline-rights.bicep' = {
  params: {
    #disable-next-line what-if-short-circuiting
    principalId: deploy.outputs.principalId
    rights: [{ role: deploymentRole.name, reason: 'The template is deployed to the subscription.' }]
  }
}

module deployAccess 'pipeline-access.bicep' = {
  scope: group
  #disable-next-line what-if-short-circuiting
  params: { principalId: deploy.outputs.principalId }
}

@description('Tenant of both identities.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Subscription that the pipeline deploys to.')
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId

@description('Client id of the identity of pull requests.')
output AZURE_REVIEW_CLIENT_ID string = review.outputs.clientId

@description('Client id of the identity of the environment "production".')
output AZURE_DEPLOY_CLIENT_ID string = deploy.outputs.clientId

@description('Object id of the identity of pull requests.')
output AZURE_REVIEW_PRINCIPAL_ID guidType = review.outputs.principalId

@description('Object id of the identity of the environment "production".')
output AZURE_DEPLOY_PRINCIPAL_ID guidType = deploy.outputs.principalId
