import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { UserId } from '../auth/verifier.ts'
import type { ListFilter } from './listing.ts'

/** The cursor does not continue this list: the caller's fault, answered as a refusal. */
export class CursorInvalid extends Error {
  readonly code = 'cursor_invalid'
  constructor() {
    super('This cursor does not continue this list. Leave it out to start from the newest expense.')
    this.name = 'CursorInvalid'
  }
}

/** Real cursors have under 200 characters; nobody gets us to decode megabytes. */
const longest = 512

const sortKey = /^\d{4}-\d\d-\d\d#\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f-]{1,64}$/

const Cursor = z.strictObject({ v: z.literal(1), after: z.string().regex(sortKey), check: z.string() })

// Not a secret: it catches mix-ups. Isolation comes from the partition key of every query.
const checksum = (user: UserId, { from, to, category }: ListFilter, after: string) =>
  createHash('sha256')
    .update(JSON.stringify([user, from ?? null, to ?? null, category ?? null, after]))
    .digest('base64url')
    .slice(0, 16)

/** An opaque cursor to what follows the expense with sort key `after` in this user's list. */
export const makeCursor = (user: UserId, filter: ListFilter, after: string): string =>
  Buffer.from(JSON.stringify({ v: 1, after, check: checksum(user, filter, after) })).toString('base64url')

/**
 * The sort key that the next page starts below.
 *
 * @throws CursorInvalid when it was made for another user or other filters, or was changed
 */
export const readCursor = (user: UserId, filter: ListFilter, cursor: string): string => {
  const parsed = Cursor.safeParse(decode(cursor))
  if (!parsed.success) throw new CursorInvalid()
  const { after, check } = parsed.data
  if (check !== checksum(user, filter, after)) throw new CursorInvalid()
  return after
}

const decode = (cursor: string): unknown => {
  if (cursor.length > longest) return undefined
  const bytes = Buffer.from(cursor, 'base64url')
  // Buffer skips what is not base64url, so only the canonical spelling counts.
  if (bytes.toString('base64url') !== cursor) return undefined
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
