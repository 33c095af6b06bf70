using 'pipeline.bicep'

// npm run pipeline sets these from the azd environment and from what GitHub says about the repository.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = toLower(replace(readEnvironmentVariable('AZURE_LOCATION'), ' ', ''))
param repositoryOwner = readEnvironmentVariable('GITHUB_REPOSITORY_OWNER')
param repositoryName = readEnvironmentVariable('GITHUB_REPOSITORY_NAME')
param repositoryOwnerId = readEnvironmentVariable('GITHUB_REPOSITORY_OWNER_ID', '')
param repositoryId = readEnvironmentVariable('GITHUB_REPOSITORY_ID', '')
// Empty counts as not set.
var restricted = readEnvironmentVariable('RESTRICT_TO_ASSIGNED_USERS', '')
param restrictToAssignedUsers = bool(any(empty(restricted) ? 'true' : restricted))
