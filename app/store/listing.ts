import type { SqlParameter, SqlQuerySpec } from '@azure/cosmos'
import type { UserId } from '../auth/verifier.ts'
import type { Category } from './expense.ts'

/** Which of a user's expenses a list shows. */
export interface ListFilter {
  /** First and last day shown, YYYY-MM-DD, both included. */
  from?: string | undefined
  to?: string | undefined
  category?: Category | undefined
}

/** One page of a list: at most `limit` expenses, those after `cursor` if there is one. */
export interface ListRequest extends ListFilter {
  limit: number
  cursor?: string | undefined
}

/** Newest first, by keyset: a page starts below the sort key `after`, whatever was added meanwhile. */
export const listQuery = (
  user: UserId,
  { from, to, category }: ListFilter,
  after: string | undefined,
): SqlQuerySpec => {
  const conditions = ['c.user_id = @uid', "c.type = 'expense'"]
  const parameters: SqlParameter[] = [{ name: '@uid', value: user }]
  const restrict = (condition: string, name: string, value: string | undefined) => {
    if (value === undefined) return
    conditions.push(`${condition} ${name}`)
    parameters.push({ name, value })
  }
  restrict('c.category =', '@category', category)
  restrict('c.sort_key >=', '@from', from)
  restrict('c.sort_key <', '@before', lesser(after, to && endOfDay(to)))
  const query = `SELECT * FROM c WHERE ${conditions.join(' AND ')} ORDER BY c.sort_key DESC`
  return { query, parameters }
}

// Sort keys go on with '#' after the day, and '~' sorts behind it.
const endOfDay = (day: string) => `${day}~`

const lesser = (a: string | undefined, b: string | undefined) =>
  a === undefined || (b !== undefined && b < a) ? b : a
