import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { UserId } from '../../../app/auth/verifier.ts'
import { CATEGORIES, type Expense, type NewExpense, PAYMENT_METHODS } from '../../../app/store/expenses.ts'
import { admin, listAll, openStore, someUser } from '../store.ts'

const day = fc
  .date({ min: new Date('2025-12-25'), max: new Date('2026-01-07'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))

const expense: fc.Arbitrary<NewExpense> = fc.record({
  date: day,
  amount: fc.integer({ min: 1, max: 100_000_000 }).map((cents) => cents / 100),
  category: fc.constantFrom(...CATEGORIES),
  description: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  payment_method: fc.constantFrom(...PAYMENT_METHODS),
})

const add = fc.record({
  who: fc.nat(2),
  expense,
  key: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
})

const filter = fc.record({
  from: fc.option(day, { nil: undefined }),
  to: fc.option(day, { nil: undefined }),
  category: fc.option(fc.constantFrom(...CATEGORIES), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 9 }),
})

const newestFirst = (a: Expense, b: Expense) => {
  const [left, right] = [a, b].map(({ date, created_at, id }) => `${date}#${created_at}#${id}`)
  return String(left) < String(right) ? 1 : -1
}

it('lists and counts what a plain list in memory would, for random adds of several users', async () => {
  const open = await openStore({ pageSize: 3 })
  const model = new Map<UserId, Expense[]>()

  const addToBoth = async (user: UserId, expense: NewExpense, key: string | undefined, used: Set<string>) => {
    const own = model.get(user) ?? []
    const isNew = key === undefined || !used.has(key)
    const outcome = await open.store.add(user, expense, key).catch((error: unknown) => error)
    if (key !== undefined) used.add(key)
    // Two random expenses are never equal here, so a used key is always a conflict.
    if (!isNew) return assert.ok(outcome instanceof Error && outcome.name === 'IdempotencyConflict')
    assert.ok(!(outcome instanceof Error), String(outcome))
    const { expense: saved } = outcome as Awaited<ReturnType<typeof open.store.add>>
    model.set(user, [...own, saved])
  }

  const assertStats = async () => {
    const all = [...model.values()].flat()
    const stats = await open.store.stats(admin)
    const cents = (list: Expense[]) => list.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0)
    assert.deepEqual([stats.users, stats.count, stats.total], [model.size, all.length, cents(all) / 100])
    for (const category of CATEGORIES) {
      const own = all.filter((it) => it.category === category)
      assert.deepEqual(stats.categories[category], { count: own.length, total: cents(own) / 100 })
    }
  }

  const assertLists = async (user: UserId, wanted: Parameters<typeof listAll>[2]) => {
    const { from = '', to = '~', category } = wanted
    const expected = (model.get(user) ?? [])
      .filter(({ date }) => date >= from && date <= to)
      .filter((it) => category === undefined || it.category === category)
      .sort(newestFirst)
    assert.deepEqual((await listAll(open.store, user, wanted)).flat(), expected)
  }

  try {
    const adds = fc.uniqueArray(add, { maxLength: 25, selector: ({ expense }) => JSON.stringify(expense) })
    await fc.assert(
      fc.asyncProperty(adds, fc.array(filter, { minLength: 1, maxLength: 3 }), async (adds, filters) => {
        const users = [someUser(), someUser(), someUser()]
        const used = new Map(users.map((user) => [user, new Set<string>()]))
        for (const { who, expense, key } of adds) {
          const user = users[who] ?? someUser()
          await addToBoth(user, expense, key, used.get(user) ?? new Set())
        }
        for (const user of users) for (const wanted of filters) await assertLists(user, wanted)
        await assertStats()
      }),
      { numRuns: 25 },
    )
  } finally {
    await open.close()
  }
})
