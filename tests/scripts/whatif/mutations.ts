/** What people do to a directory by hand. */
import { randomUUID } from 'node:crypto'
import type { Directory } from '../../../scripts/emulators/directory.ts'
import type { Application, PermissionScope } from '../../../scripts/emulators/directory-objects.ts'
import type { ManagedDirectory } from '../emulators/graph/managed-directory.ts'

export interface Hand {
  directory: ManagedDirectory
  /** Which of several; it may be larger than there are. */
  which: number
}
type Mutation = (hand: Hand) => void

const one = <T>(list: readonly T[], which: number): T | undefined => list[which % Math.max(list.length, 1)]
const onApp =
  (change: (app: Application, hand: Hand) => void): Mutation =>
  (hand) => {
    const app = one(hand.directory.applications, hand.which)
    if (app) change(app, hand)
  }
const cut = (list: unknown[], which: number) => void list.splice(which % Math.max(list.length, 1), 1)
const strange = (isEnabled: boolean): PermissionScope => ({
  id: randomUUID(),
  value: `strange-${randomUUID().slice(0, 8)}`,
  type: 'User',
  isEnabled,
  adminConsentDisplayName: 'x',
  adminConsentDescription: 'x',
  userConsentDisplayName: null,
  userConsentDescription: null,
})
const onPrincipal =
  (change: (principal: Directory['servicePrincipals'][number]) => void): Mutation =>
  ({ directory, which }) => {
    const own = directory.servicePrincipals.filter(({ appId }) =>
      directory.applications.some((app) => app.appId === appId),
    )
    const principal = one(own, which)
    if (principal) change(principal)
  }
const onGroup =
  (change: (group: Directory['groups'][number], hand: Hand) => void): Mutation =>
  (hand) => {
    const group = one(hand.directory.groups, hand.which)
    if (group) change(group, hand)
  }

/** Everything that hangs on it goes with it. */
function removePrincipal({ directory }: Hand, appId: string): void {
  const at = directory.servicePrincipals.findIndex((principal) => principal.appId === appId)
  const [gone] = at < 0 ? [] : directory.servicePrincipals.splice(at, 1)
  for (const list of [directory.appRoleAssignments, directory.oauth2PermissionGrants])
    for (let index = list.length - 1; index >= 0; index -= 1)
      if (list[index]?.resourceId === gone?.id) list.splice(index, 1)
  const grants = directory.oauth2PermissionGrants
  for (let index = grants.length - 1; index >= 0; index -= 1)
    if (grants[index]?.clientId === gone?.id) grants.splice(index, 1)
}

