import { customDomainType, tagsType } from 'types.bicep'

@description('What the server is told about its surroundings.')
type settingsType = {
  @description('Tenant whose tokens count.')
  tenantId: string
  @description('App id of the API app.')
  clientId: string
  @description('MCP URL.')
  url: string
  @description('MCP URLs of custom domains.')
  extraUrls: string[]
  @description('Origins of pages in browsers that may call.')
  allowedOrigins: string[]
  @description('Object id of the admin group.')
  adminGroupId: string
  @description('App ids of the clients that may call; none: every client.')
  allowedClients: string[]
  @description('Names of the tool sets that are on.')
  toolSets: string[]
  @description('Endpoint of the search service; empty: there is none.')
  searchEndpoint: string
  @description('Endpoint of Cosmos DB.')
  cosmosEndpoint: string
  @description('Database.')
  cosmosDatabase: string
  @description('Container.')
  cosmosContainer: string
}

@minLength(2)
@maxLength(32)
@description('Name of the container app.')
param serverName string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

@description('Id of the container apps environment.')
param environmentId string

@description('Host name of the registry.')
param registryServer string

@description('Name of the Application Insights component.')
param insightsName string

@description('Name of the server\'s managed identity.')
param serverIdentityName string

@description('Client id of the server\'s managed identity.')
param serverIdentityClientId string

@description('The image that runs already; null before the container app exists.')
param image string?

@description('The custom domains that are bound already.')
param customDomains customDomainType[]

@minValue(0)
@description('Replicas that always run.')
param minReplicas int

@minValue(1)
@description('Replicas under load at most.')
param maxReplicas int

@description('Id of the action group of the alerts; empty: none.')
param alertActionGroupId string

@description('The server\'s settings.')
param settings settingsType

// What runs between the first azd provision and the first azd deploy. It listens on 8080 and answers /healthz,
// so that its revision becomes ready: azd deploy changes the image and nothing else.
var placeholder = 'mcr.microsoft.com/dotnet/samples:aspnetapp'
var runningImage = image ?? placeholder
var port = 8080

resource serverIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: serverIdentityName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource server 'Microsoft.App/containerApps@2025-07-01' = {
  name: serverName
  location: location
  // azd finds the app that a service is deployed to by this tag.
  tags: union(tags, { 'azd-service-name': 'server' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${serverIdentity.id}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: port
        transport: 'http'
        // Plain http is redirected to https.
        allowInsecure: false
        clientCertificateMode: 'ignore'
        // The server keeps no session: any replica answers any request.
        stickySessions: { affinity: 'none' }
        traffic: [{ latestRevision: true, weight: 100 }]
        customDomains: customDomains
      }
      registries: [{ server: registryServer, identity: serverIdentity.id }]
      identitySettings: [{ identity: serverIdentity.id, lifecycle: 'Main' }]
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'server'
          image: runningImage
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: concat(
            [
              { name: 'AZURE_TENANT_ID', value: settings.tenantId }
              { name: 'AZURE_CLIENT_ID', value: serverIdentityClientId }
              { name: 'ENTRA_CLIENT_ID', value: settings.clientId }
              { name: 'ENTRA_ADMIN_GROUP_ID', value: settings.adminGroupId }
              { name: 'SERVER_URL', value: settings.url }
              { name: 'TOOL_SETS', value: join(settings.toolSets, ',') }
              { name: 'COSMOS_ENDPOINT', value: settings.cosmosEndpoint }
              { name: 'COSMOS_DATABASE', value: settings.cosmosDatabase }
              { name: 'COSMOS_CONTAINER', value: settings.cosmosContainer }
              { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
              { name: 'PORT', value: string(port) }
              // The ingress, which adds the client's address to X-Forwarded-For.
              { name: 'TRUSTED_PROXIES', value: '1' }
            ],
            contains(settings.toolSets, 'documents') ? [{ name: 'SEARCH_ENDPOINT', value: settings.searchEndpoint }] : [],
            empty(settings.allowedClients) ? [] : [{ name: 'ALLOWED_CLIENTS', value: join(settings.allowedClients, ',') }],
            empty(settings.extraUrls) ? [] : [{ name: 'EXTRA_SERVER_URLS', value: join(settings.extraUrls, ',') }],
            empty(settings.allowedOrigins) ? [] : [{ name: 'ALLOWED_ORIGINS', value: join(settings.allowedOrigins, ',') }]
          )
          probes: [
            {
              type: 'Startup'
              httpGet: { path: '/healthz', port: port, scheme: 'HTTP' }
              periodSeconds: 2
              timeoutSeconds: 2
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: { path: '/healthz', port: port, scheme: 'HTTP' }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              // The placeholder has no /readyz; with it, the first deployment would wait until it times out.
              httpGet: { path: runningImage == placeholder ? '/healthz' : '/readyz', port: port, scheme: 'HTTP' }
              periodSeconds: 5
              timeoutSeconds: 4
              failureThreshold: 3
            }
          ]
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '50' } } }]
      }
    }
  }
}

// A metric, not a log line: a replica that dies writes none.
resource restarts 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${serverName}-restarts'
  location: 'global'
  tags: tags
  properties: {
    description: 'Replicas of the server restart again and again: see ContainerAppSystemLogs.'
    severity: 1
    enabled: true
    scopes: [server.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'restarts'
          metricNamespace: 'Microsoft.App/containerApps'
          metricName: 'RestartCount'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 3
        }
      ]
    }
    actions: empty(alertActionGroupId) ? [] : [{ actionGroupId: alertActionGroupId }]
  }
}

@description('Name of the container app.')
output name string = server.name
