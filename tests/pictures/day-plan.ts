/** What happens on a day of the server: who calls what and when, and what goes wrong. */
import { EntraError, errorBody } from '../../scripts/emulators/entra/refusals.ts'
import type { System, UserName } from '../e2e/system.ts'

const PEOPLE = ['Alice', 'Bob', 'Carol'] as const
/** Calls in each hour of a working day. */
const HOURS = [0, 0, 0, 0, 0, 2, 4, 14, 28, 36, 32, 24, 20, 28, 34, 30, 24, 14, 8, 6, 4, 2, 0, 0]
const TOOLS = ['get_user_expenses', 'get_user_expenses', 'add_user_expense', 'get_expense_stats'] as const

/** `at`: minutes since midnight. `token`: instead of one that is right. */
type Call = Readonly<{ at: number; tool: (typeof TOOLS)[number]; who?: UserName; token?: string }>
/** A part of the day; `begin` is what goes wrong in it. */
export type Part = Readonly<{ calls: readonly Call[]; begin?: (system: System) => void }>

/** In turns: of three people and four tools each meets each. */
const ordinaryDay = (): Call[] =>
  HOURS.flatMap((calls, hour) =>
    Array.from({ length: calls }, (_, index) => (hour + index / calls) * 60),
  ).map((at, index) => ({ at, who: cycled(PEOPLE, index), tool: cycled(TOOLS, index) }))

const cycled = <Of>(all: readonly [Of, ...Of[]], index: number): Of => all[index % all.length] ?? all[0]

/** So many calls within less than a quarter of an hour. */
const burst = (from: number, times: number, call: Omit<Call, 'at'>): Call[] =>
  Array.from({ length: times }, (_, index) => ({ at: from + (14 * index) / times, ...call }))

/** In the order in which they are lived: what is cached lasts, and of what nobody signed only ten of a kind have lines of their own. */
export const PARTS: readonly Part[] = [
  {
    calls: burst(7 * 60, 12, { who: 'Alice', tool: 'get_expense_stats' }),
    begin: ({ tenant }) => {
      const body = { error: { code: 'Authorization_RequestDenied', message: 'No.' } }
      tenant.faults.on('graph', { answer: 403, body })
    },
  },
  {
    calls: burst(17 * 60, 1, { who: 'Bob', tool: 'get_expense_stats' }),
    begin: ({ tenant }) => tenant.faults.on('graph', { close: true }),
  },
  { calls: ordinaryDay() },
  {
    calls: burst(10 * 60 + 30, 12, { who: 'Bob', tool: 'get_user_expenses' }),
    begin: ({ cosmos }) => cosmos.faults.inject('query', { status: 503 }, 12),
  },
  {
    calls: burst(14 * 60, 24, { who: 'Alice', tool: 'get_expense_stats' }),
    begin: ({ tenant }) => {
      const body = errorBody(new EntraError(7000215, 'invalid_client', 'Wrong.'), 0)
      tenant.faults.on('obo', { answer: 401, body })
    },
  },
  { calls: burst(2 * 60 + 15, 25, { tool: 'get_user_expenses' }) },
  { calls: burst(2 * 60 + 15, 60, { tool: 'get_user_expenses', token: 'not.a.token' }) },
]
