import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { UserId } from '../../../app/auth/verifier.ts'
import { makeCursor } from '../../../app/store/cursor.ts'
import { CursorInvalid } from '../../../app/store/expenses.ts'
import { listAll, lunch, notOnRealCosmos, type OpenStore, openStore, someUser } from '../store.ts'

const size = 23

const fill = async (open: OpenStore) => {
  const user = someUser()
  const day = (index: number) => `2026-03-${String(1 + (index % 7)).padStart(2, '0')}`
  const expenses = Array.from({ length: size }, (_, index) => ({
    ...lunch,
    date: day(index),
    amount: index + 1,
  }))
  await Promise.all(expenses.map((expense) => open.store.add(user, expense)))
  return user
}

const refusal = {
  name: 'CursorInvalid',
  code: 'cursor_invalid',
  message: 'This cursor does not continue this list. Leave it out to start from the newest expense.',
}

const assertPaging = async (open: OpenStore, user: UserId) => {
  const [all = []] = await listAll(open.store, user, { limit: 200 })
  assert.equal(all.length, size)
  for (const limit of [1, 2, 3, 5, 11, 22, 23, 24, 200]) {
    const pages = await listAll(open.store, user, { limit })
    assert.deepEqual(pages.flat(), all, `limit ${limit}`)
    assert.ok(pages.slice(0, -1).every(({ length }) => length === limit))
    assert.equal(pages.length, Math.ceil(size / limit))
  }
}

describe('paging', () => {
  let open: OpenStore
  let user: UserId
  before(async () => {
    open = await openStore()
    user = await fill(open)
  })
  after(() => open.close())

  const firstCursor = async (filter: { category?: 'food' } = {}) => {
    const { nextCursor } = await open.store.list(user, { limit: 5, ...filter })
    assert.ok(nextCursor)
    return nextCursor
  }

  it('shows every expense once for every page size', () => assertPaging(open, user))

  it('shows every expense once when the service cuts its pages short', {
    skip: notOnRealCosmos,
  }, async () => {
    for (const pageSize of [1, 4]) {
      const short = await openStore({ pageSize })
      try {
        await assertPaging(short, await fill(short))
      } finally {
        await short.close()
      }
    }
  })

  it('stays whole while expenses are added between two pages', async () => {
    const growing = await fill(open)
    const { expenses: first, nextCursor } = await open.store.list(growing, { limit: 10 })
    await open.store.add(growing, { ...lunch, date: '2026-12-31' })
    assert.ok(nextCursor)
    const rest = await open.store.list(growing, { limit: 200, cursor: nextCursor })
    assert.equal(new Set([...first, ...rest.expenses].map(({ id }) => id)).size, size)
    assert.ok(rest.expenses.every(({ date }) => date !== '2026-12-31'))
  })

  it('continues with another limit', async () => {
    const { expenses } = await open.store.list(user, { limit: 100, cursor: await firstCursor() })
    assert.equal(expenses.length, size - 5)
  })

  it("refuses another user's cursor", async () => {
    await assert.rejects(open.store.list(someUser(), { limit: 5, cursor: await firstCursor() }), refusal)
  })

  it('shows only the own expenses even to someone who forges a cursor', async () => {
    const [newest] = (await open.store.list(user, { limit: 1 })).expenses
    assert.ok(newest)
    const stranger = someUser()
    const { expense } = await open.store.add(stranger, { ...lunch, date: '2026-01-01' })
    const forged = makeCursor(stranger, {}, `${newest.date}#${newest.created_at}#${newest.id}`)
    assert.deepEqual(await open.store.list(stranger, { limit: 50, cursor: forged }), { expenses: [expense] })
  })

  it('refuses a cursor of other filters', async () => {
    const cursor = await firstCursor()
    for (const filter of [{ from: '2026-03-01' }, { to: '2026-03-31' }, { category: 'food' as const }]) {
      await assert.rejects(open.store.list(user, { limit: 5, cursor, ...filter }), refusal)
    }
    const filtered = await firstCursor({ category: 'food' })
    await assert.rejects(open.store.list(user, { limit: 5, cursor: filtered }), refusal)
    assert.ok(await open.store.list(user, { limit: 5, category: 'food', cursor: filtered }))
  })

  it('refuses a cursor that was cut off at any place', async () => {
    const cursor = await firstCursor()
    for (let length = 0; length < cursor.length; length++) {
      await assert.rejects(
        open.store.list(user, { limit: 5, cursor: cursor.slice(0, length) }),
        CursorInvalid,
      )
    }
  })

  it('refuses a cursor in which any character was changed', async () => {
    const cursor = await firstCursor()
    for (let index = 0; index < cursor.length; index++) {
      const other = cursor[index] === 'A' ? 'B' : 'A'
      const changed = cursor.slice(0, index) + other + cursor.slice(index + 1)
      await assert.rejects(open.store.list(user, { limit: 5, cursor: changed }), CursorInvalid)
    }
  })

  it('refuses what never was a cursor', async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const cursor = await firstCursor()
    const content: Record<string, unknown> = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const broken = [
      ...['', 'x', '💥', `${cursor}=`, `${cursor} `, `!${cursor}`, 'A'.repeat(1_000_000)],
      ...[
        encode(null),
        encode([]),
        encode({}),
        encode({ ...content, v: 2 }),
        encode({ ...content, user: 'other' }),
      ],
      ...[encode({ ...content, after: '9' }), encode({ ...content, after: { $gt: '' } }), encode(cursor)],
      ...[Buffer.from('{"v":1').toString('base64url'), encode({ ...content, check: undefined })],
    ]
    for (const text of broken) {
      await assert.rejects(open.store.list(user, { limit: 5, cursor: text }), refusal, text.slice(0, 50))
    }
  })
})
