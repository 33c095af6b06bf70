import { type RequestHandler, Router } from 'express'
import { z } from 'zod'
import type { Group } from '../directory-objects.ts'
import { demand, type UserCaller, userOf } from './access.ts'
import { addressOf, type Call, endpoint, type Graph, ok } from './endpoint.ts'
import { badRequest, unsupportedQuery } from './errors.ts'
import { profile, roleView } from './people.ts'
import { listQuery, page } from './query.ts'

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

type Cast = 'group' | 'directoryRole' | undefined

/** /me: who am I, in which groups, with which roles? */
export function meRoutes(graph: Graph): Router {
  const { directory } = graph
  const mine = (answer: (user: UserCaller, call: Call) => object): RequestHandler =>
    endpoint(graph, (call) => {
      const caller = userOf(call.caller)
      demand(
        caller,
        'User.Read',
        'User.ReadBasic.All',
        'User.Read.All',
        'User.ReadWrite.All',
        ...GROUP_READERS,
      )
      return ok(answer(caller, call))
    })
  const memberOf = (cast: Cast, transitive: boolean) =>
    mine((caller, { request }) => {
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
      return page(items, query, graph.settings, addressOf(graph, request))
    })
  const router = Router()
  router.get(
    '/me',
    mine(({ user }) => profile(user)),
  )
  for (const [path, transitive] of [
    ['/me/memberOf', false],
    ['/me/transitiveMemberOf', true],
  ] as const) {
    router.get(path, memberOf(undefined, transitive))
    router.get(`${path}/microsoft.graph.group`, memberOf('group', transitive))
    router.get(`${path}/microsoft.graph.directoryRole`, memberOf('directoryRole', transitive))
  }
  router.post(
    '/me/checkMemberGroups',
    mine(({ id }, { body }) => {
      const parsed = GroupIds.safeParse(body)
      if (!parsed.success) throw badRequest('groupIds must hold 1 to 20 object ids.')
      const member = new Set(directory.transitiveGroups(id).map((group) => group.id))
      return { value: parsed.data.groupIds.filter((group) => member.has(group.toLowerCase())) }
    }),
  )
  return router
}
