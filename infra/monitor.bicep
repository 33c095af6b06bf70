import { tagsType } from 'types.bicep'

@description('Unique part of the names.')
param token string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

@description('Name of the Application Insights component.')
param insightsName string

@description('Name of the container app whose lines are watched.')
param serverName string

@description('Where alerts are mailed to.')
param alertEmail string?

@minValue(30)
@maxValue(730)
@description('Days that logs are kept. The first 31 are free.')
param retentionInDays int = 30

@minValue(1)
@description('Gigabytes of logs a day at most; what comes after that is dropped until the next day.')
param dailyQuotaGb int = 1

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionInDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: {
      // No shared keys: who writes or reads needs a role.
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    // Telemetry needs an Entra token with the publisher role; the key in the connection string opens nothing.
    DisableLocalAuth: true
    DisableIpMasking: false
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource alertsByMail 'Microsoft.Insights/actionGroups@2023-01-01' = if (alertEmail != null) {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'mcp-server'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: alertEmail ?? '', useCommonAlertSchema: true }]
  }
}

// Audit lines (app/telemetry/audit.ts), written to stdout as JSON: one for each request, but one with a count for the many of
// whoever is not signed in (app/telemetry/audit-trail.ts).
var auditLines = '''
ContainerAppConsoleLogs
| where ContainerAppName == '{0}'
| extend line = parse_json(Log)
| where isnotempty(line.decision)
| extend times = coalesce(tolong(line['count']), long(1))
| extend decision = tostring(line.decision), tool = tostring(line.tool), status = toint(line.status),
    duration_ms = todouble(line.duration_ms), obo = tostring(line.obo), reason = tostring(line.reason),
    outcome = tostring(line.outcome)
'''
var audit = format(auditLines, serverName)

var alerts = [
  {
    name: 'server-errors'
    severity: 1
    description: 'More than 5 percent of the requests failed, with a 5xx status or behind an answer in words.'
    query: '| summarize requests = sum(times), failed = sumif(times, outcome == \'failed\') | where requests >= 20 and failed * 100.0 / requests > 5'
    threshold: 0
  }
  {
    name: 'store-refusals'
    severity: 1
    description: 'Cosmos DB did not do what it was asked: it is down or throttled, or the server has lost its right to the data. The answers say "try again" with status 200; the log has the cause.'
    query: '| where outcome == \'refused_by_store\''
    threshold: 5
  }
  {
    name: 'refusals'
    severity: 2
    description: 'Many requests were refused because of their token, host or group: a broken client, or somebody trying.'
    query: '| where decision in (\'deny:token\', \'deny:host\', \'deny:group\', \'deny:scope\', \'deny:rbac\') | summarize refused = sum(times) | where refused > 50'
    threshold: 0
  }
  {
    name: 'obo-failures'
    severity: 1
    description: 'Tokens for downstream APIs could not be had: consent withdrawn, federated credential broken, or Entra ID down.'
    query: '| where obo == \'failed\''
    threshold: 5
  }
  {
    name: 'slow-requests'
    severity: 2
    description: 'The 95th percentile of the answered requests is above 2 seconds.'
    query: '| where outcome == \'done\' | summarize requests = count(), p95 = percentile(duration_ms, 95) | where requests >= 20 and p95 > 2000'
    threshold: 0
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in alerts: {
    name: '${serverName}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${serverName}: ${alert.name}'
      description: alert.description
      severity: alert.severity
      enabled: true
      autoMitigate: true
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      scopes: [workspace.id]
      // The table is filled only once the server runs; validated on the first deployment, the query would fail.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: '${audit}${alert.query}'
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: alertEmail == null ? [] : [alertsByMail.id] }
    }
  }
]

// What comes after the quota is dropped until the next day, and with it every alert on lines. Usage is told by the hour, in
// megabytes; the last 24 hours are never less than what counts today.
resource quotaAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${serverName}-log-quota'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${serverName}: log-quota'
    description: 'More than 80 percent of what the workspace takes in a day came within the last 24 hours. Beyond it lines and alerts are lost: see which table grows, or raise dailyQuotaGb.'
    severity: 1
    enabled: true
    autoMitigate: true
    evaluationFrequency: 'PT1H'
    windowSize: 'P1D'
    scopes: [workspace.id]
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: 'Usage | where IsBillable | summarize megabytes = sum(Quantity) | where megabytes > ${dailyQuotaGb * 800}'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: alertEmail == null ? [] : [alertsByMail.id] }
  }
}

resource decisions 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'decisions')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Decisions of ${serverName}'
    category: 'workbook'
    sourceId: workspace.id
    serializedData: replace(loadTextContent('workbook.json'), '{serverName}', serverName)
  }
}

@description('Id of the workspace.')
output workspaceId string = workspace.id

@description('Id of the action group of the alerts; empty without an address.')
output actionGroupId string = alertEmail == null ? '' : alertsByMail.id
