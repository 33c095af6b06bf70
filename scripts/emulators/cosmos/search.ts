import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { PartitionRef } from './documents.ts'
import { Refusal } from './refusal.ts'
import type { Condition, Query } from './sql.ts'
import type { Row, Storage } from './storage.ts'

/** Where a query runs: without a partition it crosses all of the container's. */
export type Scope = Omit<PartitionRef, 'partition'> & { partition: string | undefined }

export interface Page {
  documents: unknown[]
  /** Opaque, and good for this query in this scope only. */
  continuation?: string
}

const Continuation = z.strictObject({ query: z.string(), after: z.array(z.string()).length(2) })

interface Plan {
  where: string[]
  values: (string | number)[]
  /** The two columns that make the order total. */
  keys: [string, string]
  descending: boolean
  index?: string
}

/**
 * One page of a query, by keyset: nothing is skipped or repeated when documents are added meanwhile.
 *
 * @throws Refusal 400 for what the real gateway, or the store's isolation, does not allow
 */
export const search = (storage: Storage, scope: Scope, query: Query, size: number, token?: string): Page => {
  const plan = planOf(storage, scope, query)
  const id = fingerprint(scope, query)
  const after = token === undefined ? undefined : positionOf(token, id)
  const [first, second] = plan.keys
  const position = after ? [`(${first}, ${second}) ${plan.descending ? '<' : '>'} (?, ?)`] : []
  const direction = plan.descending ? 'DESC' : 'ASC'
  const sql = [
    `SELECT body, ${first} AS first, ${second} AS second FROM documents`,
    plan.index ? `INDEXED BY ${plan.index}` : '',
    `WHERE ${[...plan.where, ...position].join(' AND ')}`,
    `ORDER BY ${first} ${direction}, ${second} ${direction} LIMIT ?`,
  ].join(' ')
  const rows = storage.rows(sql, ...plan.values, ...(after ?? []), size + 1)
  const page = rows.slice(0, size)
  const last = rows.length > size ? page.at(-1) : undefined
  return { documents: page.map(({ body = '' }) => JSON.parse(body)), ...(last && next(id, last)) }
}

const planOf = (
  storage: Storage,
  { link, keyName, partition }: Scope,
  { conditions, order }: Query,
): Plan => {
  const where = ['container = ?', ...conditions.map(comparisonOf)]
  const values = [link, ...conditions.map(({ value }) => value)]
  if (partition !== undefined) {
    const inside = { where: [...where, 'partition = ?'], values: [...values, partition] }
    if (!order) return { ...inside, keys: ['id', 'id'], descending: false }
    const field = fieldOf(order.path)
    const index = indexOn(storage, 'ordered', `container, partition, ${field}, id`)
    // A document without the property is not in an ordered result; text is all that gets ordered here.
    const ordered = { ...inside, where: [...inside.where, `typeof(${field}) = 'text'`] }
    return { ...ordered, keys: [field, 'id'], descending: order.descending, index }
  }
  if (order)
    throw new Refusal(400, 'Cross partition query with ORDER BY needs a query plan, which is not served.')
  if (conditions.some(({ path }) => path.join('.') === keyName)) {
    throw new Refusal(400, 'A query for one partition key value must carry the partition key header.')
  }
  const across: Plan = { where, values, keys: ['partition', 'id'], descending: false }
  const equal = conditions.find(({ operator }) => operator === '=')
  if (!equal) return across
  return { ...across, index: indexOn(storage, 'across', `container, ${fieldOf(equal.path)}, partition, id`) }
}

// Cosmos indexes every path; here a path gets its index with the first query that needs it.
const indexOn = (storage: Storage, kind: string, columns: string) => {
  const name = `${kind}_${createHash('sha256').update(columns).digest('hex').slice(0, 16)}`
  storage.run(`CREATE INDEX IF NOT EXISTS ${name} ON documents (${columns})`)
  return name
}

// The parser lets only identifiers through, so they need no escaping here.
const fieldOf = (path: string[]) => `json_extract(body, '$.${path.join('.')}')`

// Values of different types are never comparable in Cosmos; in SQLite they are.
const comparisonOf = ({ path, operator, value }: Condition) => {
  const types = typeof value === 'string' ? "('text')" : "('integer', 'real')"
  return `(json_type(body, '$.${path.join('.')}') IN ${types} AND ${fieldOf(path)} ${operator} ?)`
}

const fingerprint = ({ link, partition }: Scope, query: Query) =>
  createHash('sha256')
    .update(JSON.stringify([link, partition, query]))
    .digest('base64url')
    .slice(0, 16)

const next = (query: string, { first = '', second = '' }: Row) => ({
  continuation: Buffer.from(JSON.stringify({ query, after: [first, second] })).toString('base64url'),
})

const positionOf = (token: string, query: string) => {
  const parsed = Continuation.safeParse(decode(token))
  if (!parsed.success || parsed.data.query !== query) {
    throw new Refusal(400, 'The continuation token does not belong to this query.')
  }
  return parsed.data.after
}

const decode = (token: string): unknown => {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
