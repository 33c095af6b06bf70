import type { Directory } from '../directory.ts'
import type { Group, ServicePrincipal, User } from '../directory-objects.ts'

export type ObjectKind = 'user' | 'group' | 'servicePrincipal'

type Found =
  | { kind: 'user'; object: User }
  | { kind: 'group'; object: Group }
  | { kind: 'servicePrincipal'; object: ServicePrincipal }

/** Any directory object that can be a member, an owner or somebody who is assigned. */
export function objectWith(directory: Directory, id: string): Found | undefined {
  const wanted = id.toLowerCase()
  const same = (one: { id: string }) => one.id === wanted
  const user = directory.users.find(same)
  if (user) return { kind: 'user', object: user }
  const group = directory.groups.find(same)
  if (group) return { kind: 'group', object: group }
  const principal = directory.servicePrincipals.find(same)
  return principal && { kind: 'servicePrincipal', object: principal }
}

/** How a relationship shows it; nothing for an object that is gone. */
export function objectView(directory: Directory, id: string): object[] {
  const found = objectWith(directory, id)
  if (!found) return []
  const { kind, object } = found
  const type = { '@odata.type': `#microsoft.graph.${kind}` }
  const named = { ...type, id: object.id, displayName: object.displayName }
  if (kind === 'user') return [{ ...named, userPrincipalName: object.userPrincipalName, mail: object.mail }]
  if (kind === 'group')
    return [{ ...named, uniqueName: object.uniqueName, mailNickname: object.mailNickname }]
  return [{ ...named, appId: object.appId, servicePrincipalType: object.servicePrincipalType }]
}
