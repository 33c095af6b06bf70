using 'main.bicep'

// From the azd environment (azd env set NAME value). azd, the snapshots and CI read this same file.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param deployerId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
// azd tells a parameter file who deploys but not of what kind; in a pipeline it is a service principal.
var statedType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', '')
var usualType = empty(readEnvironmentVariable('CI', '')) ? 'User' : 'ServicePrincipal'
// any() here and below: the compiler knows the value of a variable as a literal type and would test the branch
// that is not taken. Lengths and allowed values are tested on the result.
param deployerType = any(empty(statedType) ? usualType : statedType)
param serverExists = bool(readEnvironmentVariable('SERVICE_SERVER_RESOURCE_EXISTS', 'false'))

// Lists are separated by commas.
param adminMembers = any(filter(
  map(split(readEnvironmentVariable('ADMIN_MEMBERS', ''), ','), id => toLower(trim(id))),
  id => !empty(id)
))
var existingAdminGroup = readEnvironmentVariable('EXISTING_ADMIN_GROUP_ID', '')
param existingAdminGroupId = any(empty(existingAdminGroup) ? null : existingAdminGroup)
param restrictToAssignedUsers = bool(readEnvironmentVariable('RESTRICT_TO_ASSIGNED_USERS', 'true'))
param extraClients = any(filter(
  map(split(readEnvironmentVariable('EXTRA_CLIENTS', ''), ','), id => toLower(trim(id))),
  id => !empty(id)
))
param extraServerUrls = any(filter(
  map(split(readEnvironmentVariable('EXTRA_SERVER_URLS', ''), ','), url => trim(url)),
  url => !empty(url)
))
param serviceManagementReference = readEnvironmentVariable('SERVICE_MANAGEMENT_REFERENCE', '')

param minReplicas = int(readEnvironmentVariable('MIN_REPLICAS', '0'))
param maxReplicas = int(readEnvironmentVariable('MAX_REPLICAS', '10'))
var alertAddress = readEnvironmentVariable('ALERT_EMAIL', '')
param alertEmail = any(empty(alertAddress) ? null : alertAddress)

param localDevelopment = bool(readEnvironmentVariable('LOCAL_DEVELOPMENT', 'true'))
param localServerUrl = readEnvironmentVariable('LOCAL_SERVER_URL', 'http://localhost:8080/mcp')
