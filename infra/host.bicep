import { tagsType } from 'types.bicep'

@description('Unique part of the names.')
param token string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

@minLength(5)
@maxLength(50)
@description('Name of the registry.')
param registryName string

@description('Id of the Log Analytics workspace.')
param workspaceId string

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: registryName
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    // No password and no anonymous reader: the server pulls with its managed identity.
    adminUserEnabled: false
    anonymousPullEnabled: false
    // Container Apps presents Azure Resource Manager tokens when it pulls with a managed identity.
    policies: { azureADAuthenticationAsArmPolicy: { status: 'enabled' } }
    // The AcrPull role counts in this mode only.
    roleAssignmentMode: 'LegacyRegistryPermissions'
    dataEndpointEnabled: false
    // Private endpoints need the Premium tier.
    publicNetworkAccess: 'Enabled'
    networkRuleBypassOptions: 'AzureServices'
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: {
    // Through Azure Monitor: the other destination would need the workspace's shared key.
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    publicNetworkAccess: 'Enabled'
    // One app that calls no other app: nothing inside the environment to encrypt or to authenticate.
    peerAuthentication: { mtls: { enabled: false } }
    peerTrafficConfiguration: { encryption: { enabled: false } }
    zoneRedundant: false
  }
}

resource environmentLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

@description('Host name of the registry.')
output registryServer string = registry.properties.loginServer

@description('Id of the container apps environment.')
output environmentId string = environment.id

@description('Name of the container apps environment.')
output environmentName string = environment.name

@description('Domain under which the environment\'s apps are reached.')
output defaultDomain string = environment.properties.defaultDomain
