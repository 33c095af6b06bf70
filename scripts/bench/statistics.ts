import { openContainer } from '../../app/cosmos.ts'
import { CATEGORIES, ExpenseStore } from '../../app/expenses.ts'
import type { AdminId } from '../../app/groups.ts'
import type { UserId } from '../../app/verifier.ts'
import { startCosmos } from '../emulators/cosmos.ts'
import { STORE } from '../emulators/server-environment.ts'
import { median } from './processes.ts'
import type { Row } from './table.ts'

const USERS = 100

/** Documents read for the statistics of 100 users: with one summary a user it cannot depend on the expenses. */
export async function statisticsRows(): Promise<Row[]> {
  const cosmos = await startCosmos({ ...STORE, port: 0, file: ':memory:' })
  const store = new ExpenseStore(openContainer({ ...STORE, endpoint: cosmos.url, key: cosmos.key }))
  const measured: { expenses: number; documents: number; charge: number; milliseconds: number }[] = []
  try {
    let saved = 0
    for (const expenses of [100, 10_000]) {
      for (; saved < expenses; saved += USERS)
        await Promise.all(Array.from({ length: USERS }, (_, user) => add(store, user, saved)))
      measured.push({ expenses, ...(await costOfStatistics(store, cosmos.counters)) })
    }
  } finally {
    await cosmos.close()
  }
  const same = new Set(measured.map(({ documents }) => documents)).size === 1
  return measured.map(({ expenses, documents, charge, milliseconds }) => ({
    what: `get_expense_stats, ${USERS} users, ${expenses} expenses`,
    // The stand-in charges one unit a request; what Cosmos DB charges is in the server's log.
    measured: `${documents} documents read, request charge ${charge}, ${milliseconds.toFixed(1)} ms`,
    goal: 'the same number',
    met: same,
  }))
}

const add = (store: ExpenseStore, user: number, index: number) =>
  store.add(`user-${user}` as UserId, {
    date: '2026-01-01',
    amount: 1.25,
    category: CATEGORIES[index % CATEGORIES.length] ?? 'other',
    description: 'bench',
    payment_method: 'visa',
  })

async function costOfStatistics(store: ExpenseStore, counters: { documentsRead: number }) {
  const before = counters.documentsRead
  const times: number[] = []
  let charge = 0
  for (let round = 0; round < 5; round++) {
    const began = performance.now()
    charge = (await store.stats('bench' as AdminId)).requestCharge
    times.push(performance.now() - began)
  }
  return { documents: (counters.documentsRead - before) / times.length, charge, milliseconds: median(times) }
}
