using 'main.bicep'

import { isLocalMcpUrl, isMcpUrl, isOrigin } from 'types.bicep'

// From the azd environment (azd env set NAME value). azd, the snapshots and CI read this same file. A variable that is
// empty counts as one that is not set, here and in the hooks; preflight refuses the same values, and says why.
var name = readEnvironmentVariable('AZURE_ENV_NAME')
param environmentName = any(endsWith(name, '.') ? fail('AZURE_ENV_NAME: ${name} ends with a dot, which no resource group may.') : name)
// "West Europe" and "westeurope" are one region: names are derived from it.
param location = toLower(replace(readEnvironmentVariable('AZURE_LOCATION'), ' ', ''))
param deployerId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
// azd tells a parameter file who deploys but not of what kind; in a pipeline it is a service principal.
var statedType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', '')
var isPipeline = !contains(['', '0', 'false'], toLower(trim(readEnvironmentVariable('CI', ''))))
// any() here and below: the compiler knows the value of a variable as a literal type and would test the branch
// that is not taken. Lengths and allowed values are tested on the result.
param deployerType = any(empty(statedType) ? (isPipeline ? 'ServicePrincipal' : 'User') : statedType)
var serverThere = readEnvironmentVariable('SERVICE_SERVER_RESOURCE_EXISTS', '')
param serverExists = bool(any(empty(serverThere) ? 'false' : serverThere))

// Lists are separated by commas; union() takes one that is named twice once.
param adminMembers = any(union([], filter(
  map(split(readEnvironmentVariable('ADMIN_MEMBERS', ''), ','), id => toLower(trim(id))),
  id => !empty(id)
)))
var existingAdminGroup = readEnvironmentVariable('EXISTING_ADMIN_GROUP_ID', '')
param existingAdminGroupId = any(empty(existingAdminGroup) ? null : existingAdminGroup)
var restricted = readEnvironmentVariable('RESTRICT_TO_ASSIGNED_USERS', '')
param restrictToAssignedUsers = bool(any(empty(restricted) ? 'true' : restricted))
param extraClients = any(union([], filter(
  map(split(readEnvironmentVariable('EXTRA_CLIENTS', ''), ','), id => toLower(trim(id))),
  id => !empty(id)
)))
// What clients send as resource is compared character by character: a host, the path /mcp, and nothing else.
var extraUrls = union([], filter(
  map(split(readEnvironmentVariable('EXTRA_SERVER_URLS', ''), ','), url => trim(url)),
  url => !empty(url)
))
var strangeUrls = filter(extraUrls, url => !isMcpUrl(url))
param extraServerUrls = any(empty(strangeUrls)
  ? extraUrls
  : fail('EXTRA_SERVER_URLS: ${join(strangeUrls, ', ')} should be https://<host>/mcp, without user, query, fragment or trailing slash.'))
// Browsers send a page's origin without a path; it is compared character by character.
var origins = union([], filter(
  map(split(readEnvironmentVariable('ALLOWED_ORIGINS', ''), ','), origin => trim(origin)),
  origin => !empty(origin)
))
var strangeOrigins = filter(origins, origin => !isOrigin(origin))
param allowedOrigins = any(empty(strangeOrigins)
  ? origins
  : fail('ALLOWED_ORIGINS: ${join(strangeOrigins, ', ')} should be https://<host> or http://localhost:<port>, without a path.'))
var wantedSets = readEnvironmentVariable('TOOL_SETS', '')
var chosenSets = empty(wantedSets) ? ['expenses', 'profile'] : union([], map(split(wantedSets, ','), set => trim(set)))
var knownSets = map(loadJsonContent('permissions.json').toolSets, set => set.name)
var strangeSets = filter(chosenSets, set => !contains(knownSets, set))
param toolSets = any(empty(strangeSets)
  ? chosenSets
  : fail('TOOL_SETS: ${join(map(strangeSets, set => '"${set}"'), ', ')} should be names of tool sets, separated by commas: ${join(knownSets, ', ')}.'))
var sku = readEnvironmentVariable('SEARCH_SKU', '')
param searchSku = any(empty(sku) ? 'free' : sku)
param serviceManagementReference = readEnvironmentVariable('SERVICE_MANAGEMENT_REFERENCE', '')

var fewest = readEnvironmentVariable('MIN_REPLICAS', '')
var most = readEnvironmentVariable('MAX_REPLICAS', '')
// A parameter that cannot be evaluated must not be read by another one: the compiler would break off.
var atLeast = int(any(empty(fewest) ? '0' : fewest))
param minReplicas = atLeast
var atMost = int(any(empty(most) ? '10' : most))
param maxReplicas = any(atMost < atLeast ? fail('MAX_REPLICAS: ${atMost} is less than MIN_REPLICAS.') : atMost)
var alertAddress = readEnvironmentVariable('ALERT_EMAIL', '')
param alertEmail = any(empty(alertAddress) ? null : alertAddress)

var deviceCode = readEnvironmentVariable('ALLOW_DEVICE_CODE', '')
param allowDeviceCode = bool(any(empty(deviceCode) ? 'false' : deviceCode))

var local = readEnvironmentVariable('LOCAL_DEVELOPMENT', '')
param localDevelopment = bool(any(empty(local) ? 'true' : local))
var localUrl = readEnvironmentVariable('LOCAL_SERVER_URL', '')
param localServerUrl = any(empty(localUrl)
  ? 'http://localhost:8080/mcp'
  : isMcpUrl(localUrl) || isLocalMcpUrl(localUrl)
      ? localUrl
      : fail('LOCAL_SERVER_URL: ${localUrl} should be http://localhost:<port>/mcp or https://<host>/mcp, without user, query, fragment or trailing slash.'))