export const MUTATIONS: Record<string, Mutation> = {
  'app renamed': onApp((app) => {
    app.displayName = 'by hand'
  }),
  'app notes written': onApp((app) => {
    app.notes = 'by hand'
  }),
  'app tag added': onApp((app) => void app.tags?.push('by-hand')),
  'app tags removed': onApp((app) => {
    app.tags = []
  }),
  'app lists shuffled': onApp((app) => {
    app.publicClient.redirectUris.reverse()
    app.api.preAuthorizedApplications.reverse()
    app.identifierUris.reverse()
  }),
  'identifier URI added': onApp(
    (app) => void app.identifierUris.push(`https://elsewhere.example/${randomUUID()}`),
  ),
  'identifier URI removed': onApp((app, { which }) => cut(app.identifierUris, which)),
  'redirect URI added': onApp((app) => void app.web.redirectUris.push('https://elsewhere.example/cb')),
  'tokens of version 1': onApp((app) => {
    app.api.requestedAccessTokenVersion = 1
  }),
  'audience widened': onApp((app) => {
    app.signInAudience = 'AzureADMultipleOrgs'
  }),
  'logout URL set': onApp((app) => {
    app.web.logoutUrl = 'https://elsewhere.example'
  }),
  'password added': onApp((app, { directory }) => void directory.addPassword(app, 'by hand', new Date(4e12))),
  'requested access removed': onApp((app) => {
    app.requiredResourceAccess = []
  }),
  'scope disabled': onApp((app) => {
    for (const scope of app.api.oauth2PermissionScopes) scope.isEnabled = false
  }),
  'scope text changed': onApp((app) => {
    for (const scope of app.api.oauth2PermissionScopes) scope.userConsentDescription = null
  }),
  'enabled scope added': onApp((app) => void app.api.oauth2PermissionScopes.push(strange(true))),
  'disabled scope added': onApp((app) => void app.api.oauth2PermissionScopes.push(strange(false))),
  'scope and its client added': onApp((app) => {
    const scope = strange(false)
    app.api.oauth2PermissionScopes.push(scope)
    app.api.preAuthorizedApplications.push({ appId: randomUUID(), delegatedPermissionIds: [scope.id] })
  }),
  'disabled role added': onApp(
    (app) =>
      void app.appRoles.push({
        ...strange(false),
        displayName: 'x',
        description: 'x',
        allowedMemberTypes: ['User'],
      }),
  ),
  'client removed': onApp((app, { which }) => cut(app.api.preAuthorizedApplications, which)),
  'client added': onApp(
    (app) => void app.api.preAuthorizedApplications.push({ appId: randomUUID(), delegatedPermissionIds: [] }),
  ),
  'client narrowed': onApp((app, { which }) => {
    const client = one(app.api.preAuthorizedApplications, which)
    if (client) client.delegatedPermissionIds = []
  }),
  'federated credential removed': onApp((app) => {
    app.federatedIdentityCredentials.length = 0
  }),
  'federated credential added': onApp(
    (app) =>
      void app.federatedIdentityCredentials.push({
        id: randomUUID(),
        name: 'by-hand',
        issuer: 'https://elsewhere.example',
        subject: 'x',
        audiences: ['x'],
        description: null,
      }),
  ),
  'subject changed': onApp((app) => {
    for (const credential of app.federatedIdentityCredentials) credential.subject = randomUUID()
  }),
  'federated credential renamed': onApp((app) => {
    for (const credential of app.federatedIdentityCredentials) credential.name = 'another-name'
  }),
  'app deleted': (hand) => {
    const { directory, which } = hand
    const [app] = directory.applications.splice(which % directory.applications.length, 1)
    if (!app) return
    removePrincipal(hand, app.appId)
    directory.deletedItems.applications.push({ ...app, deletedDateTime: new Date().toISOString() })
  },
  'principal deleted': (hand) => {
    const app = one(hand.directory.applications, hand.which)
    if (app) removePrincipal(hand, app.appId)
  },
  'principal disabled': onPrincipal((principal) => {
    principal.accountEnabled = false
  }),
  'assignment requirement turned': onPrincipal((principal) => {
    principal.appRoleAssignmentRequired = !principal.appRoleAssignmentRequired
  }),
  'principal described': onPrincipal((principal) => {
    principal.description = 'by hand'
  }),
  'group described': onGroup((group) => {
    group.description = 'by hand'
  }),
  'member added': onGroup((group, { directory }) => {
    const stranger = directory.users.find(({ id }) => !group.members.includes(id))
    if (stranger) group.members.push(stranger.id)
  }),
  'members removed': onGroup((group) => {
    group.members.length = 0
  }),
  'assignment removed': ({ directory, which }) => cut(directory.appRoleAssignments, which),
  'grant removed': ({ directory, which }) => cut(directory.oauth2PermissionGrants, which),
  'grant widened': ({ directory, which }) => {
    const grant = one(directory.oauth2PermissionGrants, which)
    if (grant) grant.scope += ' Mail.Read'
  },
  'grant emptied': ({ directory, which }) => {
    const grant = one(directory.oauth2PermissionGrants, which)
    if (grant) grant.scope = 'Mail.Read'
  },
}
