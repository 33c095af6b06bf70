/** Documents as other versions of the program leave them in a user's partition. */

const expense = (user_id: string, id: string, changes: Record<string, unknown> = {}) => ({
  id,
  user_id,
  type: 'expense',
  sort_key: `2026-03-14#2026-03-14T10:00:00.000Z#${id}`,
  date: '2026-03-14',
  amount_cents: 1230,
  category: 'food',
  description: 'Lunch',
  payment_method: 'visa',
  created_at: '2026-03-14T10:00:00.000Z',
  ...changes,
})

/** Version 1: no schema version; of a time before the category `gadget`. */
export const lastVersion = (user: string): Record<string, unknown>[] => [
  expense(user, 'a1'),
  {
    id: 'summary',
    user_id: user,
    type: 'summary',
    count: 1,
    cents: 1230,
    by_category: {
      food: { count: 1, cents: 1230 },
      transport: { count: 0, cents: 0 },
      entertainment: { count: 0, cents: 0 },
      shopping: { count: 0, cents: 0 },
      other: { count: 0, cents: 0 },
    },
  },
]

/** A version to come: another category, way of payment and kind of document, more properties. */
export const nextVersion = (user: string): Record<string, unknown>[] => [
  expense(user, 'b1', { schema_version: 3 }),
  expense(user, 'b2', {
    schema_version: 3,
    amount_cents: 50000,
    category: 'travel',
    description: 'Train to Lyon',
    payment_method: 'bank_transfer',
    created_at: '2026-03-14T11:00:00.000000+01:00',
    receipt: { url: 'https://receipts.example/1' },
  }),
  { id: 'budget', user_id: user, type: 'budget', schema_version: 3, limit_cents: 100000 },
  {
    id: 'summary',
    user_id: user,
    type: 'summary',
    schema_version: 3,
    count: 2,
    cents: 51230,
    by_category: {
      food: { count: 1, cents: 1230, receipts: 0 },
      travel: { count: 1, cents: 50000, receipts: 1 },
    },
    receipts: 1,
  },
]
