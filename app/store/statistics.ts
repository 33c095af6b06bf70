import type { Log } from '../telemetry/log.ts'
import type { ExpenseStats, ExpenseStore, StatisticsReader } from './expenses.ts'

const KEPT_MS = 60_000

/**
 * The statistics over all users, counted at most once a minute: counting reads a document of every user, so all
 * who ask meanwhile wait for one flight, and the answer is kept.
 */
export class Statistics {
  readonly #store: Pick<ExpenseStore, 'stats'>
  readonly #log: Log
  #flight: { stats: Promise<ExpenseStats>; began: number } | undefined

  constructor(store: Pick<ExpenseStore, 'stats'>, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** `ageSeconds`: since the counting began. Throws what the store throws; a failure is not kept. */
  async read(reader: StatisticsReader, requestId: string): Promise<ExpenseStats & { ageSeconds: number }> {
    if (!this.#flight || Date.now() - this.#flight.began >= KEPT_MS) {
      const flight = { stats: this.#count(reader, requestId), began: Date.now() }
      this.#flight = flight
      flight.stats.catch(() => {
        if (this.#flight === flight) this.#flight = undefined
      })
    }
    const { stats, began } = this.#flight
    const counted = await stats
    return { ...counted, ageSeconds: Math.floor((Date.now() - began) / 1000) }
  }

  async #count(reader: StatisticsReader, request_id: string): Promise<ExpenseStats> {
    const began = performance.now()
    const { pages, requestCharge, ...stats } = await this.#store.stats(reader)
    const duration_ms = Math.round(performance.now() - began)
    const cost = { users: stats.users, pages, request_charge: Math.round(requestCharge * 100) / 100 }
    this.#log.info('Statistics were counted.', { request_id, ...cost, duration_ms })
    return stats
  }
}
