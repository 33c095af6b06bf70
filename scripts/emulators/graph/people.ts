import { z } from 'zod'
import type { DirectoryRole, Group, User } from '../directory-objects.ts'
import { demand, type UserCaller, userOf } from './access.ts'
import { addressOf, type Call, list, ok, one, type Reply, type Routes } from './endpoint.ts'
import { badRequest, notFound, unsupportedQuery } from './errors.ts'
import type { Filterable } from './filter.ts'
import { keyOf } from './lookup.ts'
import { listQuery, page } from './query.ts'
import { demandReading } from './rights.ts'

const FILTERS: Filterable = {
  id: ['eq', 'ne', 'in'],
  displayName: ['eq', 'startswith'],
  userPrincipalName: ['eq', 'in', 'startswith', 'endswith'],
  mail: ['eq', 'startswith', 'endswith'],
}

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
  '/users': {
    get: (call) => {
      demandReading(call, 'users')
      return list(call, call.directory.users.map(profile), FILTERS, 'User')
    },
  },
  '/users/:key': {
    get: (call) => {
      demandReading(call, 'users')
      const { value } = keyOf(call.param('key'))
      const user = call.directory.user(value)
      if (!user) throw notFound(value)
      return one(call, profile(user))
    },
  },
  '/organization': {
    get: (call) => {
      demandReading(call, 'organization')
      const domain = { name: 'contoso.example', isDefault: true, isInitial: true, type: 'Managed' }
      const organization = { id: call.entra.tenantId, displayName: 'Contoso', verifiedDomains: [domain] }
      return list(call, [organization], {}, 'Organization')
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

const GroupIds = z.object({ groupIds: z.array(z.guid()).min(1).max(20) })

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

const memberOf = (transitive: boolean, cast?: 'group' | 'directoryRole') =>
  mine((caller, call) => {
    const { directory, request } = call
    const query = listQuery(request, { id: ['eq'] }, 'DirectoryObject')
    // Casts and filters on memberships are "advanced queries", which Graph wants asked for by name.
    if ((cast || query.filter) && !query.advanced)
      throw unsupportedQuery('Request needs the header ConsistencyLevel: eventual and $count=true.')
    const { id } = caller
    const groups = transitive ? directory.transitiveGroups(id) : directory.directGroups(id)
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
  '/me/memberOf': { get: memberOf(false) },
  '/me/memberOf/microsoft.graph.group': { get: memberOf(false, 'group') },
  '/me/memberOf/microsoft.graph.directoryRole': { get: memberOf(false, 'directoryRole') },
  '/me/transitiveMemberOf': { get: memberOf(true) },
  '/me/transitiveMemberOf/microsoft.graph.group': { get: memberOf(true, 'group') },
  '/me/transitiveMemberOf/microsoft.graph.directoryRole': { get: memberOf(true, 'directoryRole') },
  '/me/checkMemberGroups': {
    post: mine(({ id }, { body, directory }) => {
      const parsed = GroupIds.safeParse(body)
      if (!parsed.success) throw badRequest('groupIds must hold 1 to 20 object ids.')
      const member = new Set(directory.transitiveGroups(id).map((group) => group.id))
      return { value: parsed.data.groupIds.filter((group) => member.has(group.toLowerCase())) }
    }),
  },
}
