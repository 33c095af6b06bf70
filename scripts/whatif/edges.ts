/** The edges of the identity map: each right one, with what a deployment does to it. */

import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { Mapped } from './map.ts'
import { at, list, type Nodes } from './nodes.ts'
import { isObject } from './open.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

export type State = 'same' | 'added' | 'removed' | 'changed'

export interface Edge {
  from: string
  to: string
  label: string
  state: State
}

type Drawn = Omit<Edge, 'state'>

const keyOf = ({ from, to, label }: Drawn) => `${from} ${to} ${label}`

/** Without live edges there is nothing to compare with. */
function compared(wanted: Drawn[], live: Drawn[] | undefined, shown: 'replaced' | 'appended'): Edge[] {
  if (!live) return wanted.map((one) => ({ ...one, state: 'same' }))
  const isIn = (one: Drawn, all: Drawn[]) => all.some((other) => keyOf(other) === keyOf(one))
  const removed = shown === 'replaced' ? live.filter((one) => !isIn(one, wanted)) : []
  return [
    ...wanted.map((one): Edge => ({ ...one, state: isIn(one, live) ? 'same' : 'added' })),
    ...removed.map((one): Edge => ({ ...one, state: 'removed' })),
  ]
}

function clientsOf(app: string, api: Value | Json | undefined, nodes: Nodes): Drawn[] {
  return list(at(api, 'preAuthorizedApplications')).flatMap((client) =>
    list(at(client, 'delegatedPermissionIds')).map((id) => ({
      from: nodes.of(at(client, 'appId'), 'client'),
      to: nodes.scope(app, String(id)),
      label: 'no prompt',
    })),
  )
}

const words = (scope: unknown) => (typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [])

function ofGrant(one: WantedObject, { knowledge }: Mapped, nodes: Nodes): Edge[] {
  const wanted = propertiesOf(one, knowledge)
  const from = nodes.of(wanted.clientId, 'client')
  const to = nodes.of(wanted.resourceId, 'api')
  const draw = (scope: unknown) => words(scope).map((label) => ({ from, to, label }))
  const live = knowledge.isRead(one.key) ? draw(knowledge.live(one.key)?.scope) : undefined
  return compared(draw(wanted.scope), live, one.isMerged ? 'appended' : 'replaced')
}

function ofAssignment(one: WantedObject, { knowledge }: Mapped, nodes: Nodes): Edge[] {
  const wanted = propertiesOf(one, knowledge)
  const edge = {
    from: nodes.of(wanted.principalId, 'group'),
    to: nodes.of(wanted.resourceId, 'api'),
    label: 'assigned',
  }
  return [{ ...edge, state: knowledge.isAbsent(one.key) ? 'added' : 'same' }]
}

function ofCredential(one: WantedObject, { knowledge, changes, objects }: Mapped, nodes: Nodes): Edge[] {
  const wanted = propertiesOf(one, knowledge)
  const [app = '', name = ''] = String(wanted.name).split('/')
  const target = objects.find(({ key }) => key === `applications/${app}`)
  const change = changes.find(({ key }) => key === one.key)
  const edge = {
    from: nodes.named(name, 'identity'),
    to: (target && nodes.ofKey(target.key)) ?? nodes.named(app, 'api'),
    label: 'signs in as',
  }
  return [{ ...edge, state: change ? (change.action === 'create' ? 'added' : 'changed') : 'same' }]
}

/** Requested permissions count where no consent is drawn: somebody else may have granted them. */
function ofRequests(one: WantedObject, mapped: Mapped, nodes: Nodes, granted: ReadonlySet<string>): Edge[] {
  const from = nodes.ofKey(one.key)
  const wanted = propertiesOf(one, mapped.knowledge)
  if (from === undefined) return []
  return list(wanted.requiredResourceAccess).flatMap((api): Edge[] => {
    const appId = at(api, 'resourceAppId')
    if (granted.has(`${from} ${nodeKey(appId)}`)) return []
    const to = nodes.of(appId, 'api')
    const count = list(at(api, 'resourceAccess')).length
    return [{ from, to, label: `asks for ${count} permission${count === 1 ? '' : 's'}`, state: 'same' }]
  })
}

const nodeKey = (appId: Value | undefined) => (appId instanceof Unknown ? appId.text : String(appId))

export function edgesOf(mapped: Mapped, nodes: Nodes): Edge[] {
  const { objects, knowledge } = mapped
  const granted = new Set<string>()
  const edges = objects.flatMap((one): Edge[] => {
    if (one.type === 'oauth2PermissionGrants') {
      const { clientId, resourceId } = propertiesOf(one, knowledge)
      const api = resourceId instanceof Unknown ? resourceId.key?.split('/').at(-1) : undefined
      const drawn = ofGrant(one, mapped, nodes)
      const appId = api ?? knowledge.appIdOf(String(resourceId))
      if (appId !== undefined) granted.add(`${nodes.of(clientId, 'client')} ${appId}`)
      return drawn
    }
    if (one.type === 'appRoleAssignedTo') return ofAssignment(one, mapped, nodes)
    if (one.type === 'applications/federatedIdentityCredentials') return ofCredential(one, mapped, nodes)
    return one.type === 'applications' ? ofClients(one, mapped, nodes) : []
  })
  const requests = objects.flatMap((one) =>
    one.type === 'applications' ? ofRequests(one, mapped, nodes, granted) : [],
  )
  return [...edges, ...requests]
}

function ofClients(one: WantedObject, { knowledge }: Mapped, nodes: Nodes): Edge[] {
  const id = nodes.ofKey(one.key)
  if (id === undefined) return []
  const api = propertiesOf(one, knowledge).api
  const live = knowledge.live(one.key)
  const isSaid = isObject(api) && 'preAuthorizedApplications' in api
  const present = live ? clientsOf(id, live.api, nodes) : knowledge.isAbsent(one.key) ? [] : undefined
  return isSaid ? compared(clientsOf(id, api, nodes), present, 'replaced') : []
}
