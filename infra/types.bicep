// The shapes that the modules share. permissions.json is read through them, so that a wrong word there
// (a misspelt scope type, a missing id) is a compile error and not a broken app registration.

@export()
@description('An object id or app id of Microsoft Entra ID.')
@minLength(36)
@maxLength(36)
type guidType = string

@export()
@description('The tags of every Azure resource.')
type tagsType = {
  @description('Name of the azd environment; azd finds the resources of an environment by it.')
  'azd-env-name': string
}

@export()
@description('A delegated permission that the server offers.')
type scopeType = {
  @description('Never changes once deployed.')
  id: guidType
  @description('The word in the token.')
  value: string
  @description('User: users may consent themselves. Admin: only an administrator.')
  type: 'User' | 'Admin'
  @description('To remove a scope, deploy it once with false, then delete it.')
  isEnabled: bool?
  @description('Title shown to administrators.')
  adminConsentDisplayName: string
  @description('Text shown to administrators.')
  adminConsentDescription: string
  @description('Title shown to users.')
  userConsentDisplayName: string
  @description('Text shown to users.')
  userConsentDescription: string
}

@export()
@description('An app role that the server offers.')
type roleType = {
  @description('Never changes once deployed.')
  id: guidType
  @description('The word in the token.')
  value: string
  @description('Who can hold the role.')
  allowedMemberTypes: ('User' | 'Application')[]
  @description('Title shown to administrators.')
  displayName: string
  @description('Text shown to administrators.')
  description: string
  @description('To remove a role, deploy it once with false, then delete it.')
  isEnabled: bool?
}

@export()
@description('The scopes of permissions.json in the shape of Microsoft Graph.')
func enabledUnlessSaid(scopes scopeType[]) scopeType[] =>
  map(scopes, scope => {
    id: scope.id
    value: scope.value
    type: scope.type
    isEnabled: scope.?isEnabled ?? true
    adminConsentDisplayName: scope.adminConsentDisplayName
    adminConsentDescription: scope.adminConsentDescription
    userConsentDisplayName: scope.userConsentDisplayName
    userConsentDescription: scope.userConsentDescription
  })

@export()
@description('The app roles of permissions.json in the shape of Microsoft Graph.')
func rolesEnabledUnlessSaid(roles roleType[]) roleType[] =>
  map(roles, role => {
    id: role.id
    value: role.value
    allowedMemberTypes: role.allowedMemberTypes
    displayName: role.displayName
    description: role.description
    isEnabled: role.?isEnabled ?? true
  })

@export()
@description('A service that holds app roles.')
type serviceType = {
  @description('Who it is, for readers.')
  name: string
  @description('Object id of its service principal; of a managed identity, its principal id.')
  principalId: guidType
  @description('Values of the app roles.')
  roles: string[]
}

@export()
@description('One app role of one service.')
type heldRoleType = {
  @description('Object id of the service principal.')
  principalId: guidType
  @description('Id of the app role.')
  appRoleId: guidType
}

@export()
@description('What permissions.json assigns to services. Roles of tool sets that are off are not among them.')
func rolesHeldBy(services serviceType[], roles roleType[]) heldRoleType[] =>
  flatten(map(services, service => map(filter(roles, role => contains(service.roles, role.value)), role => {
    principalId: service.principalId
    appRoleId: role.id
  })))

@export()
@description('A client that may call the server.')
type allowedClientType = {
  @description('Who it is, for readers.')
  name: string
  @description('Its app id; publicClient: the public client that this template declares.')
  appId: string
}

@export()
@description('The app ids of clients that may call.')
func appIdsOf(clients allowedClientType[], publicClientId string) string[] =>
  map(clients, client => client.appId == 'publicClient' ? publicClientId : client.appId)

@export()
@description('A custom domain that is bound to the container app.')
type customDomainType = {
  @description('Host name.')
  name: string
  @description('Id of its certificate.')
  certificateId: string?
  @description('How the certificate is bound.')
  bindingType: string?
}

@export()
@description('https://mcp.contoso.com of https://mcp.contoso.com/mcp. Clients send the URL as it is written and Entra ID compares it character by character: https, lower case, no trailing slash.')
func mcpOrigin(url string) string =>
  startsWith(url, 'https://') && endsWith(url, '/mcp') && length(split(url, '/')) == 4 && url == toLower(url)
    ? join(take(split(url, '/'), 3), '/')
    : fail('EXTRA_SERVER_URLS: ${url} is not of the form https://mcp.contoso.com/mcp (https, lower case, no trailing slash).')

@export()
@description('Whether it is an https URL of a host with the path /mcp and nothing else.')
func isMcpUrl(url string) bool =>
  startsWith(url, 'https://') && endsWith(url, '/mcp') && length(split(url, '/')) == 4 && !empty(split('${url}///', '/')[2]) && !contains(url, '@') && !contains(url, '?') && !contains(url, '#') && !contains(url, ' ')

@export()
@description('Whether it is an http URL of this machine with the path /mcp and nothing else.')
func isLocalMcpUrl(url string) bool =>
  !empty(filter(['localhost', '127.0.0.1', '[::1]'], host =>
    url == 'http://${host}/mcp' || startsWith(url, 'http://${host}:') && isMcpUrl(replace(url, 'http://', 'https://'))))

@export()
@description('Whether it is the origin of a page: https, or http of this machine, a host and nothing else, in lower case.')
func isOrigin(origin string) bool =>
  origin == toLower(origin) && (isMcpUrl('${origin}/mcp') || isLocalMcpUrl('${origin}/mcp'))
