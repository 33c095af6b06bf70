import type { RequestHandler } from 'express'
import type { Graph } from './endpoint.ts'
import { notFound } from './errors.ts'
import type { Kind } from './replication.ts'

const KEYED = /\/(\w+)\((?:(\w+)=)?'((?:[^']|'')*)'\)/g

/**
 * `applications(uniqueName='x')` becomes `applications/uniqueName=x`, which a router can match; an object id
 * holds no equals sign. `applications('id')` is the same as `applications/id`.
 */
export const alternateKeys: RequestHandler = (request, _response, next) => {
  const [path = '', query] = request.url.split('?')
  const plain = path.replaceAll(/%28/gi, '(').replaceAll(/%29/gi, ')').replaceAll(/%27/gi, "'")
  const rewritten = plain
    .replaceAll('%3D', '=')
    .replace(KEYED, (_all, noun: string, name: string | undefined, value: string) => {
      const text = value.replaceAll("''", "'")
      return `/${noun}/${name === undefined ? '' : `${name}=`}${text.replaceAll('/', '%2F')}`
    })
  request.url = query === undefined ? rewritten : `${rewritten}?${query}`
  next()
}

export interface Key {
  /** `id`, or the alternate key's property. */
  property: string
  value: string
}

export function keyOf(segment: string): Key {
  const [, property, value] = /^(uniqueName|appId|name|userPrincipalName)=(.*)$/s.exec(segment) ?? []
  return property === undefined || value === undefined
    ? { property: 'id', value: segment }
    : { property, value }
}

interface Item {
  id: string
}

const has = (item: object, { property, value }: Key) => {
  const found: unknown = Reflect.get(item, property)
  return typeof found === 'string' && found.toLowerCase() === value.toLowerCase()
}

/** Wherever it is, replication or not: what a unique index sees. */
export const indexed = <T extends Item>(items: readonly T[], key: Key): T | undefined =>
  items.find((item) => has(item, key))

/** As a reader finds it. A look at something that is not replicated yet counts. */
export function find<T extends Item>(
  { replication }: Graph,
  kind: Kind,
  items: readonly T[],
  key: Key,
): T | undefined {
  const item = indexed(items, key)
  return item && !replication.isHidden(kind, item.id) ? item : undefined
}

/** Throws Graph's 404. */
export function mustFind<T extends Item>(graph: Graph, kind: Kind, items: readonly T[], key: Key): T {
  const item = find(graph, kind, items, key)
  if (!item) throw notFound(key.value)
  return item
}

export const byId = (id: string): Key => ({ property: 'id', value: id })

export function remove<T>(items: T[], item: T): void {
  const index = items.indexOf(item)
  if (index >= 0) items.splice(index, 1)
}
