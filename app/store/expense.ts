import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { UserId } from '../auth/verifier.ts'

/**
 * The version of this program's documents, written into each. What has none is of version 1, which lacked it. Documents
 * of every version are read: a rollback, and replicas of two versions side by side, meet those of the next one.
 */
const SCHEMA_VERSION = 2

/** Every category that an expense can be recorded with; tools build their input schema from it. */
export const CATEGORIES = ['food', 'transport', 'entertainment', 'shopping', 'gadget', 'other'] as const
export type Category = (typeof CATEGORIES)[number]

/** Every way of payment that an expense can be recorded with; tools build their input schema from it. */
export const PAYMENT_METHODS = ['amex', 'visa', 'cash'] as const
export type PaymentMethod = (typeof PAYMENT_METHODS)[number]

/** What a user records: `date` is YYYY-MM-DD, `amount` has at most two decimals. */
export interface NewExpense {
  date: string
  amount: number
  category: Category
  description: string
  payment_method: PaymentMethod
}

/**
 * A recorded expense; `created_at` is an ISO 8601 instant in UTC. Category and payment method may be others than those
 * above: of another version of this program.
 */
export interface Expense extends Omit<NewExpense, 'category' | 'payment_method'> {
  id: string
  category: string
  payment_method: string
  created_at: string
}

const cents = z.int()

const Version = z.int().default(1)

/** The stored form of an expense. What Cosmos (`_etag` and so on) and other versions add is dropped. */
export const ExpenseDocument = z.object({
  id: z.string(),
  user_id: z.string(),
  type: z.literal('expense'),
  schema_version: Version,
  sort_key: z.string(),
  date: z.string(),
  amount_cents: cents,
  category: z.string(),
  description: z.string(),
  payment_method: z.string(),
  created_at: z.string(),
})
export type ExpenseDocument = z.infer<typeof ExpenseDocument>

/** Loose: what another version counts here is written back with it. */
const Sum = z.object({ count: z.int(), cents }).catchall(z.json())

/** The one running total of a user, changed in the same batch as the expense it counts. */
export const SummaryDocument = z.object({
  id: z.literal('summary'),
  user_id: z.string(),
  type: z.literal('summary'),
  schema_version: Version,
  ...Sum.shape,
  /** Not every category has a counter, and there may be counters of other categories. */
  by_category: z.record(z.string(), Sum).default({}),
})
export type SummaryDocument = z.infer<typeof SummaryDocument>

/**
 * Exact cents of an amount: 0.1 + 0.2 is 30, although it is not 0.3.
 *
 * @throws RangeError when the amount has more than two decimals or leaves the exact integers
 */
export const toCents = (amount: number): number => {
  const rounded = Math.round(amount * 100)
  const exact = Number.isSafeInteger(rounded) && Math.abs(amount * 100 - rounded) < 1e-6
  if (!exact) throw new RangeError('An amount has at most two decimals.')
  return rounded
}

/** The amount, in the currency's unit, of exact cents. */
export const toAmount = (cents: number): number => cents / 100

/** What the user gets to see of a stored expense. */
export const toExpense = (document: ExpenseDocument): Expense => ({
  id: document.id,
  date: document.date,
  amount: toAmount(document.amount_cents),
  category: document.category,
  description: document.description,
  payment_method: document.payment_method,
  created_at: document.created_at,
})

/**
 * The document of a new expense, stamped with the present. With an idempotency key its id follows
 * from the key, so that Cosmos itself refuses the second one in the user's partition.
 */
export const toDocument = (user: UserId, expense: NewExpense, idempotencyKey?: string): ExpenseDocument => {
  const { date, amount, category, description, payment_method } = expense
  const id = idempotencyKey === undefined ? randomUUID() : idOfKey(idempotencyKey)
  const created_at = nextMoment().toISOString()
  return {
    id,
    user_id: user,
    type: 'expense',
    schema_version: SCHEMA_VERSION,
    // Sorts by day, then by moment of entry; the id makes it unique, which paging relies on.
    sort_key: `${date}#${created_at}#${id}`,
    date,
    amount_cents: toCents(amount),
    category,
    description,
    payment_method,
    created_at,
  }
}

let lastMoment = 0

/** Never the same twice: of two expenses in one millisecond the later one is the newer one. */
function nextMoment(): Date {
  lastMoment = Math.max(Date.now(), lastMoment + 1)
  return new Date(lastMoment)
}

// Hashed, because a key may hold any character and an id may not. Nothing is normalized: keys are the same when their
// bytes in UTF-8 are. A lone surrogate has none, so the tools refuse it.
const idOfKey = (key: string) => createHash('sha256').update(key).digest('hex')

/** Whether both record the same thing, whenever that was. */
export const isSameExpense = (a: ExpenseDocument, b: ExpenseDocument): boolean =>
  a.date === b.date &&
  a.amount_cents === b.amount_cents &&
  a.category === b.category &&
  a.description === b.description &&
  a.payment_method === b.payment_method
