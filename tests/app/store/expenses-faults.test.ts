import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import type { UserId } from '../../../app/auth/verifier.ts'
import { StoreUnavailable } from '../../../app/store/expenses.ts'
import type { Fault } from '../../scripts/emulators/cosmos.ts'
import { admin, lunch, notOnRealCosmos, noWaiting, type OpenStore, openStore, someUser } from '../store.ts'

describe('the expense store when Cosmos fails', { skip: notOnRealCosmos }, () => {
  let open: OpenStore
  before(async () => {
    open = await openStore()
  })
  after(() => open.close())
  afterEach(() => open.cosmos.faults.clear())

  /** The user has exactly these amounts, listed and counted. */
  const assertSaved = async (user: UserId, amounts: number[]) => {
    const { expenses } = await open.store.list(user, { limit: 200 })
    assert.deepEqual(expenses.map(({ amount }) => amount).sort(), amounts)
    const { resource } = await open.container.item('summary', user).read()
    const cents = Math.round(amounts.reduce((sum, amount) => sum + amount * 100, 0))
    assert.deepEqual([resource?.count, resource?.cents], [amounts.length, cents])
  }

  const passing: Fault[] = [
    { status: 429, retryAfterMs: 25 },
    { status: 449 },
    { status: 412 },
    { status: 408 },
    'drop',
  ]
  for (const fault of passing) {
    const name = typeof fault === 'string' ? 'a lost answer' : `a ${fault.status}`
    for (const key of [undefined, 'key']) {
      it(`adds once through ${name} ${key ? 'with' : 'without'} an idempotency key`, async () => {
        const user = someUser()
        const policy = noWaiting()
        const store = open.storeWith(policy)
        open.cosmos.faults.inject('batch', fault, 3)
        const { replayed } = await store.add(user, lunch, key)
        assert.equal(replayed, false)
        await assertSaved(user, [12.3])
        assert.ok(policy.waits.length > 0)
        open.cosmos.faults.inject('batch', fault)
        await store.add(user, { ...lunch, amount: 1 }, key && 'other key')
        await assertSaved(user, [1, 12.3])
      })
    }
  }

  it("adds once when the answer that would start a user's summary is lost", async () => {
    const user = someUser()
    // The first batch finds no summary; the second one starts it, and its answer is lost.
    open.cosmos.faults.inject('batch', 'none')
    open.cosmos.faults.inject('batch', 'drop', 2)
    const added = await open.storeWith(noWaiting()).add(user, lunch)
    assert.equal(added.replayed, false)
    await assertSaved(user, [12.3])
  })

  it('says replayed when a lost answer was about an expense that had been there before', async () => {
    const user = someUser()
    const { expense } = await open.store.add(user, lunch, 'key')
    open.cosmos.faults.inject('batch', 'drop')
    const again = await open.storeWith(noWaiting()).add(user, lunch, 'key')
    assert.deepEqual(again, { expense, replayed: true })
    await assertSaved(user, [12.3])
  })

  it('lists and counts through 429, 449 and 408, waiting as long as it is told', async () => {
    const user = someUser()
    const { expense } = await open.store.add(user, lunch)
    const policy = noWaiting()
    const store = open.storeWith(policy)
    for (const status of [429, 449, 408] as const) {
      open.cosmos.faults.inject('query', { status, retryAfterMs: 500 }, 2)
      assert.deepEqual((await store.list(user, { limit: 5 })).expenses, [expense])
      open.cosmos.faults.inject('query', { status, retryAfterMs: 500 }, 2)
      assert.ok((await store.stats(admin)).count > 0)
    }
    assert.equal(policy.waits.length, 12)
    assert.ok(policy.waits.every((ms) => ms >= 500 && ms < 1_500))
  })

  it('asks again for the refused page only', async () => {
    const short = await openStore({ pageSize: 2 })
    try {
      const user = someUser()
      for (const amount of [1, 2, 3, 4]) await short.store.add(user, { ...lunch, amount })
      const policy = noWaiting()
      const before = short.cosmos.counters.documentsRead
      short.cosmos.faults.inject('query', 'none')
      short.cosmos.faults.inject('query', { status: 429 }, 2)
      const store = short.storeWith(policy)
      const { expenses } = await store.list(user, { limit: 10 })
      assert.deepEqual(
        expenses.map(({ amount }) => amount),
        [4, 3, 2, 1],
      )
      assert.equal(short.cosmos.counters.documentsRead - before, 4)
      assert.equal(policy.waits.length, 2)
    } finally {
      await short.close()
    }
  })

  it('surfaces a 503 at once as unavailable, with the time to wait', async () => {
    const policy = noWaiting()
    const store = open.storeWith(policy)
    const user = someUser()
    const expected = { name: 'StoreUnavailable', code: 'store_unavailable', retryAfterSeconds: 7 }
    const fault: Fault = { status: 503, retryAfterMs: 6_500 }
    open.cosmos.faults.inject('batch', fault)
    await assert.rejects(store.add(user, lunch), expected)
    open.cosmos.faults.inject('query', fault)
    await assert.rejects(store.list(user, { limit: 1 }), expected)
    open.cosmos.faults.inject('query', { status: 503 })
    await assert.rejects(store.stats(admin), { ...expected, retryAfterSeconds: 5 })
    assert.deepEqual(policy.waits, [])
  })

  it('gives up at once when it is told to wait past its deadline', async () => {
    const policy = noWaiting(2_000)
    open.cosmos.faults.inject('batch', { status: 429, retryAfterMs: 30_000 })
    await assert.rejects(open.storeWith(policy).add(someUser(), lunch), {
      code: 'store_unavailable',
      retryAfterSeconds: 30,
    })
    assert.deepEqual(policy.waits, [])
  })

  it('gives up at its deadline when no answer comes, and a retry with the key does not double', async () => {
    const user = someUser()
    await open.store.add(user, lunch)
    open.cosmos.faults.inject('batch', 'hang')
    const impatient = open.storeWith(noWaiting(50))
    await assert.rejects(impatient.add(user, { ...lunch, amount: 1 }, 'key'), StoreUnavailable)
    await open.store.add(user, { ...lunch, amount: 1 }, 'key')
    await assertSaved(user, [1, 12.3])
  })

  it('is unavailable, not broken, when nothing listens', async () => {
    const gone = await openStore()
    await gone.store.add(someUser(), lunch)
    const store = gone.storeWith(noWaiting(50))
    await gone.close()
    await assert.rejects(store.add(someUser(), lunch), StoreUnavailable)
  })
})
