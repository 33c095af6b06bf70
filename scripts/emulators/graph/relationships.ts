import { Router } from 'express'
import { z } from 'zod'
import { parseBody } from './body.ts'
import { type Call, done, endpoint, type Graph, list } from './endpoint.ts'
import { notFound, requestError } from './errors.ts'
import { byId, find, remove } from './lookup.ts'
import { type ObjectKind, objectView, objectWith } from './objects.ts'

type Holder = { id: string } & Partial<Record<Relationship, string[]>>
type Relationship = 'members' | 'owners'

interface Access {
  /** The object that the path names; both throw when the caller may not. */
  read: (call: Call) => Holder
  write: (call: Call) => Holder
  /** What may be related. */
  kinds: readonly ObjectKind[]
}

const Reference = z.strictObject({ '@odata.id': z.string() })

/** The id at the end of `@odata.id`: directoryObjects/{id}, users/{id} and the like. */
function referencedId(reference: string): string {
  const [, id] = /\/([0-9a-f-]{36})$/i.exec(reference) ?? []
  if (id === undefined) throw requestError(`Invalid URL format specified in the request: '${reference}'.`)
  return id.toLowerCase()
}

/** The id of an object that can be related, or Graph's 404: what is not replicated yet does not exist. */
export function relatable(graph: Graph, reference: string, kinds: readonly ObjectKind[]): string {
  const id = referencedId(reference)
  const found = objectWith(graph.directory, id)
  if (!found) throw notFound(id)
  if (found.kind !== 'user' && !find(graph, found.kind, [found.object], byId(id))) throw notFound(id)
  if (!kinds.includes(found.kind))
    throw requestError(`The reference target '${id}' of type '${found.kind}' is invalid for this reference.`)
  return found.object.id
}

const idsOf = (holder: Holder, name: Relationship): string[] => {
  const ids = holder[name] ?? []
  holder[name] = ids
  return ids
}

/** `{path}/members` or `{path}/owners`, with `$ref` to add and to remove. */
export function relationshipRoutes(graph: Graph, path: string, name: Relationship, access: Access): Router {
  const router = Router()
  router.get(
    `${path}/${name}`,
    endpoint(graph, (call) => {
      const related = idsOf(access.read(call), name).flatMap((id) => objectView(graph.directory, id))
      return list(graph, call, related, { id: ['eq'] }, 'DirectoryObject')
    }),
  )
  router.post(
    `${path}/${name}/$ref`,
    endpoint(graph, (call) => {
      const ids = idsOf(access.write(call), name)
      const body = parseBody(Reference, call.body, { resource: 'DirectoryObject', readOnly: [] })
      const id = relatable(graph, body['@odata.id'], access.kinds)
      if (ids.includes(id))
        throw requestError(
          `One or more added object references already exist for the following modified properties: '${name}'.`,
        )
      ids.push(id)
      return done
    }),
  )
  router.delete(
    `${path}/${name}/:related/$ref`,
    endpoint(graph, (call) => {
      const ids = idsOf(access.write(call), name)
      const id = call.param('related')
      if (!ids.includes(id)) throw notFound(id)
      remove(ids, id)
      return done
    }),
  )
  return router
}
