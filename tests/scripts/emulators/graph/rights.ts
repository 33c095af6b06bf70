import type { Directory } from '../../../../scripts/emulators/directory.ts'
import type { Caller } from '../../../../scripts/emulators/graph/access.ts'
import { denied } from '../../../../scripts/emulators/graph/errors.ts'
import type { Call } from './endpoint.ts'
import type { AuthorizationPolicy } from './managed-directory.ts'
import { ROLE_TEMPLATES, type RoleName } from './permissions.ts'

const APPLICATION_READ = [
  'Application.Read.All',
  'Application.ReadWrite.All',
  'Application.ReadWrite.OwnedBy',
]
const DIRECTORY_READ = ['Directory.Read.All', 'Directory.ReadWrite.All']
const GROUP_READ = ['Group.Read.All', 'Group.ReadWrite.All', ...DIRECTORY_READ]

/** Any of these permissions, delegated or as an application, lets its holder read. */
const READERS = {
  applications: [...APPLICATION_READ, ...DIRECTORY_READ],
  appRoleAssignments: [...APPLICATION_READ, 'AppRoleAssignment.ReadWrite.All', ...DIRECTORY_READ],
  groups: ['GroupMember.Read.All', ...GROUP_READ],
  permissionGrants: [
    'DelegatedPermissionGrant.Read.All',
    'DelegatedPermissionGrant.ReadWrite.All',
    ...DIRECTORY_READ,
  ],
  users: ['User.ReadBasic.All', 'User.Read.All', 'User.ReadWrite.All', ...DIRECTORY_READ],
  policies: ['Policy.Read.All'],
}

interface Right {
  permissions: string[]
  /** Directory roles that a user needs besides: one of them, or ownership, or what the tenant lets everybody do. */
  roles: RoleName[]
  everybody?: keyof AuthorizationPolicy
}

const APP_ADMINS: RoleName[] = [
  'Global Administrator',
  'Application Administrator',
  'Cloud Application Administrator',
]
const GROUP_ADMINS: RoleName[] = ['Global Administrator', 'Groups Administrator', 'User Administrator']
const APP_WRITE = ['Application.ReadWrite.All', 'Directory.ReadWrite.All']
const GROUP_WRITE = ['Group.ReadWrite.All', 'Directory.ReadWrite.All']

const RIGHTS = {
  createApplication: {
    permissions: APP_WRITE,
    roles: [...APP_ADMINS, 'Application Developer'],
    everybody: 'allowedToCreateApps',
  },
  changeApplication: { permissions: APP_WRITE, roles: APP_ADMINS },
  createGroup: {
    permissions: GROUP_WRITE,
    roles: GROUP_ADMINS,
    everybody: 'allowedToCreateSecurityGroups',
  },
  changeGroup: { permissions: GROUP_WRITE, roles: GROUP_ADMINS },
  assignAppRole: {
    permissions: ['AppRoleAssignment.ReadWrite.All'],
    roles: [...APP_ADMINS, 'User Administrator'],
  },
  /** Application permissions of Microsoft Graph itself: whoever grants them can become anybody. */
  assignGraphRole: {
    permissions: ['AppRoleAssignment.ReadWrite.All'],
    roles: ['Global Administrator', 'Privileged Role Administrator'],
  },
  grantPermission: { permissions: ['DelegatedPermissionGrant.ReadWrite.All'], roles: APP_ADMINS },
} satisfies Record<string, Right>
export type RightName = keyof typeof RIGHTS

/**
 * The recycle bin opens to directory roles only: owning what lies in it does not count, neither to look nor to purge.
 * Source: "deletedItem" in the Graph reference, the roles of every operation.
 */
const BIN: Record<'applications' | 'groups', Right> = {
  applications: { permissions: APP_WRITE, roles: [...APP_ADMINS, 'Hybrid Identity Administrator'] },
  groups: { permissions: GROUP_WRITE, roles: GROUP_ADMINS },
}

/** Everything a person with this permission may do, he does himself: the role decides alone. */
const AS_USER = 'Directory.AccessAsUser.All'

const holds = (caller: Caller, permissions: string[]) =>
  permissions.some((name) => caller.permissions.has(name)) ||
  (caller.kind === 'user' && caller.permissions.has(AS_USER))

/** Throws the 403 of Graph unless the caller may read this. Every member of a tenant may, given the permission. */
export function demandReading({ caller }: Call, what: keyof typeof READERS): void {
  // Policies are the exception: acting as the user is not enough to see them.
  const asUser = caller.kind === 'user' && what !== 'policies' && caller.permissions.has(AS_USER)
  if (!asUser && !READERS[what].some((name) => caller.permissions.has(name))) throw denied()
}

/** Throws the 403 of Graph. `owners`: ids of those who may, because the object is theirs. */
export function demandRight(
  { directory, caller }: Call,
  name: RightName,
  owners: readonly string[] = [],
): void {
  const right: Right = RIGHTS[name]
  const owns = owners.includes(caller.id)
  if (caller.kind === 'app') {
    const isApp = name === 'createApplication' || (name === 'changeApplication' && owns)
    const asOwner = isApp && caller.permissions.has('Application.ReadWrite.OwnedBy')
    if (!holds(caller, right.permissions) && !asOwner) throw denied()
    return
  }
  const may =
    owns ||
    hasRole(directory, caller, right.roles) ||
    (right.everybody !== undefined && directory.authorizationPolicy[right.everybody])
  if (!may || !holds(caller, right.permissions)) throw denied()
}

const hasRole = (directory: Directory, { id }: Caller, anyOf: readonly RoleName[]) => {
  const held = directory.rolesOf(id)
  return anyOf.some((role) => held.has(ROLE_TEMPLATES[role]))
}

/** Throws the 403 of Graph unless the caller may see this part of the recycle bin. */
export function demandBinReading(call: Call, what: keyof typeof BIN): void {
  demandReading(call, what)
  if (call.caller.kind === 'user' && !hasRole(call.directory, call.caller, BIN[what].roles)) throw denied()
}

/** Throws the 403 of Graph unless the caller may restore and purge what lies in this part of the recycle bin. */
export function demandBinRight(call: Call, what: keyof typeof BIN, owners: readonly string[]): void {
  const { directory, caller } = call
  if (caller.kind === 'app')
    demandRight(call, what === 'groups' ? 'changeGroup' : 'changeApplication', owners)
  else if (!holds(caller, BIN[what].permissions) || !hasRole(directory, caller, BIN[what].roles))
    throw denied()
}
