import { EventEmitter, once } from 'node:events'
import type { Request, Response } from 'express'
import type { Endpoint } from '../../../scripts/emulators/interventions.ts'

/**
 * What goes wrong. A hang ends after its milliseconds, on release or when the caller hangs up; then the call is
 * answered. A `late` status (only of a managed directory, and not of what the server asks) comes after the work
 * was done: only the answer is lost.
 */
type Harm =
  | { status: 429 | 500 | 502 | 503 | 504; retryAfter?: number; late?: boolean }
  | { hang: true | number }
  | { close: true }
  /** The answer begins and stops in the middle of its body, until the caller has had enough. */
  | { stall: true }
  /** A whole answer that promises JSON and is none. */
  | { broken: true }
  /** Refused with this very answer: what a directory in another state would say. */
  | { answer: number; body: object; headers?: Record<string, string> }

/**
 * `times`: how many calls are hit, until cleared when left out. `only` spares the calls it says no to; `at`
 * hits just the so-many-th (from 1) of the others.
 */
export type Fault = Harm & { times?: number; at?: number; only?: (request: Request) => boolean }

/** A fault that is switched on. */
interface Active {
  fault: Fault
  left: number
  seen: number
  hits: number
  /** `hit`, and `release` for calls that hang. */
  events: EventEmitter
}

const none = (): Record<Endpoint, number> => ({
  keys: 0,
  token: 0,
  obo: 0,
  managedIdentity: 0,
  graph: 0,
  devops: 0,
  arm: 0,
  search: 0,
})

/** Faults of the emulator, switched on and off while it runs, and the count of calls per endpoint. */
export class Faults {
  /** Calls that arrived, hit or not. An OBO call counts as `token` and as `obo`. */
  readonly counters = none()
  readonly #active = new Map<Endpoint, Set<Active>>()

  /** Faults of one endpoint hit in the order they were switched on, one per call. */
  on(endpoint: Endpoint, fault: Fault) {
    const { times: left = Number.POSITIVE_INFINITY } = fault
    const active = { fault, left, seen: 0, hits: 0, events: new EventEmitter().setMaxListeners(0) }
    const all = this.#active.get(endpoint) ?? new Set()
    this.#active.set(endpoint, all.add(active))
    return {
      /** Resolves when so many calls have been hit: a test waits for this instead of sleeping. */
      reached: (calls: number): Promise<void> => reached(active, calls),
      release: () => void active.events.emit('release'),
      clear: () => {
        all.delete(active)
        active.events.emit('release')
      },
    }
  }

  /** Ends the faults of one endpoint, or all; calls that hang go on. */
  clear(endpoint?: Endpoint): void {
    for (const [name, all] of this.#active) {
      if (endpoint && name !== endpoint) continue
      for (const { events } of all) events.emit('release')
      all.clear()
    }
  }

  resetCounters(): void {
    Object.assign(this.counters, none())
  }

  /**
   * Counts the call and lets a fault happen to it. True when the call is over; a refusal is written by
   * `refuse`, because every endpoint has its own error body.
   */
  async hit(
    endpoint: Endpoint,
    request: Request,
    response: Response,
    refuse: (status: number) => void,
  ): Promise<boolean> {
    this.counters[endpoint] += 1
    // Every fault sees every call, or `at` would count from another one's hits.
    const [active] = [...(this.#active.get(endpoint) ?? [])].filter(
      (one) => (one.fault.only?.(request) ?? true) && isDue(one),
    )
    if (!active) return false
    active.left -= 1
    active.hits += 1
    active.events.emit('hit')
    return this.#harm(active, response, refuse)
  }

  async #harm(active: Active, response: Response, refuse: (status: number) => void): Promise<boolean> {
    const { fault } = active
    if ('close' in fault) {
      response.socket?.destroy()
      return true
    }
    if ('stall' in fault) {
      response
        .set({ 'content-type': 'application/json', 'content-length': '5000' })
        .write('{"access_token":"')
      return true
    }
    if ('broken' in fault) {
      response.type('application/json').send('{"value":[{"id":')
      return true
    }
    if ('answer' in fault) {
      response
        .status(fault.answer)
        .set(fault.headers ?? {})
        .json(fault.body)
      return true
    }
    if ('hang' in fault) {
      await hang(active, fault.hang, response)
      return response.destroyed || response.closed
    }
    if (fault.late) {
      response.locals.lateStatus = fault.status
      return false
    }
    if (fault.retryAfter !== undefined) response.set('Retry-After', String(fault.retryAfter))
    refuse(fault.status)
    return true
  }
}

function isDue(active: Active): boolean {
  active.seen += 1
  return active.left > 0 && (active.fault.at === undefined || active.fault.at === active.seen)
}

function hang({ events }: Active, time: true | number, response: Response): Promise<void> {
  return new Promise((resolve) => {
    const timer = time === true ? undefined : setTimeout(() => go(), time)
    const go = () => {
      clearTimeout(timer)
      events.off('release', go)
      response.off('close', go)
      resolve()
    }
    events.once('release', go)
    response.once('close', go)
  })
}

async function reached(active: Active, calls: number): Promise<void> {
  while (active.hits < calls) await once(active.events, 'hit')
}
