import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AdminId } from '../../app/auth/groups.ts'
import type { UserId } from '../../app/auth/verifier.ts'
import { openContainer } from '../../app/store/cosmos.ts'
import { ExpenseStore } from '../../app/store/expenses.ts'
import { type Cosmos, startCosmos } from '../emulators/cosmos.ts'
import { STORE } from '../emulators/server-environment.ts'
import { median } from './processes.ts'
import type { Row } from './table.ts'

const ROUNDS = 3

/** Statistics over so many users, each with one summary; with ten times the expenses they cost the same. */
export async function statisticsRows(folder: string, sizes: readonly number[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const users of sizes) {
    const file = join(folder, `${users}.db`)
    await seed(file, users)
    const cosmos = await startCosmos({ ...STORE, port: 0, file })
    try {
      rows.push(await rowOf(users, cosmos))
    } finally {
      await cosmos.close()
    }
  }
  return rows
}

async function rowOf(users: number, { url, key, account }: Cosmos): Promise<Row> {
  const times: number[] = []
  let charge = 0
  const before = account.documentsRead
  for (let round = 0; round < ROUNDS; round++) {
    // A store of its own each time: what one remembers must not answer for it.
    const store = new ExpenseStore(openContainer({ ...STORE, endpoint: url, key }))
    const began = performance.now()
    const stats = await store.stats('bench' as AdminId)
    times.push(performance.now() - began)
    charge = stats.requestCharge
    if (stats.users !== users) throw new Error(`Statistics of ${stats.users} users instead of ${users}.`)
  }
  const documents = (account.documentsRead - before) / ROUNDS
  return {
    what: `get_expense_stats, ${users} users`,
    measured: `${documents} documents read, request charge ${charge}, ${median(times).toFixed(0)} ms`,
    goal: 'one per user',
    met: documents === users,
  }
}

/** One user by the store itself, the others by copying what it has written: a hundred thousand adds take minutes. */
async function seed(file: string, users: number): Promise<void> {
  const cosmos = await startCosmos({ ...STORE, port: 0, file })
  const store = new ExpenseStore(openContainer({ ...STORE, endpoint: cosmos.url, key: cosmos.key }))
  const expense = {
    date: '2026-01-01',
    amount: 1.25,
    category: 'food',
    description: 'bench',
    payment_method: 'visa',
  } as const
  for (let index = 0; index < 10; index++) await store.add('user-0' as UserId, expense)
  await cosmos.close()
  const database = new DatabaseSync(file)
  database.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${users - 1})
    INSERT INTO documents SELECT container, replace(partition, 'user-0', 'user-' || i), id, etag,
      replace(body, '"user-0"', '"user-' || i || '"')
    FROM documents, n WHERE json_extract(body, '$.type') = 'summary'`)
  database.close()
}
