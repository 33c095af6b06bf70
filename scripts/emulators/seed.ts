import type { Permissions } from '../../app/permissions.ts'
import { DEFAULT_ACCESS, Directory } from './directory.ts'
import type { Application, ServicePrincipal } from './directory-objects.ts'
import { GRAPH_APP_ID, isDownstream, microsoftApplications } from './microsoft-apps.ts'
import type { SearchRole } from './search/access.ts'
import * as apps from './seed/apps.ts'
import { azureSeed } from './seed/azure.ts'
import * as people from './seed/people.ts'

const principal = (id: string, appId: string, displayName: string): ServicePrincipal => ({
  id,
  appId,
  displayName,
  servicePrincipalType: 'Application',
  accountEnabled: true,
  appRoleAssignmentRequired: false,
})

/** First-party apps have a service principal in every tenant; its id differs, so one is made from the appId. */
const principalIdOf = (appId: string) => `9${appId.slice(1)}`

function servicePrincipals(firstParty: readonly Application[]): ServicePrincipal[] {
  return [
    { ...principal(apps.API_PRINCIPAL, apps.API_APP_ID, 'Expenses server'), appRoleAssignmentRequired: true },
    principal(apps.CLIENT_PRINCIPAL, apps.CLIENT_APP_ID, 'Expenses client'),
    {
      ...principal(
        apps.MANAGED_IDENTITY.principalId,
        apps.MANAGED_IDENTITY.clientId,
        'expenses-server-identity',
      ),
      servicePrincipalType: 'ManagedIdentity',
    },
    ...firstParty.map(({ appId, displayName }) => principal(principalIdOf(appId), appId, displayName)),
  ]
}

/** Admin consent for everything the server calls on a user's behalf: without it OBO ends in AADSTS65001. */
const adminConsent = ({ downstreamApis }: Permissions) =>
  downstreamApis.map(({ appId, permissions }, index) => ({
    id: `grant-${index + 1}`,
    clientId: apps.API_PRINCIPAL,
    consentType: 'AllPrincipals' as const,
    principalId: null,
    resourceId: principalIdOf(appId),
    scope: permissions.map(({ value }) => value).join(' '),
  }))

const carolsStepUp = () => ({
  id: 'c8daf72e-3adb-4605-a18c-e527b9cda039',
  displayName: 'Second factor for Microsoft Graph',
  state: 'enabled' as const,
  conditions: {
    users: { includeUsers: [people.carol.id] },
    applications: { includeApplications: [GRAPH_APP_ID] },
  },
  grantControls: { operator: 'OR' as const, builtInControls: ['mfa' as const] },
})

/** As infra/access.bicep gives them: the server asks, who deploys defines the index and fills it. */
const searchRoles = (): SearchRole[] => [
  { principalId: apps.MANAGED_IDENTITY.principalId, role: 'Search Index Data Reader' },
  { principalId: people.OLIVIA, role: 'Search Service Contributor' },
  { principalId: people.OLIVIA, role: 'Search Index Data Contributor' },
]

/** The tenant of `npm start`; a fresh copy at each call, so that tests may change it. */
export function seedDirectory({
  mcpUrls,
  permissions,
}: Readonly<{ mcpUrls: readonly string[]; permissions: Permissions }>) {
  const firstParty = microsoftApplications(permissions)
  // Not every tenant has met every API: one that nobody asks for has no service principal here.
  const asked = new Set(permissions.downstreamApis.map(({ appId }) => appId))
  const isKnown = ({ appId }: Application) => !isDownstream(appId) || asked.has(appId)
  const users = [people.alice, people.bob, people.carol, people.dave].map((person) => ({ ...person }))
  const deployers = people.operators()
  const directory = new Directory({
    users: [...users, ...deployers],
    groups: people.groups(),
    applications: [apps.apiApplication(mcpUrls, permissions), apps.clientApplication(permissions)],
    microsoftApplications: firstParty,
    servicePrincipals: servicePrincipals(firstParty.filter(isKnown)),
    oauth2PermissionGrants: adminConsent(permissions),
    appRoleAssignments: [
      {
        id: 'assignment-1',
        appRoleId: DEFAULT_ACCESS,
        principalId: people.USERS,
        principalType: 'Group',
        resourceId: apps.API_PRINCIPAL,
      },
    ],
    conditionalAccessPolicies: [carolsStepUp()],
    directoryRoles: people.directoryRoles(),
  })
  return {
    directory,
    moreToTry: people.moreToTry,
    azure: azureSeed(),
    tenantId: apps.TENANT_ID,
    /** Public client with loopback redirects, for clients of one's own. */
    clientId: apps.CLIENT_APP_ID,
    apiAppId: apps.API_APP_ID,
    adminGroupId: people.ADMINS,
    usersGroupId: people.USERS,
    searchRoles: searchRoles(),
    managedIdentity: { ...apps.MANAGED_IDENTITY },
    users: users.map((person) => ({
      name: person.givenName ?? person.displayName,
      upn: person.userPrincipalName,
      oid: person.id,
      admin: directory.transitiveGroups(person.id).some(({ id }) => id === people.ADMINS),
    })),
    /** Those who deploy. */
    operators: deployers.map(({ id, displayName, givenName, userPrincipalName }) => ({
      name: givenName ?? displayName,
      upn: userPrincipalName,
      oid: id,
    })),
  }
}
