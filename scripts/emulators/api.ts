import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import type { Entra } from './entra/entra.ts'
import type { Endpoint } from './interventions.ts'

/** A refusal of an emulated API: clients act on the status and on the code, which each API has of its own. */
export class ApiRefusal extends Error {
  override name = 'ApiRefusal'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** How one API says no. */
interface Api {
  name: Endpoint
  /** Writes a refusal in the API's own form. */
  send: (response: Response, refusal: ApiRefusal) => void
  /** The service's own trouble: what a test makes happen, or a fault of the emulator (500). */
  outage: (status: number) => ApiRefusal
  /** Of a body that is no JSON; an API that reads none has no such refusal. */
  unreadable?: () => ApiRefusal
}

/** Before the routes: what tests make happen to a call. */
export const inTrouble =
  ({ interventions }: Entra, { name, send, outage }: Api): RequestHandler =>
  async (request, response, next) => {
    const over = await interventions.meet(name, request, response, (status) => send(response, outage(status)))
    if (!over) next()
  }

/** Behind the routes: whatever was thrown becomes an answer. */
export const asRefusal =
  ({ send, outage, unreadable }: Api): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    const refusal = error instanceof SyntaxError ? unreadable?.() : error
    if (refusal instanceof ApiRefusal) return send(response, refusal)
    // Ours, not the caller's: an emulator that hides its own faults cannot be trusted.
    console.error(error)
    send(response, outage(500))
  }
