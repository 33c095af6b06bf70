import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openContainer } from '../../../app/store/cosmos.ts'
import { CATEGORIES, ExpenseStore, type NewExpense, PAYMENT_METHODS } from '../../../app/store/expenses.ts'
import { admin, lunch, notOnRealCosmos, type OpenStore, openStore, someUser } from '../store.ts'

describe('the expense store', () => {
  let open: OpenStore
  before(async () => {
    open = await openStore()
  })
  after(() => open.close())

  it('returns what was added', async () => {
    const user = someUser()
    const { expense, replayed } = await open.store.add(user, lunch)
    const { id, created_at, ...rest } = expense
    assert.deepEqual(rest, lunch)
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.equal(new Date(created_at).toISOString(), created_at)
    assert.equal(replayed, false)
    assert.deepEqual(await open.store.list(user, { limit: 10 }), { expenses: [expense] })
  })

  it('keeps the expenses of two users apart', async () => {
    const [alice, bob] = [someUser('alice'), someUser('bob')]
    const { expense } = await open.store.add(alice, lunch)
    const { expense: other } = await open.store.add(bob, { ...lunch, description: 'Dinner' })
    assert.deepEqual((await open.store.list(alice, { limit: 10 })).expenses, [expense])
    assert.deepEqual((await open.store.list(bob, { limit: 10 })).expenses, [other])
    assert.deepEqual((await open.store.list(someUser('carol'), { limit: 10 })).expenses, [])
  })

  it('adds amounts up exactly, although 0.1 + 0.2 is not 0.3', async () => {
    const own = await openStore()
    try {
      const user = someUser()
      for (const amount of [0.1, 0.2, 0.1 + 0.2, 1.1, 2.2, 4.35, 8.2, 1_000_000, 999_999.99]) {
        await own.store.add(user, { ...lunch, amount })
      }
      const { expenses } = await own.store.list(user, { limit: 20 })
      assert.ok(expenses.some(({ amount }) => amount === 0.3))
      assert.equal((await own.store.stats(admin)).total, 2_000_016.44)
    } finally {
      await own.close()
    }
  })

  it('refuses an amount that is not a whole number of cents', async () => {
    for (const amount of [0.001, 1.005, Number.NaN, Number.POSITIVE_INFINITY, 1e15]) {
      await assert.rejects(open.store.add(someUser(), { ...lunch, amount }), RangeError)
    }
  })

  it('stores and finds text with quotes and other syntax as it is', async () => {
    const hostile = [
      "' OR '1'='1",
      '"; DROP TABLE documents; --',
      '\\',
      "\\' OR c.type = 'summary",
      '\u2028é漢😀',
      '@uid',
    ]
    for (const text of hostile) {
      const user = someUser('o\'neil"')
      const { expense } = await open.store.add(user, { ...lunch, description: text }, text)
      assert.equal(expense.description, text)
      assert.deepEqual((await open.store.list(user, { limit: 5 })).expenses, [expense])
    }
  })

  it('takes no part of a filter for query text', async () => {
    const user = someUser()
    await open.store.add(user, lunch)
    const from = "2026-01-01' OR c.user_id != '"
    assert.equal((await open.store.list(user, { limit: 5, to: from })).expenses.length, 0)
    assert.equal((await open.store.list(someUser(), { limit: 5, from })).expenses.length, 0)
  })

  it('filters by first day, last day and category, newest first', async () => {
    const user = someUser()
    const days = ['2026-01-31', '2026-02-01', '2026-02-15', '2026-02-28', '2026-03-01']
    for (const [index, date] of days.entries()) {
      const category = CATEGORIES[index % 2] ?? 'other'
      await open.store.add(user, { ...lunch, date, category })
    }
    const datesOf = async (filter: { from?: string; to?: string; category?: 'food' | 'transport' }) =>
      (await open.store.list(user, { limit: 50, ...filter })).expenses.map(({ date }) => date)
    assert.deepEqual(await datesOf({}), days.toReversed())
    assert.deepEqual(await datesOf({ from: '2026-02-01' }), days.slice(1).toReversed())
    assert.deepEqual(await datesOf({ to: '2026-02-28' }), days.slice(0, 4).toReversed())
    assert.deepEqual(await datesOf({ from: '2026-02-15', to: '2026-02-15' }), ['2026-02-15'])
    assert.deepEqual(await datesOf({ from: '2026-02-01', category: 'transport' }), [
      '2026-02-28',
      '2026-02-01',
    ])
    assert.deepEqual(await datesOf({ from: '2026-03-02' }), [])
  })

  it('orders the expenses of one day by the moment they were added', async () => {
    const user = someUser()
    const added: string[] = []
    for (let index = 0; index < 5; index++) {
      const { expense } = await open.store.add(user, lunch)
      added.push(`${expense.created_at}#${expense.id}`)
    }
    const { expenses } = await open.store.list(user, { limit: 10 })
    assert.deepEqual(
      expenses.map(({ created_at, id }) => `${created_at}#${id}`),
      added.sort().reverse(),
    )
  })

  it('says that the container is reachable', async () => {
    await open.store.reachable()
  })

  it('throws from reachable when the container is missing or the probe is given up', async () => {
    const { database } = open.container
    const missing = openContainer({ ...open.address, database: database.id, container: 'missing' })
    await assert.rejects(new ExpenseStore(missing).reachable(), { code: 404 })
    await assert.rejects(open.store.reachable(0), { code: 'deadline_exceeded' })
  })

  it('throws what Cosmos refuses for good as it is', async () => {
    const { database } = open.container
    const missing = openContainer({ ...open.address, database: database.id, container: 'missing' })
    const store = new ExpenseStore(missing)
    await assert.rejects(store.list(someUser(), { limit: 1 }), { code: 404 })
    await assert.rejects(store.add(someUser(), lunch), ({ cause }) => cause.code === 404)
  })

  it('throws when a stored document is not what the store writes', async () => {
    const user = someUser()
    const { expense } = await open.store.add(user, lunch)
    const item = open.container.item(expense.id, user)
    await item.patch([{ op: 'set', path: '/amount_cents', value: 12.5 }])
    await assert.rejects(open.store.list(user, { limit: 1 }), { name: 'ZodError' })
    await item.patch([{ op: 'set', path: '/amount_cents', value: 1_230 }])
  })

  it('needs a key or a credential', () => {
    const address = { endpoint: 'https://localhost', database: 'expenses', container: 'expenses' }
    assert.throws(() => openContainer(address), /credential/)
    const credential = { getToken: async () => null }
    assert.equal(openContainer({ ...address, credential }).id, 'expenses')
  })
})

