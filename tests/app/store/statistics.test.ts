import assert from 'node:assert/strict'
import { afterEach, describe, it, mock } from 'node:test'
import { type ExpenseStats, StoreUnavailable } from '../../../app/store/expenses.ts'
import { Statistics } from '../../../app/store/statistics.ts'
import { createLog } from '../../../app/telemetry/log.ts'
import { admin, lunch, notOnRealCosmos, noWaiting, openStore, someUser } from '../store.ts'

const none = { count: 0, total: 0 }
const answer: ExpenseStats = {
  users: 2,
  count: 3,
  total: 5.3,
  categories: { food: none, transport: none, entertainment: none, shopping: none, gadget: none, other: none },
}

describe('the kept statistics', () => {
  afterEach(() => mock.timers.reset())

  function open() {
    mock.timers.enable({ apis: ['Date'], now: 0 })
    const lines: Record<string, unknown>[] = []
    const flights: PromiseWithResolvers<ExpenseStats & { pages: number; requestCharge: number }>[] = []
    const stats = () => {
      const flight = Promise.withResolvers<ExpenseStats & { pages: number; requestCharge: number }>()
      flights.push(flight)
      return flight.promise
    }
    const log = createLog('info', (line) => lines.push(JSON.parse(line)))
    const statistics = new Statistics({ stats }, log)
    const land = (flight: number) => flights[flight]?.resolve({ ...answer, pages: 4, requestCharge: 12.345 })
    return { lines, flights, land, read: () => statistics.read(admin, 'request') }
  }

  it('are counted in one flight for all who ask, and kept for a minute with their age', async () => {
    const { flights, land, read } = open()
    const asked = [read(), read(), read(), read()]
    land(0)
    for (const told of await Promise.all(asked)) assert.deepEqual(told, { ...answer, ageSeconds: 0 })
    mock.timers.setTime(59_999)
    assert.equal((await read()).ageSeconds, 59)
    assert.equal(flights.length, 1)
    mock.timers.setTime(60_000)
    const again = read()
    land(1)
    assert.equal((await again).ageSeconds, 0)
    assert.equal(flights.length, 2)
  })

  it('fail for all who asked, and are counted anew for the next', async () => {
    const { flights, land, read } = open()
    const asked = [read(), read()]
    flights[0]?.reject(new StoreUnavailable(5_000))
    for (const { status } of await Promise.allSettled(asked)) assert.equal(status, 'rejected')
    const again = read()
    land(1)
    assert.equal((await again).users, 2)
  })

  it('say what they cost in the log', async () => {
    const { lines, land, read } = open()
    const asked = read()
    land(0)
    await asked
    const { time: _, duration_ms: __, ...line } = lines[0] ?? {}
    assert.deepEqual(line, {
      level: 'info',
      message: 'Statistics were counted.',
      request_id: 'request',
      users: 2,
      pages: 4,
      request_charge: 12.35,
    })
  })
})

describe('counting', { skip: notOnRealCosmos }, () => {
  it('goes page by page, adding up the charge', async () => {
    const open = await openStore({ pageSize: 2 })
    try {
      for (let user = 0; user < 5; user++) await open.store.add(someUser(), lunch)
      const { users, pages, requestCharge } = await open.store.stats(admin)
      assert.deepEqual([users, pages, requestCharge], [5, 3, 3])
    } finally {
      await open.close()
    }
  })

  it('has one deadline for all pages together', async () => {
    const open = await openStore({ pageSize: 1 })
    try {
      for (let user = 0; user < 3; user++) await open.store.add(someUser(), lunch)
      // The first page comes; the second would have a minute of its own.
      open.cosmos.faults.inject('query', 'none')
      open.cosmos.faults.inject('query', 'hang')
      await assert.rejects(open.storeWithin(noWaiting(60_000), 200).stats(admin), StoreUnavailable)
    } finally {
      await open.close()
    }
  })
})
