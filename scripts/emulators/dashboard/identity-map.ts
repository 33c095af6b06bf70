import type { Directory } from '../directory.ts'
import type { Application } from '../directory-objects.ts'
import { type Html, html } from '../entra/page.ts'
import type { Call, Dashboard } from './dashboard.ts'

type Kind = 'client' | 'group' | 'identity' | 'api'
type Node = Readonly<{ title: string; kind: Kind }>
type Edge = Readonly<{ from: Node; to: Node; label: string; isUsed: boolean }>

const WIDTH = 1040
const NODE = { width: 210, height: 34, step: 46 }
const APP_X = (WIDTH - NODE.width) / 2
const RIGHT_X = WIDTH - NODE.width

const words = (text: unknown) => String(text ?? '').split(' ')

/** The server's app, as it is registered and as it is drawn, and the call whose way is shown. */
type Scene = Readonly<{
  directory: Directory
  api: Application
  principalId: string | undefined
  app: Node
  call: Call | undefined
}>

/** Clients that need no prompt; used by whoever called with one of them. */
function clientEdges({ directory, api, app, call }: Scene): Edge[] {
  return api.api.preAuthorizedApplications.map(({ appId, delegatedPermissionIds }) => {
    const scopes = api.api.oauth2PermissionScopes.filter(({ id }) => delegatedPermissionIds.includes(id))
    return {
      from: { title: directory.application(appId)?.displayName ?? appId, kind: 'client' },
      to: app,
      label: 'no prompt',
      isUsed:
        appId === call?.decision.client && scopes.some(({ value }) => words(call.token?.scp).includes(value)),
    }
  })
}

/** Who is assigned to the app; Entra looks at it when it issues a token. */
function assignedEdges({ directory, principalId, app, call }: Scene): Edge[] {
  const { groups, servicePrincipals, appRoleAssignments } = directory
  const assigned = appRoleAssignments
    .filter(({ resourceId }) => resourceId === principalId)
    .map((one) => one.principalId)
  const holders = [
    ...groups.map((group) => ({ ...group, kind: 'group' as const })),
    ...servicePrincipals.map(({ id, displayName }) => ({
      ...{ id, displayName, members: [id] },
      kind: 'client' as const,
    })),
  ]
  return holders
    .filter(({ id }) => assigned.includes(id))
    .map(({ displayName: title, kind, members }) => ({
      from: { title, kind },
      to: app,
      label: 'assigned',
      isUsed: members.includes(call?.decision.oid ?? ''),
    }))
}

/** Who signs in as the app, without a secret. */
function identityEdges({ directory, api, app, call }: Scene): Edge[] {
  const subjects = api.federatedIdentityCredentials.map(({ subject }) => subject)
  return directory.servicePrincipals
    .filter(({ id }) => subjects.includes(id))
    .map(({ id, displayName: title }) => ({
      from: { title, kind: 'identity' },
      to: app,
      label: 'signs in as',
      isUsed: call?.decision.obo === 'fetched' && call.proof?.sub === id,
    }))
}

/** What the app may call on behalf of everybody. */
function grantEdges({ directory, principalId, app, call }: Scene): Edge[] {
  const { oauth2PermissionGrants, servicePrincipals } = directory
  return oauth2PermissionGrants
    .filter(({ clientId }) => clientId === principalId)
    .map(({ resourceId, scope }) => {
      const api = servicePrincipals.find(({ id }) => id === resourceId)
      const isUsed = (call?.exchanged ?? []).some(
        ({ aud }) => directory.resource(String(aud))?.appId === api?.appId,
      )
      const to: Node = { title: api?.displayName ?? resourceId, kind: 'api' }
      return { from: app, to, label: scope, isUsed }
    })
}

type Placed = Readonly<{ edge: Edge; x: number; y: number }>

/** One under the other, around the middle of the picture. */
const stacked = (edges: readonly Edge[], x: number, height: number): Placed[] =>
  edges.map((edge, index) => ({
    edge,
    x,
    y: (height - edges.length * NODE.step) / 2 + index * NODE.step + (NODE.step - NODE.height) / 2,
  }))

const box = ({ title, kind }: Node, x: number, y: number, isUsed: boolean) =>
  html`<g class="${kind}${isUsed ? ' used' : ''}"><rect x="${x}" y="${y}" rx="6"
width="${NODE.width}" height="${NODE.height}"/><text x="${x + NODE.width / 2}"
y="${y + NODE.height / 2 + 5}">${title}</text></g>`

type Point = readonly [x: number, y: number]

/** From the right side of one box to the left side of another. */
function line({ isUsed }: Edge, [x1, y1]: Point, [x2, y2]: Point): Html {
  const middle = (x1 + x2) / 2
  const curve = `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`
  return html`<path class="edge${isUsed ? ' used' : ''}" d="${curve}"/>`
}

/** Where a line begins or ends at a box of its own, the others being far. */
const caption = ({ label, isUsed }: Edge, [x, y]: Point, anchor: 'start' | 'end') =>
  html`<text class="${anchor}${isUsed ? ' used' : ''}" x="${x}" y="${y - 5}">${label}</text>`

/** The declared identities of the server; what the call has used is drawn thick, and said in words below. */
export function identityMap({ directory, apiAppId }: Dashboard, call?: Call): Html {
  const api = directory.application(apiAppId)
  if (!api) return html``
  const principalId = directory.servicePrincipal(api.appId)?.id
  const app: Node = { title: api.displayName, kind: 'api' }
  const scene = { directory, api, principalId, app, call }
  const left = [...clientEdges(scene), ...assignedEdges(scene), ...identityEdges(scene)]
  const right = grantEdges(scene)
  const height = Math.max(left.length, right.length) * NODE.step
  const middle = height / 2
  const half = NODE.height / 2
  const sources = stacked(left, 0, height)
  const targets = stacked(right, RIGHT_X, height)
  const used = [...left, ...right].filter(({ isUsed }) => isUsed)
  return html`<svg viewBox="-4 -4 ${WIDTH + 8} ${height + 8}" role="img" aria-label="Identity map">
${sources.map(({ edge, x, y }) => line(edge, [x + NODE.width, y + half], [APP_X, middle]))}
${targets.map(({ edge, x, y }) => line(edge, [APP_X + NODE.width, middle], [x, y + half]))}
${sources.map(({ edge, x, y }) => caption(edge, [x + NODE.width + 8, y + half], 'start'))}
${targets.map(({ edge, x, y }) => caption(edge, [x - 8, y + half], 'end'))}
${sources.map(({ edge, x, y }) => box(edge.from, x, y, edge.isUsed))}
${box(app, APP_X, middle - half, used.length > 0)}
${targets.map(({ edge, x, y }) => box(edge.to, x, y, edge.isUsed))}
</svg>
<ul>${used.map(({ from, to, label }) => html`<li>${from.title} → ${to.title}: ${label}</li>`)}</ul>`
}