describe('statistics', () => {
  it('count and sum per category over all users', async () => {
    const open = await openStore()
    try {
      const nothing = await open.store.stats(admin)
      assert.deepEqual([nothing.users, nothing.count, nothing.total], [0, 0, 0])
      const [alice, bob] = [someUser('alice'), someUser('bob')]
      await open.store.add(alice, { ...lunch, amount: 0.1 })
      await open.store.add(alice, { ...lunch, amount: 0.2 })
      await open.store.add(bob, { ...lunch, amount: 5, category: 'gadget', payment_method: 'cash' })
      const stats = await open.store.stats(admin)
      assert.deepEqual([stats.users, stats.count, stats.total], [2, 3, 5.3])
      assert.deepEqual(stats.categories.food, { count: 2, total: 0.3 })
      assert.deepEqual(stats.categories.gadget, { count: 1, total: 5 })
      assert.deepEqual(stats.categories.other, { count: 0, total: 0 })
      assert.deepEqual(Object.keys(stats.categories), [...CATEGORIES])
    } finally {
      await open.close()
    }
  })

  it('read one document per user, however many expenses there are', { skip: notOnRealCosmos }, async () => {
    const open = await openStore()
    try {
      const users = Array.from({ length: 20 }, () => someUser())
      const addEach = async (times: number) => {
        for (let round = 0; round < times; round++) {
          const payment_method = PAYMENT_METHODS[round % 3] ?? 'cash'
          const expense: NewExpense = { ...lunch, amount: 1, payment_method }
          await Promise.all(users.map((user) => open.store.add(user, expense)))
        }
      }
      const documentsFor = async (count: number) => {
        const before = open.cosmos.counters.documentsRead
        const stats = await open.store.stats(admin)
        assert.deepEqual([stats.users, stats.count, stats.total], [20, count, count])
        return open.cosmos.counters.documentsRead - before
      }
      await addEach(5)
      assert.equal(await documentsFor(100), 20)
      await addEach(45)
      assert.equal(await documentsFor(1_000), 20)
    } finally {
      await open.close()
    }
  })
})
