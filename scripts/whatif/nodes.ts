/** The nodes of the identity map. */

import type { Json } from '../bicep/template.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { Change } from './changes.ts'
import type { State } from './edges.ts'
import type { Knowledge } from './knowledge.ts'
import type { Naming } from './naming.ts'
import { isObject } from './open.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

export type Kind = 'client' | 'scope' | 'api' | 'group' | 'identity'

export interface Node {
  id: string
  title: string
  kind: Kind
  state: State
}

export interface AppNode {
  id: string
  title: string
  state: State
  inner: Node[]
}

interface Around {
  objects: readonly WantedObject[]
  knowledge: Knowledge
  naming: Naming
  changes: readonly Change[]
}

/** The elements; none for anything else. */
export const list = (value: Value | Json | undefined): (Value | Json)[] => (Array.isArray(value) ? value : [])
export const at = (value: unknown, name: string): Value | undefined =>
  isWanted(value) ? value[name] : undefined
const isWanted = (value: unknown): value is Record<string, Value> => isObject(value)

export class Nodes {
  readonly #around: Around
  readonly #nodes = new Map<string, Node>()
  readonly #apps = new Map<string, AppNode>()
  /** Node by object id and app id of the live objects. */
  readonly #ids = new Map<string, string>()

  constructor(around: Around) {
    this.#around = around
    for (const one of around.objects) if (one.type === 'applications') this.#addApp(one)
    for (const one of around.objects) if (one.type === 'groups') this.#addGroup(one)
    for (const one of around.objects) {
      const id = one.type === 'servicePrincipals' ? around.knowledge.live(one.key)?.id : undefined
      if (typeof id === 'string') this.#ids.set(id, this.ofKey(one.key) ?? '')
    }
  }

  apps = (): AppNode[] => [...this.#apps.values()]
  others = (): Node[] => [...this.#nodes.values()]

  #stateOf(key: string): State {
    const change = this.#around.changes.find((one) => one.key === key)
    return change ? (change.action === 'create' ? 'added' : 'changed') : 'same'
  }

  #remember(one: WantedObject, id: string): void {
    const live = this.#around.knowledge.live(one.key)
    for (const text of [live?.id, live?.appId]) if (typeof text === 'string') this.#ids.set(text, id)
  }

  /** With its scopes inside; an app that offers nothing is a client. */
  #addApp(one: WantedObject): void {
    const wanted = propertiesOf(one, this.#around.knowledge)
    const offered = [...list(at(wanted.api, 'oauth2PermissionScopes')), ...list(wanted.appRoles)]
    const live = this.#around.knowledge.live(one.key)
    const present = [...list(at(live?.api, 'oauth2PermissionScopes')), ...list(live?.appRoles)]
    const title = this.#around.naming.titleOf(one.type, wanted)
    const state = this.#stateOf(one.key)
    if (offered.length === 0 && present.length === 0) {
      this.#remember(one, this.#node(one.key, title, 'client', state))
      return
    }
    const id = `app${this.#apps.size}`
    const node = (scope: unknown, of: State) => ({
      id: scopeId(id, String(at(scope, 'id'))),
      title: String(at(scope, 'value')) + (at(scope, 'isEnabled') === false ? ' (disabled)' : ''),
      kind: 'scope' as const,
      state: of,
    })
    const has = (all: unknown[], scope: unknown) => all.some((other) => at(other, 'id') === at(scope, 'id'))
    const inner = offered.map((scope) => node(scope, live && !has(present, scope) ? 'added' : 'same'))
    const gone = present.filter((scope) => !has(offered, scope)).map((scope) => node(scope, 'removed'))
    this.#apps.set(one.key, { id, title, state, inner: [...inner, ...gone] })
    this.#remember(one, id)
  }

  #addGroup(one: WantedObject): void {
    const wanted = propertiesOf(one, this.#around.knowledge)
    const title = this.#around.naming.titleOf(one.type, wanted)
    this.#remember(one, this.#node(one.key, title, 'group', this.#stateOf(one.key)))
  }

  #node(key: string, title: string, kind: Kind, state: State = 'same'): string {
    const known = this.#nodes.get(key)
    if (known) return known.id
    const id = `n${this.#nodes.size}`
    this.#nodes.set(key, { id, title, kind, state })
    return id
  }

  /** Of a declared object; a service principal is its app. */
  ofKey(key: string): string | undefined {
    const here = this.#apps.get(key)?.id ?? this.#nodes.get(key)?.id
    if (here !== undefined) return here
    const principal = this.#around.objects.find((one) => one.key === key && one.type === 'servicePrincipals')
    const appId = principal && propertiesOf(principal, this.#around.knowledge).appId
    if (appId instanceof Unknown) return appId.key === undefined ? undefined : this.ofKey(appId.key)
    return typeof appId === 'string' ? this.#ids.get(appId) : undefined
  }

  /** Of an object id, an app id or what is open; a stranger gets a node of its own. */
  of(value: Value | undefined, kind: Kind): string {
    const declared =
      value instanceof Unknown ? value.key && this.ofKey(value.key) : this.#ids.get(String(value))
    if (declared) return declared
    const text = value instanceof Unknown ? value.text : String(value)
    const key = value instanceof Unknown ? (value.key ?? text) : (this.#around.naming.ofId(text) ?? text)
    return this.#node(`${kind}/${key}`, value === undefined ? text : this.#around.naming.of(value), kind)
  }

  named(title: string, kind: Kind): string {
    return this.#node(`${kind}/${title}`, title, kind)
  }

  scope(app: string, scopeIdText: string): string {
    const inner = this.apps().find(({ id }) => id === app)?.inner ?? []
    const id = scopeId(app, scopeIdText)
    return inner.some((one) => one.id === id) ? id : app
  }
}

const scopeId = (app: string, id: string) => `${app}_${id.replaceAll(/[^0-9a-zA-Z]/g, '').slice(0, 12)}`
