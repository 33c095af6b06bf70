import type { DirectoryRole, Group, User } from '../directory-objects.ts'
import { demand, type UserCaller, userOf } from './access.ts'
import { addressOf, type Call, ok, one, type Reply, type Routes } from './endpoint.ts'
import { notFound, unsupportedQuery } from './errors.ts'
import { keyOf } from './lookup.ts'
import { listQuery, page } from './query.ts'
import { demandReading } from './rights.ts'

/** A user as Graph shows one when nothing is selected. */
const profile = ({ id, displayName, givenName, surname, mail, userPrincipalName }: User) => ({
  businessPhones: [],
  displayName,
  givenName,
  jobTitle: null,
  mail,
  mobilePhone: null,
  officeLocation: null,
  preferredLanguage: null,
  surname,
  userPrincipalName,
  id,
})

const roleView = ({ id, displayName, roleTemplateId }: DirectoryRole) => ({
  '@odata.type': '#microsoft.graph.directoryRole',
  id,
  displayName,
  description: null,
  roleTemplateId,
})

/** All read-only. */
export const PEOPLE_ROUTES: Routes = {
  '/users/:key': {
    get: (call) => {
      demandReading(call, 'users')
      const { value } = keyOf(call.param('key'))
      const user = call.directory.user(value)
      if (!user) throw notFound(value)
      return one(call, profile(user))
    },
  },
  '/policies/authorizationPolicy': {
    get: (call) => {
      demandReading(call, 'policies')
      const defaultUserRolePermissions = call.directory.authorizationPolicy
      return one(call, { id: 'authorizationPolicy', defaultUserRolePermissions })
    },
  },
}

const GROUP_READERS = ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All']

/** With User.Read alone Graph tells that a membership exists, but only its id: the rest is null. */
function membership(group: Group, { permissions }: UserCaller) {
  const readable = [...GROUP_READERS, 'Group.ReadWrite.All'].some((name) => permissions.has(name))
  const { id, displayName, description, mailNickname, mailEnabled, securityEnabled } = group
  const details = { displayName, description, mailNickname, mailEnabled, securityEnabled }
  const shown = readable ? details : Object.fromEntries(Object.keys(details).map((name) => [name, null]))
  return { '@odata.type': '#microsoft.graph.group', id, ...shown }
}

const ME_READERS = [
  'User.Read',
  'User.ReadBasic.All',
  'User.Read.All',
  'User.ReadWrite.All',
  ...GROUP_READERS,
]

const mine =
  (answer: (user: UserCaller, call: Call) => object) =>
  (call: Call): Reply => {
    const caller = userOf(call.caller)
    demand(caller, ...ME_READERS)
    return ok(answer(caller, call))
  }

const memberOf = (cast?: 'group' | 'directoryRole') =>
  mine((caller, call) => {
    const { directory, request } = call
    const query = listQuery(request, { id: 'eq' }, 'DirectoryObject')
    // Casts and filters on memberships are "advanced queries", which Graph wants asked for by name.
    if ((cast || query.filter) && !query.advanced)
      throw unsupportedQuery('Request needs the header ConsistencyLevel: eventual and $count=true.')
    const { id } = caller
    const groups = directory.transitiveGroups(id)
    const roles = directory.directoryRoles.filter(({ members }) => members.includes(id))
    const items = [
      ...(cast === 'directoryRole' ? [] : groups.map((group) => membership(group, caller))),
      ...(cast === 'group' ? [] : roles.map(roleView)),
    ]
    return page(items, query, call.settings, addressOf(call))
  })

/** Who am I, in which groups, with which roles? */
export const ME_ROUTES: Routes = {
  '/me': { get: mine(({ user }) => profile(user)) },
  '/me/transitiveMemberOf': { get: memberOf() },
  '/me/transitiveMemberOf/microsoft.graph.group': { get: memberOf('group') },
  '/me/transitiveMemberOf/microsoft.graph.directoryRole': { get: memberOf('directoryRole') },
}
