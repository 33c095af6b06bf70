import { z } from 'zod'
import type { Reader } from './access.ts'
import type { Definition } from './definition.ts'
import type { Stored } from './documents.ts'
import { badRequest } from './refusal.ts'

/** What of "Documents - Search Post" this emulator plays; anything else is refused. */
const Query = z.strictObject({
  search: z.string(),
  select: z.string(),
  top: z.int().min(1).max(1000).default(50),
  queryType: z.literal('simple').optional(),
})

/**
 * Source: "Indexing document ACLs", "ACL access resolution rules": one matching field is enough, `all` is everybody.
 * Without a user only what everybody may read is found ("Query-time ACL and RBAC enforcement", since November 2025).
 */
function mayRead({ fields }: Definition, document: Stored, reader: Reader | undefined): boolean {
  const listed = (kind: 'userIds' | 'groupIds') => {
    const name = fields.find(({ permissionFilter }) => permissionFilter === kind)?.name
    return [name === undefined ? [] : (document[name] ?? [])].flat()
  }
  const users = listed('userIds')
  const groups = listed('groupIds')
  if (users.includes('all') || groups.includes('all')) return true
  if (!reader) return false
  return users.includes(reader.userId) || groups.some((id) => reader.groupIds.includes(id))
}

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

/**
 * How well a document fits, 0: not at all. A small part of the simple syntax: words, and `*` alone for everything; its
 * operators are read as spaces. The scores are not those of the service.
 */
function scoreOf(definition: Definition, document: Stored, { search }: z.infer<typeof Query>) {
  if (search.trim() === '*') return 1
  const wanted = [...new Set(wordsOf(search))]
  const searchable = definition.fields
    .filter((field) => field.searchable)
    .map(({ name }) => document[name] ?? '')
  const words = new Set(searchable.flat().flatMap(wordsOf))
  return wanted.filter((word) => words.has(word)).length
}

/** The page of hits that this reader may see, the best first; only what was selected. */
export function hitsOf(
  definition: Definition,
  documents: Iterable<Stored>,
  body: unknown,
  reader: Reader | undefined,
) {
  const parsed = Query.safeParse(body)
  if (!parsed.success) throw badRequest(z.prettifyError(parsed.error))
  const query = parsed.data
  const selected = query.select.split(',')
  const hidden = selected.find(
    (name) => !definition.fields.some((field) => field.name === name && field.retrievable),
  )
  if (hidden !== undefined)
    throw badRequest(`Invalid expression: Could not find a retrievable property named '${hidden}'.`)
  const enforced = definition.permissionFilterOption === 'enabled'
  const value = [...documents]
    .filter((document) => !enforced || mayRead(definition, document, reader))
    .map((document) => ({ document, score: scoreOf(definition, document, query) }))
    .filter(({ score }) => score > 0)
    .toSorted((one, other) => other.score - one.score)
    .slice(0, query.top)
    .map(({ document, score }) => ({
      '@search.score': score,
      ...Object.fromEntries(selected.map((name) => [name, document[name] ?? null])),
    }))
  return { value }
}
