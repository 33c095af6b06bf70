import type { Cost } from './answer.ts'

/** Amounts of one currency, rounded to two decimals; each is rounded for itself, so they may differ from the total by cents. */
export type CurrencySummary = Readonly<{
  currency: string
  total: number
  /** The largest ones, largest first. */
  services: { service: string; amount: number }[]
  /** All other services together. */
  rest: Readonly<{ services: number; amount: number }>
}>

const rounded = (amount: number) => Math.round(amount * 100) / 100 || 0
const sum = (amounts: readonly number[]) => amounts.reduce((all, amount) => all + amount, 0)
const byName = (one: string, other: string) => (one < other ? -1 : Number(one > other))

/** Sums of each currency apart, for euros and dollars do not add up; currencies by name, services by amount. */
export function summarize(costs: readonly Cost[], top: number): CurrencySummary[] {
  const currencies = Map.groupBy(costs, ({ currency }) => currency)
  return [...currencies]
    .toSorted(([one], [other]) => byName(one, other))
    .map(([currency, own]) => {
      const services = [...Map.groupBy(own, ({ service }) => service)]
        .map(([service, parts]) => ({ service, amount: sum(parts.map(({ amount }) => amount)) }))
        .toSorted((one, other) => other.amount - one.amount || byName(one.service, other.service))
      const others = services.slice(top)
      return {
        currency,
        total: rounded(sum(services.map(({ amount }) => amount))),
        services: services.slice(0, top).map(({ service, amount }) => ({ service, amount: rounded(amount) })),
        rest: { services: others.length, amount: rounded(sum(others.map(({ amount }) => amount))) },
      }
    })
}
