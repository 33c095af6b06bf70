import { z } from 'zod'
import type { Directory } from '../../../../scripts/emulators/directory.ts'
import type { Group, ServicePrincipal, User } from '../../../../scripts/emulators/directory-objects.ts'
import { parseBody } from './body.ts'
import { type Call, done, type Graph, list, type Routes } from './endpoint.ts'
import { notFound, requestError } from './errors.ts'
import { byId, find, remove } from './lookup.ts'

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

/** The object, unless it is not replicated yet: then it does not exist for whoever refers to it. */
export function referable(graph: Graph, id: string): Found | undefined {
  const found = objectWith(graph.directory, id)
  if (!found || found.kind === 'user') return found
  return find(graph, found.kind, [found.object], byId(found.object.id)) && found
}

type Relationship = 'members' | 'owners'
type Holder = Partial<Record<Relationship, string[]>>

const Reference = z.strictObject({ '@odata.id': z.string() })

/** The id at the end of `@odata.id`: directoryObjects/{id}, users/{id} and the like. */
function referencedId(reference: string): string {
  const [, id] = /\/([0-9a-f-]{36})$/i.exec(reference) ?? []
  if (id === undefined) throw requestError(`Invalid URL format specified in the request: '${reference}'.`)
  return id.toLowerCase()
}

/** The id of an object that can be related, or Graph's 404. */
function relatable(graph: Graph, reference: string, kinds: readonly ObjectKind[]): string {
  const id = referencedId(reference)
  const found = referable(graph, id)
  if (!found) throw notFound(id)
  if (!kinds.includes(found.kind))
    throw requestError(`The reference target '${id}' of type '${found.kind}' is invalid for this reference.`)
  return found.object.id
}

const alreadyRelated = (name: Relationship) =>
  requestError(
    `One or more added object references already exist for the following modified properties: '${name}'.`,
  )

const idsOf = (holder: Holder, name: Relationship): string[] => {
  const ids = holder[name] ?? []
  holder[name] = ids
  return ids
}

/** `$ref` adds and removes; what the path names is looked up by whoever may read or write it, and they throw. */
interface Access {
  kinds: readonly ObjectKind[]
  readable: (call: Call) => Holder
  writable: (call: Call) => Holder
}

/** `{path}/members` or `{path}/owners`. */
export const relationshipRoutes = (
  path: string,
  name: Relationship,
  { kinds, readable, writable }: Access,
): Routes => ({
  [`${path}/${name}`]: {
    get: (call) => {
      const related = (readable(call)[name] ?? []).flatMap((id) => objectView(call.directory, id))
      return list(call, related, { id: 'eq' }, 'DirectoryObject')
    },
  },
  [`${path}/${name}/$ref`]: {
    post: (call) => {
      const ids = idsOf(writable(call), name)
      const body = parseBody(Reference, call.body, { resource: 'DirectoryObject', readOnly: [] })
      const id = relatable(call, body['@odata.id'], kinds)
      if (ids.includes(id)) throw alreadyRelated(name)
      ids.push(id)
      return done
    },
  },
  [`${path}/${name}/:related/$ref`]: {
    delete: (call) => {
      const ids = idsOf(writable(call), name)
      const id = call.param('related')
      if (!ids.includes(id)) throw notFound(id)
      remove(ids, id)
      return done
    },
  },
})
