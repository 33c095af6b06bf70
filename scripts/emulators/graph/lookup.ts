import type { Graph } from './endpoint.ts'
import { notFound } from './errors.ts'
import type { Key } from './keys.ts'
import type { Kind } from './replication.ts'

interface Item {
  id: string
}

const has = (item: object, { property, value }: Key) =>
  Object.entries(item).some(
    ([name, found]) =>
      name === property && typeof found === 'string' && found.toLowerCase() === value.toLowerCase(),
  )

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
