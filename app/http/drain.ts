import { once } from 'node:events'
import type { Server } from 'node:http'
import { Server as TcpServer } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { RequestHandler } from 'express'

/** So long whoever sends us requests may take to notice that the replica is not ready any more. */
const NOTICE_MS = 5_000
/** A connection that was opened at the last moment still sends its request. */
const FIRST_REQUEST_MS = 500
/** A turn of the event loop that short has done nothing; in a second there is one. */
const QUIET_TURN_MS = 0.2
const QUIET_WITHIN_MS = 1_000
const GRACE_MS = 10_000

/** The way out: no request is lost that was sent while the server still listened. */
export class Drain {
  #started = false

  get started(): boolean {
    return this.#started
  }

  /** Every answer ends its connection: the next request goes, on a new one, to whoever is ready. */
  readonly endConnections: RequestHandler = (_request, response, next) => {
    if (this.#started) response.set('connection', 'close')
    next()
  }

  /**
   * Resolves when nothing runs any more, at the latest after the notice and ten seconds. Without `notice` (Ctrl-C on a
   * laptop: nobody sends requests here) it listens no longer at once.
   */
  async run(servers: readonly Server[], { notice }: { notice: boolean }): Promise<void> {
    this.#started = true
    if (notice) await setTimeout(NOTICE_MS)
    if (notice) await quietMoment(servers)
    const closed = Promise.all(servers.map(stopListening))
    const sweeping = notice ? setTimeout(FIRST_REQUEST_MS) : Promise.resolve()
    void sweeping.then(() => sweep(servers, closed))
    await Promise.race([closed, setTimeout(GRACE_MS)])
    for (const server of servers) server.closeAllConnections()
  }
}

/** What waits in the system's queue when a server stops listening is reset: so that happens when nothing comes. */
async function quietMoment(servers: readonly Server[]): Promise<void> {
  let came = false
  const note = () => {
    came = true
  }
  for (const server of servers) server.on('connection', note)
  const end = performance.now() + QUIET_WITHIN_MS
  for (let began = performance.now(), quiet = false; !quiet && began < end; began = performance.now()) {
    came = false
    await setImmediate()
    quiet = !came && performance.now() - began < QUIET_TURN_MS
  }
}

/** Unlike `close()` of an HTTP server, which cuts connections whose first request is on its way. */
function stopListening(server: Server): Promise<unknown> {
  const closed = once(server, 'close')
  TcpServer.prototype.close.call(server)
  return closed
}

/** A connection that falls idle after its last answer would hold the process until its time-out. */
async function sweep(servers: readonly Server[], closed: Promise<unknown>): Promise<void> {
  let open = true
  void closed.then(() => {
    open = false
  })
  while (open) {
    for (const server of servers) server.closeIdleConnections()
    await setTimeout(50, undefined, { ref: false })
  }
}
