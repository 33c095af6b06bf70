import { randomUUID } from 'node:crypto'
import { Router } from 'express'
import type { Group } from '../directory-objects.ts'
import { parseBody } from './body.ts'
import {
  type Call,
  created,
  done,
  endpoint,
  type Graph,
  list,
  one,
  prefersCreation,
  type Reply,
} from './endpoint.ts'
import { denied, duplicateValues, notFound, requestError, takenValue } from './errors.ts'
import { GROUP, GROUP_FILTERS, GroupPatch, groupView } from './group-schema.ts'
import { keyOf } from './keys.ts'
import { indexed, mustFind } from './lookup.ts'
import { objectView } from './objects.ts'
import { deleteGroup } from './recycle-bin.ts'
import { relatable, relationshipRoutes } from './relationships.ts'
import { demandReading, demandRight } from './rights.ts'

/** Only plain security groups: anything else needs rights or services that this tenant has not. */
function checkKind({ isAssignableToRole, groupTypes = [], mailEnabled }: GroupPatch): void {
  if (isAssignableToRole) throw denied()
  if (groupTypes.length > 0 || mailEnabled)
    throw requestError("Invalid value specified for property 'groupTypes' of resource 'Group'.")
}

const REQUIRED = ['displayName', 'mailEnabled', 'mailNickname', 'securityEnabled'] as const

function create(graph: Graph, { caller }: Call, patch: GroupPatch): Reply {
  const { directory, replication } = graph
  demandRight(directory, caller, 'createGroup')
  checkKind(patch)
  const missing = REQUIRED.find((name) => patch[name] === undefined)
  if (missing) throw requestError(`A value is required for property '${missing}' of resource 'Group'.`)
  const all = [...directory.groups, ...directory.deletedItems.groups]
  if (patch.uniqueName !== undefined && all.some(({ uniqueName }) => uniqueName === patch.uniqueName))
    throw takenValue('uniqueName')
  const owners = (patch['owners@odata.bind'] ?? []).map((one) =>
    relatable(graph, one, ['user', 'servicePrincipal']),
  )
  // Whoever creates a group owns it already.
  if (owners.includes(caller.id)) throw duplicateValues()
  const kinds = ['user', 'group', 'servicePrincipal'] as const
  const members = (patch['members@odata.bind'] ?? []).map((one) => relatable(graph, one, kinds))
  const group = {
    id: randomUUID(),
    displayName: patch.displayName ?? '',
    description: patch.description ?? null,
    uniqueName: patch.uniqueName ?? null,
    mailNickname: patch.mailNickname ?? '',
    mailEnabled: false,
    securityEnabled: patch.securityEnabled ?? true,
    visibility: patch.visibility ?? null,
    createdDateTime: new Date(graph.entra.now()).toISOString(),
    members: [...new Set(members)],
    owners: [caller.id, ...owners],
  }
  directory.groups.push(group)
  replication.created('group', group.id)
  return created(groupView(group))
}

function change(graph: Graph, call: Call, group: Group, patch: GroupPatch): Reply {
  demandRight(graph.directory, call.caller, 'changeGroup', group.owners)
  checkKind(patch)
  const {
    'members@odata.bind': added = [],
    'owners@odata.bind': _,
    groupTypes: __,
    isAssignableToRole: ___,
    ...rest
  } = patch
  if (rest.uniqueName !== undefined && group.uniqueName !== null && rest.uniqueName !== group.uniqueName)
    throw requestError("Property 'uniqueName' is immutable and cannot be changed once it is set.")
  const members = added.map((reference) => relatable(graph, reference, ['user', 'group', 'servicePrincipal']))
  if (members.some((id) => group.members.includes(id)))
    throw requestError(
      "One or more added object references already exist for the following modified properties: 'members'.",
    )
  graph.replication.changed('group', structuredClone(group))
  group.members.push(...members)
  Object.assign(group, Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)))
  return done
}

function upsert(graph: Graph, call: Call): Reply {
  const { groups } = graph.directory
  const key = keyOf(call.param('key'))
  const patch = parseBody(GroupPatch, call.body, GROUP)
  if (!prefersCreation(call)) return change(graph, call, mustFind(graph, 'group', groups, key), patch)
  const group = indexed(groups, key)
  if (group) return change(graph, call, group, patch)
  if (key.property !== 'uniqueName') throw notFound(key.value)
  return create(graph, call, { ...patch, uniqueName: key.value })
}

/** /groups, their members and owners. */
export function groupRoutes(graph: Graph): Router {
  const { directory, replication } = graph
  const isGroup = (item: object): item is Group => 'securityEnabled' in item
  const read = (call: Call) => {
    demandReading(call.caller, 'groups')
    return mustFind(graph, 'group', directory.groups, keyOf(call.param('key')))
  }
  const write = (call: Call) => {
    const group = mustFind(graph, 'group', directory.groups, keyOf(call.param('key')))
    demandRight(directory, call.caller, 'changeGroup', group.owners)
    return group
  }
  const router = Router()
  router
    .route('/groups')
    .get(
      endpoint(graph, (call) => {
        demandReading(call.caller, 'groups')
        const listed = replication.listed('group', directory.groups, isGroup)
        return list(graph, call, listed.map(groupView), GROUP_FILTERS, 'Group')
      }),
    )
    .post(endpoint(graph, (call) => create(graph, call, parseBody(GroupPatch, call.body, GROUP))))
  router
    .route('/groups/:key')
    .get(endpoint(graph, (call) => one(call, groupView(read(call)))))
    .patch(endpoint(graph, (call) => upsert(graph, call)))
    .delete(
      endpoint(graph, (call) => {
        deleteGroup(graph, write(call))
        return done
      }),
    )
  router.get(
    '/groups/:key/transitiveMembers',
    endpoint(graph, (call) => {
      const views = transitiveMembers(graph, read(call)).flatMap((id) => objectView(directory, id))
      return list(graph, call, views, { id: ['eq'] }, 'DirectoryObject')
    }),
  )
  const members = { read, write, kinds: ['user', 'group', 'servicePrincipal'] as const }
  router.use(relationshipRoutes(graph, '/groups/:key', 'members', members))
  router.use(
    relationshipRoutes(graph, '/groups/:key', 'owners', { read, write, kinds: ['user', 'servicePrincipal'] }),
  )
  return router
}

/** Each once, nested groups and their members included; a circle of groups ends. */
function transitiveMembers({ directory }: Graph, group: Group): string[] {
  const found = new Set(group.members)
  for (const id of found) {
    for (const member of directory.groups.find((other) => other.id === id)?.members ?? []) found.add(member)
  }
  return [...found]
}
