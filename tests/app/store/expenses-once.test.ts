import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { admin, listAll, lunch, type OpenStore, openStore, someUser } from '../store.ts'

describe('adding once', () => {
  let open: OpenStore
  before(async () => {
    open = await openStore()
  })
  after(() => open.close())

  const countAndTotal = async () => {
    const { count, total } = await open.store.stats(admin)
    return { count, cents: Math.round(total * 100) }
  }

  it('counts 50 concurrent first expenses of one user', async () => {
    const before = await countAndTotal()
    const user = someUser()
    const amounts = Array.from({ length: 50 }, (_, index) => (index + 1) / 100)
    const added = await Promise.all(amounts.map((amount) => open.store.add(user, { ...lunch, amount })))
    assert.equal(new Set(added.map(({ expense }) => expense.id)).size, 50)
    const pages = await listAll(open.store, user, { limit: 7 })
    assert.equal(pages.flat().length, 50)
    const now = await countAndTotal()
    assert.deepEqual(now, { count: before.count + 50, cents: before.cents + 1_275 })
  })

  it('saves one expense for concurrent adds with one idempotency key', async () => {
    const before = await countAndTotal()
    const user = someUser()
    const added = await Promise.all(Array.from({ length: 20 }, () => open.store.add(user, lunch, 'same')))
    assert.equal(added.filter(({ replayed }) => !replayed).length, 1)
    assert.equal(new Set(added.map(({ expense }) => JSON.stringify(expense))).size, 1)
    assert.equal((await open.store.list(user, { limit: 10 })).expenses.length, 1)
    assert.deepEqual(await countAndTotal(), { count: before.count + 1, cents: before.cents + 1_230 })
  })

  it('returns the first expense, replayed, when key and expense are the same', async () => {
    const user = someUser()
    const first = await open.store.add(user, lunch, 'key')
    const again = await open.store.add(user, { ...lunch, amount: 12.1 + 0.2 }, 'key')
    assert.equal(first.replayed, false)
    assert.deepEqual(again, { expense: first.expense, replayed: true })
  })

  it('refuses a key that belongs to another expense, whatever differs', async () => {
    const user = someUser()
    await open.store.add(user, lunch, 'key')
    const differences = [
      { date: '2026-03-15' },
      { amount: 12.31 },
      { category: 'other' as const },
      { description: 'lunch' },
      { payment_method: 'cash' as const },
    ]
    for (const difference of differences) {
      await assert.rejects(open.store.add(user, { ...lunch, ...difference }, 'key'), {
        name: 'IdempotencyConflict',
        code: 'idempotency_conflict',
        message: 'This idempotency key belongs to another expense. Use a new key for a new expense.',
      })
    }
    assert.equal((await open.store.list(user, { limit: 10 })).expenses.length, 1)
  })

  it('lets two users use the same key', async () => {
    const [alice, bob] = [someUser(), someUser()]
    await open.store.add(alice, lunch, 'key')
    const { replayed, expense } = await open.store.add(bob, { ...lunch, amount: 99 }, 'key')
    assert.equal(replayed, false)
    assert.equal(expense.amount, 99)
  })

  it('takes two keys for two expenses, also when they differ in case or are empty', async () => {
    const user = someUser()
    for (const key of ['a', 'A', '', ' ', 'summary']) await open.store.add(user, lunch, key)
    assert.equal((await open.store.list(user, { limit: 10 })).expenses.length, 5)
  })
})
