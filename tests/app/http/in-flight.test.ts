import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InFlight } from '../../../app/http/in-flight.ts'
import { Refusal } from '../../../app/http/refusal.ts'
import { someUser } from '../store.ts'

const refuses = (enter: () => unknown, status: number) =>
  assert.throws(
    enter,
    (error) => error instanceof Refusal && error.status === status && error.headers['retry-after'] === '1',
  )

describe('requests in flight', () => {
  it('are bounded per user, and a place that is given back is free', () => {
    const inFlight = new InFlight(2, 10)
    const [alice, bob] = [someUser(), someUser()]
    const leave = inFlight.enter(alice)
    inFlight.enter(alice)
    refuses(() => inFlight.enter(alice), 429)
    inFlight.enter(bob)
    leave()
    inFlight.enter(alice)
    refuses(() => inFlight.enter(alice), 429)
  })

  it('are bounded in all', () => {
    const inFlight = new InFlight(2, 3)
    const leaves = [someUser(), someUser(), someUser()].map((user) => inFlight.enter(user))
    refuses(() => inFlight.enter(someUser()), 503)
    for (const leave of leaves) leave()
    inFlight.enter(someUser())
  })
})
