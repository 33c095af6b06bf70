import type { Directory } from '../directory.ts'
import type { Group, User } from '../directory-objects.ts'
import { demand, type UserCaller, userOf } from './access.ts'
import { addressOf, type Call, type Reads } from './endpoint.ts'
import { unsupportedQuery } from './errors.ts'
import { listQuery, one, page } from './query.ts'

/** A user as Graph shows one when nothing is selected. */
export const profile = ({ id, displayName, givenName, surname, mail, userPrincipalName }: User) => ({
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

function me({ caller }: Call): UserCaller {
  const user = userOf(caller)
  demand(user, ...ME_READERS)
  return user
}

type Membership = (caller: UserCaller, directory: Directory) => object[]

export const groupsOf: Membership = (caller, directory) =>
  directory.transitiveGroups(caller.id).map((group) => membership(group, caller))

/** What the caller is a member of; `cast`: the address names one kind of it. */
export const memberships =
  (membershipsOf: Membership, { cast }: { cast: boolean }) =>
  (call: Call) => {
    const caller = me(call)
    const query = listQuery(call.request, { id: 'eq' }, 'DirectoryObject')
    // Casts and filters on memberships are "advanced queries", which Graph wants asked for by name.
    if ((cast || query.filter) && !query.advanced)
      throw unsupportedQuery('Request needs the header ConsistencyLevel: eventual and $count=true.')
    return page(membershipsOf(caller, call.directory), query, call.settings, addressOf(call))
  }

/** Who am I, and in which groups? */
export const ME: Reads = {
  '/me': (call) => one(profile(me(call).user), call.request),
  '/me/transitiveMemberOf/microsoft.graph.group': memberships(groupsOf, { cast: true }),
}
