/** The identity map: who may call what, and what that may call, as a Mermaid flowchart. */
import { Unknown, type Value } from '../bicep/value.ts'
import type { States } from './actual-state.ts'
import type { Change } from './changes.ts'
import { type DesiredObject, resolveObject } from './desired.ts'
import { type Properties, readList, readProperty, splitWords } from './properties.ts'

export type Mapped = States & { changes: readonly Change[] }

/** What a deployment does to a node or an edge. */
type Mark = 'same' | 'added' | 'removed' | 'changed'
type Kind = 'client' | 'scope' | 'api' | 'group' | 'identity'

interface Node {
  id: string
  title: string
  kind: Kind
  mark: Mark
  /** Of a frame: its scopes and roles. */
  inner?: Node[]
}

interface Edge {
  from: string
  to: string
  label: string
  mark: Mark
}

const markOf = (key: string, { changes }: Mapped): Mark => {
  const change = changes.find((one) => one.key === key)
  return change ? (change.action === 'create' ? 'added' : 'changed') : 'same'
}

const scopeId = (app: string, id: Value | undefined) =>
  `${app}_${String(id)
    .replaceAll(/[^0-9a-zA-Z]/g, '')
    .slice(0, 12)}`

/** Scopes and roles. */
const offersOf = (app: Properties) => [
  ...readList(readProperty(app.api, 'oauth2PermissionScopes')),
  ...readList(app.appRoles),
]

/** Those that a deployment takes away come last. Without actual ones there is nothing to compare with. */
function compare<T>(desired: T[], actual: T[] | undefined, keyOf: (one: T) => unknown): [T, Mark][] {
  const isIn = (one: T, all: T[]) => all.some((other) => keyOf(other) === keyOf(one))
  const removed = actual?.filter((one) => !isIn(one, desired)) ?? []
  return [
    ...desired.map((one): [T, Mark] => [one, !actual || isIn(one, actual) ? 'same' : 'added']),
    ...removed.map((one): [T, Mark] => [one, 'removed']),
  ]
}

function drawOffers(app: string, desired: Properties, actual: Properties | undefined): Node[] {
  const idOf = (scope: Value) => readProperty(scope, 'id')
  const offers = compare(offersOf(desired), actual && offersOf(actual), idOf)
  return offers.map(([scope, mark]) => ({
    id: scopeId(app, idOf(scope)),
    title: `${readProperty(scope, 'value')}${readProperty(scope, 'isEnabled') === false ? ' (disabled)' : ''}`,
    kind: 'scope',
    mark,
  }))
}

class Nodes {
  readonly #mapped: Mapped
  readonly #all = new Map<string, Node>()
  /** Node by object id and app id of the actual objects. */
  readonly #ids = new Map<string, string>()

  constructor(mapped: Mapped) {
    this.#mapped = mapped
    const { objects, state } = mapped
    for (const one of objects) if (one.type === 'applications') this.#declare(one, 'client')
    for (const one of objects) if (one.type === 'groups') this.#declare(one, 'group')
    for (const one of objects) {
      const id = one.type === 'servicePrincipals' ? state.get(one.key)?.id : undefined
      if (typeof id === 'string') this.#ids.set(id, this.ofKey(one.key) ?? '')
    }
  }

