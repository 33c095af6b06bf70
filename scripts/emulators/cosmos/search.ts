import { hash } from 'node:crypto'
import { z } from 'zod'
import { continuationOf, continuedAt } from '../continuation.ts'
import type { PartitionRef } from './documents.ts'
import { Refusal } from './refusal.ts'
import { PARTITION_KEY } from './resources.ts'
import type { Condition, Query } from './sql.ts'
import type { Storage } from './storage.ts'

/** Where a query runs: without a partition it crosses all of the container's. */
type Scope = Omit<PartitionRef, 'partition'> & { partition: string | undefined }

interface Page {
  documents: unknown[]
  continuation: string | undefined
}

/** What `keys` hold in the last row of a page. */
const Position = z.tuple([z.string(), z.string()])

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
  const question = [scope, query]
  const after = token === undefined ? undefined : positionOf(token, question)
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
  const documents = page.map(({ body = '' }) => JSON.parse(body))
  const last = rows.length > size ? page.at(-1) : undefined
  return { documents, continuation: last && continuationOf(question, [last.first, last.second]) }
}

const positionOf = (token: string, question: unknown) => {
  const { data } = Position.safeParse(continuedAt(token, question))
  if (!data) throw new Refusal(400, 'The continuation token does not belong to this query.')
  return data
}

const planOf = (storage: Storage, { container, partition }: Scope, { conditions, order }: Query): Plan => {
  const where = ['container = ?', ...conditions.map(comparisonOf)]
  const values = [container, ...conditions.map(({ value }) => value)]
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
  if (conditions.some(({ path }) => path.join('.') === PARTITION_KEY)) {
    throw new Refusal(400, 'A query for one partition key value must carry the partition key header.')
  }
  const across: Plan = { where, values, keys: ['partition', 'id'], descending: false }
  const equal = conditions.find(({ operator }) => operator === '=')
  if (!equal) return across
  return { ...across, index: indexOn(storage, 'across', `container, ${fieldOf(equal.path)}, partition, id`) }
}

// Cosmos indexes every path; here a path gets its index with the first query that needs it.
const indexOn = (storage: Storage, kind: string, columns: string) => {
  const name = `${kind}_${hash('sha256', columns).slice(0, 16)}`
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
