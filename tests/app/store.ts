import { randomUUID } from 'node:crypto'
import { CosmosClient } from '@azure/cosmos'
import type { AdminId } from '../../app/auth/groups.ts'
import type { UserId } from '../../app/auth/verifier.ts'
import { openContainer } from '../../app/store/cosmos.ts'
import { ExpenseStore, type NewExpense } from '../../app/store/expenses.ts'
import type { RetryPolicy } from '../../app/store/retry.ts'
import { type Cosmos, startCosmos } from '../scripts/emulators/cosmos.ts'

const { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key } = process.env

/** Why a test that needs the emulator's faults or counters does not run; false when it does. */
export const notOnRealCosmos =
  endpoint && key ? 'COSMOS_ENDPOINT is set: faults and counters are the emulator’s' : false

/** Only the verifier makes these in the server. */
export const someUser = (name = 'user'): UserId => `${name}-${randomUUID()}` as UserId
export const admin = 'admin' as AdminId

export const lunch: NewExpense = {
  date: '2026-03-14',
  amount: 12.3,
  category: 'food',
  description: 'Lunch',
  payment_method: 'visa',
}

/** A policy that takes no time: what would be waited is written down. */
export const noWaiting = (deadlineMs = 60_000): RetryPolicy & { waits: number[] } => {
  const waits: number[] = []
  return { deadlineMs, waits, wait: async (ms) => void waits.push(ms) }
}

/**
 * A new, empty container for the store: on the endpoint of COSMOS_ENDPOINT and COSMOS_KEY if both
 * are set, created and removed with the SDK; else on an emulator of its own, which comes with it.
 */
export const openStore = async (options: { pageSize?: number } = {}) => {
  const id = `test-${randomUUID()}`
  const local: Cosmos | undefined =
    endpoint && key
      ? undefined
      : await startCosmos({ port: 0, file: ':memory:', database: id, container: 'expenses', ...options })
  const address = { endpoint: local?.url ?? endpoint ?? '', key: local?.key ?? key ?? '' }
  const client = new CosmosClient(address)
  const { database } = await client.databases.createIfNotExists({ id })
  const partitionKey = { paths: ['/user_id'] }
  const { container } = await database.containers.createIfNotExists({ id: 'expenses', partitionKey })
  const opened = openContainer({ ...address, database: database.id, container: container.id })
  return {
    address,
    container,
    store: new ExpenseStore(opened),
    storeWith: (policy: RetryPolicy) => new ExpenseStore(opened, policy),
    /** A store whose statistics have so many milliseconds in all. */
    storeWithin: (policy: RetryPolicy, ms: number) => new ExpenseStore(opened, policy, ms),
    /** The emulator; tests that use it are skipped where there is none. */
    get cosmos(): Cosmos {
      if (!local) throw new Error('There is no emulator.')
      return local
    },
    async close() {
      if (!local) await database.delete()
      client.dispose()
      await local?.close()
    },
  }
}

export type OpenStore = Awaited<ReturnType<typeof openStore>>

/** Every expense of the user, page by page. */
export const listAll = async (
  store: ExpenseStore,
  user: UserId,
  filter: Omit<Parameters<ExpenseStore['list']>[1], 'cursor'>,
) => {
  const pages = []
  let cursor: string | undefined
  do {
    const page = await store.list(user, { ...filter, cursor })
    pages.push(page.expenses)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return pages
}