  get frames(): Node[] {
    return [...this.#all.values()].filter(({ inner }) => inner)
  }

  get others(): Node[] {
    return [...this.#all.values()].filter(({ inner }) => !inner)
  }

  /** An app with its scopes inside; one that offers nothing is a client. */
  #declare(one: DesiredObject, kind: Kind): void {
    const { state, names } = this.#mapped
    const [desired, actual] = [resolveObject(one, state), state.get(one.key)]
    const inner = drawOffers(`app${this.frames.length}`, desired, actual)
    const node = { title: names.titleOf(one.type, desired), kind, mark: markOf(one.key, this.#mapped) }
    const id = this.#add(one.key, inner.length > 0 ? { ...node, inner } : node)
    for (const other of [actual?.id, actual?.appId]) if (typeof other === 'string') this.#ids.set(other, id)
  }

  #add(key: string, node: Omit<Node, 'id'>): string {
    const known = this.#all.get(key)
    if (known) return known.id
    const id = node.inner ? `app${this.frames.length}` : `n${this.others.length}`
    this.#all.set(key, { id, ...node })
    return id
  }

  /** Of a declared object; a service principal is its app. */
  ofKey(key: string): string | undefined {
    const here = this.#all.get(key)?.id
    if (here !== undefined) return here
    const { objects, state } = this.#mapped
    const principal = objects.find((one) => one.key === key && one.type === 'servicePrincipals')
    const appId = principal && resolveObject(principal, state).appId
    if (appId instanceof Unknown) return appId.key === undefined ? undefined : this.ofKey(appId.key)
    return typeof appId === 'string' ? this.#ids.get(appId) : undefined
  }

  /** Of an object id, an app id or what is unknown; a stranger gets a node of its own. */
  of(value: Value | undefined, kind: Kind): string {
    const { names } = this.#mapped
    const isUnknown = value instanceof Unknown
    const declared = isUnknown ? value.key && this.ofKey(value.key) : this.#ids.get(String(value))
    if (declared) return declared
    const text = isUnknown ? value.text : String(value)
    const key = isUnknown ? (value.key ?? text) : (names.ofId(text) ?? text)
    const title = value === undefined ? text : names.of(value)
    // Nobody has looked up what is not declared here: the template knows it by its name.
    return this.named(isUnknown ? title.replace(/^\{(.+)\.id\}$/, '$1') : title, kind, key)
  }

  named(title: string, kind: Kind, key = title): string {
    return this.#add(`${kind}/${key}`, { title, kind, mark: 'same' })
  }

  scope(app: string, scope: Value): string {
    const inner = this.frames.find(({ id }) => id === app)?.inner ?? []
    const id = scopeId(app, scope)
    return inner.some((one) => one.id === id) ? id : app
  }
}

type Drawn = Omit<Edge, 'mark'>

const compareEdges = (desired: Drawn[], actual: Drawn[] | undefined): Edge[] =>
  compare(desired, actual, (one) => JSON.stringify(one)).map(([edge, mark]) => ({ ...edge, mark }))

function drawClients(one: DesiredObject, { state }: Mapped, nodes: Nodes): Edge[] {
  const app = nodes.ofKey(one.key)
  const { api } = resolveObject(one, state)
  if (app === undefined || readProperty(api, 'preAuthorizedApplications') === undefined) return []
  const draw = (from: Value | undefined) =>
    readList(readProperty(from, 'preAuthorizedApplications')).flatMap((client) =>
      readList(readProperty(client, 'delegatedPermissionIds')).map((id) => ({
        from: nodes.of(readProperty(client, 'appId'), 'client'),
        to: nodes.scope(app, id),
        label: 'no prompt',
      })),
    )
  const present = state.isRead(one.key) ? draw(state.get(one.key)?.api) : undefined
  return compareEdges(draw(api), present)
}

function drawGrant(one: DesiredObject, { state }: Mapped, nodes: Nodes): Edge[] {
  const desired = resolveObject(one, state)
  const from = nodes.of(desired.clientId, 'client')
  const to = nodes.of(desired.resourceId, 'api')
  const draw = (scope: unknown) => splitWords(scope).map((label) => ({ from, to, label }))
  const actual = state.isRead(one.key) ? draw(state.get(one.key)?.scope) : undefined
  const edges = compareEdges(draw(desired.scope), actual)
  return one.by === 'hook' ? edges.filter(({ mark }) => mark !== 'removed') : edges
}

function drawAssignment(one: DesiredObject, { state }: Mapped, nodes: Nodes): Edge[] {
  const { principalId, resourceId } = resolveObject(one, state)
  const edge = { from: nodes.of(principalId, 'group'), to: nodes.of(resourceId, 'api'), label: 'assigned' }
  return [{ ...edge, mark: state.isAbsent(one.key) ? 'added' : 'same' }]
}

function drawCredential(one: DesiredObject, mapped: Mapped, nodes: Nodes): Edge[] {
  const [app = '', name = ''] = String(resolveObject(one, mapped.state).name).split('/')
  const from = nodes.named(name, 'identity')
  const to = nodes.ofKey(`applications/${app}`) ?? nodes.named(app, 'api')
  return [{ from, to, label: 'signs in as', mark: markOf(one.key, mapped) }]
}

/** Requested permissions count where no consent is drawn: somebody else may have granted them. */
function drawRequests(one: DesiredObject, { state }: Mapped, nodes: Nodes, granted: Set<string>): Edge[] {
  const from = nodes.ofKey(one.key)
  if (from === undefined) return []
  return readList(resolveObject(one, state).requiredResourceAccess).flatMap((api): Edge[] => {
    const appId = readProperty(api, 'resourceAppId')
    if (granted.has(`${from} ${appId instanceof Unknown ? appId.text : appId}`)) return []
    const to = nodes.of(appId, 'api')
    const count = readList(readProperty(api, 'resourceAccess')).length
    return [{ from, to, label: `asks for ${count} permission${count === 1 ? '' : 's'}`, mark: 'same' }]
  })
}

/** Client and API of a grant, as requests name them. */
function grantKeys(one: DesiredObject, { state }: Mapped, nodes: Nodes): string[] {
  if (one.type !== 'oauth2PermissionGrants') return []
  const { clientId, resourceId } = resolveObject(one, state)
  const api =
    resourceId instanceof Unknown ? resourceId.key?.split('/').at(-1) : state.appIdOf(String(resourceId))
  return api === undefined ? [] : [`${nodes.of(clientId, 'client')} ${api}`]
}

const DRAW: Partial<Record<DesiredObject['type'], typeof drawClients>> = {
  applications: drawClients,
  oauth2PermissionGrants: drawGrant,
  appRoleAssignedTo: drawAssignment,
  'applications/federatedIdentityCredentials': drawCredential,
}

function drawEdges(mapped: Mapped, nodes: Nodes): Edge[] {
  const { objects } = mapped
  const edges = objects.flatMap((one) => DRAW[one.type]?.(one, mapped, nodes) ?? [])
  const granted = new Set(objects.flatMap((one) => grantKeys(one, mapped, nodes)))
  const apps = objects.filter(({ type }) => type === 'applications')
  return [...edges, ...apps.flatMap((one) => drawRequests(one, mapped, nodes, granted))]
}

const SIGNS: Record<Mark, string> = { same: '', added: '+ ', removed: '− ', changed: '~ ' }
const COLOURS = { added: '#1a7f37', removed: '#cf222e', changed: '#bc4c00' }
const styleOf = (mark: keyof typeof COLOURS) => `stroke:${COLOURS[mark]},stroke-width:3px`
const CLASSES = [
  'classDef client fill:#ddf4ff,stroke:#0969da,color:#0a3069',
  'classDef scope fill:#fff8c5,stroke:#9a6700,color:#3b2300',
  'classDef api fill:#fbefff,stroke:#8250df,color:#2e1461',
  'classDef group fill:#f6f8fa,stroke:#57606a,color:#24292f',
  'classDef identity fill:#dafbe1,stroke:#1a7f37,color:#033a16',
  `classDef added ${styleOf('added')}`,
  `classDef changed ${styleOf('changed')}`,
  `classDef removed ${styleOf('removed')},stroke-dasharray:5 5`,
]
const SHAPES: Record<Kind, [open: string, close: string]> = {
  client: ['([', '])'],
  scope: ['[', ']'],
  api: ['[[', ']]'],
  group: ['(', ')'],
  identity: ['{{', '}}'],
}

/** Names come from the directory: nothing in them may be read as Mermaid or HTML. */
export const quoteLabel = (text: string): string =>
  `"${text.replaceAll(/[^\p{L}\p{N} .,:/()@_+~−-]/gu, (one) => `#${one.codePointAt(0)};`)}"`

function nodeLine({ id, title, kind, mark }: Node): string {
  const [open, close] = SHAPES[kind]
  const node = `${id}${open}${quoteLabel(SIGNS[mark] + title)}${close}:::${kind}`
  return mark === 'same' ? node : `${node}\n  class ${id} ${mark}`
}

function edgeLine({ from, to, label, mark }: Edge): string {
  const arrow = mark === 'removed' ? '-.->' : '-->'
  return `  ${from} ${arrow}|${quoteLabel(SIGNS[mark] + label)}| ${to}`
}

/** Changed edges and nodes are marked; without changes it is the map of the declared state. */
export function renderMap(mapped: Mapped): string {
  const nodes = new Nodes(mapped)
  const edges = drawEdges(mapped, nodes)
  const lines = ['flowchart LR']
  for (const { id, title, inner = [], mark } of nodes.frames) {
    lines.push(`  subgraph ${id}[${quoteLabel(SIGNS[mark] + title)}]`)
    for (const scope of inner) lines.push(`    ${nodeLine(scope)}`)
    lines.push('  end')
    // A class would not reach the frame of a subgraph.
    if (mark !== 'same') lines.push(`  style ${id} ${styleOf(mark)}`)
  }
  for (const node of nodes.others) lines.push(`  ${nodeLine(node)}`)
  lines.push(...edges.map(edgeLine))
  for (const [index, { mark }] of edges.entries())
    if (mark !== 'same') lines.push(`  linkStyle ${index} ${styleOf(mark)},color:${COLOURS[mark]}`)
  return `${[...lines, ...CLASSES.map((one) => `  ${one}`)].join('\n')}\n`
}
