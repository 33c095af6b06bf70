/** How people call the objects. */

import type { GraphType } from '../bicep/declared.ts'
import { Unknown, type Value } from '../bicep/value.ts'
import type { Knowledge } from './knowledge.ts'
import type { WantedProperties } from './open.ts'
import { propertiesOf, type WantedObject } from './wanted.ts'

export const WORDS: Record<GraphType, string> = {
  applications: 'app registration',
  servicePrincipals: 'service principal',
  groups: 'group',
  'applications/federatedIdentityCredentials': 'federated credential',
  oauth2PermissionGrants: 'consent',
  appRoleAssignedTo: 'assignment',
  users: 'user',
}

/** Clients of Microsoft that are the same in every tenant, for maps that show them being removed. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'aebc6443-996d-45c2-90f0-388ff96faa56': 'Visual Studio Code',
  '04b07795-8ddb-461a-bbee-02f9e1bf7b46': 'Azure CLI',
  '00000003-0000-0000-c000-000000000000': 'Microsoft Graph',
}

export class Naming {
  readonly #knowledge: Knowledge
  readonly #declared = new Map<string, WantedObject>()
  readonly #clients: ReadonlyMap<string, string>

  /** `clients`: names by app id, as permissions.json gives them. */
  constructor(objects: readonly WantedObject[], knowledge: Knowledge, clients: ReadonlyMap<string, string>) {
    this.#knowledge = knowledge
    this.#clients = clients
    for (const one of objects) this.#declared.set(one.key, one)
  }

  /** Of an object id or an app id; undefined for a stranger. */
  ofId = (id: string | Unknown): string | undefined => {
    if (id instanceof Unknown) return id.key === undefined ? undefined : this.ofKey(id.key)
    const known = id.toLowerCase()
    return this.#clients.get(known) ?? this.#knowledge.names.get(known) ?? WELL_KNOWN[known]
  }

  of(value: Value | undefined): string {
    if (value instanceof Unknown) return this.ofId(value) ?? value.text
    return typeof value === 'string' ? (this.ofId(value) ?? value) : 'unknown'
  }

  /** The declared display name; undefined for what is not declared or has none. */
  ofKey(key: string): string | undefined {
    const one = this.#declared.get(key)
    const name = one && propertiesOf(one, this.#knowledge).displayName
    return typeof name === 'string' ? name : undefined
  }

  titleOf(type: GraphType, properties: WantedProperties): string {
    if (type === 'appRoleAssignedTo')
      return `${this.of(properties.principalId)} → ${this.of(properties.resourceId)}`
    if (type === 'oauth2PermissionGrants')
      return `${this.of(properties.clientId)} → ${this.of(properties.resourceId)}`
    if (type === 'applications/federatedIdentityCredentials') return String(properties.name)
    const { displayName, uniqueName, appId } = properties
    return typeof displayName === 'string' ? displayName : this.of(uniqueName ?? appId)
  }
}
