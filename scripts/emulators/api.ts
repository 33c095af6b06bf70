import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import { errors } from 'jose'
import { z } from 'zod'
import { type Entra, issuerV1, verifiedClaims } from './entra/entra.ts'
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
  /** Of a body that express cannot read (400, 413, 415); an API that reads none has no such refusal. */
  unreadable?: (status: number) => ApiRefusal
}

/** Before the routes: what tests make happen to a call. */
export const inTrouble =
  ({ interventions }: Entra, { name, send, outage }: Api): RequestHandler =>
  async (request, response, next) => {
    const over = await interventions.meet(name, request, response, (status) => send(response, outage(status)))
    if (!over) next()
  }

const Unreadable = z.object({ type: z.string(), status: z.literal([400, 413, 415]) })

/** Behind the routes: whatever was thrown becomes an answer. */
export const asRefusal =
  ({ send, outage, unreadable }: Omit<Api, 'name'>): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    // Who hung up while sending gets no answer, and it is nobody's failure.
    if (response.destroyed) return
    const { data } = Unreadable.safeParse(error)
    const refusal = data ? unreadable?.(data.status) : error
    if (refusal instanceof ApiRefusal) return send(response, refusal)
    // Ours, not the caller's: an emulator that hides its own faults cannot be trusted.
    console.error(error)
    send(response, outage(500))
  }

const Claims = z.object({
  oid: z.guid(),
  scp: z.string().min(1).optional(),
  roles: z.array(z.string()).default([]),
  idtyp: z.literal('app').optional(),
})

/** What is wrong with a token; each API has its own words for it. */
export type TokenFault = 'missing' | 'malformed' | 'expired' | 'audience' | 'issuer' | 'signature' | 'claims'

/** Claims of a bearer token of version 1 that this tenant signed for an API, in time. Throws what `refuse` makes of a fault. */
export async function bearerClaims(
  entra: Entra,
  authorization: string | undefined,
  audience: string | string[],
  refuse: (fault: TokenFault) => ApiRefusal,
) {
  if (authorization === undefined) throw refuse('missing')
  const [, token] = /^Bearer (\S+)$/i.exec(authorization) ?? []
  if (token === undefined) throw refuse('malformed')
  const checks = { issuer: issuerV1(entra), audience }
  const payload = await verifiedClaims(entra, token, checks).catch((error: unknown) => {
    throw refuse(faultOf(error))
  })
  const claims = Claims.safeParse(payload)
  if (!claims.success) throw refuse('claims')
  const { oid, scp, roles, idtyp } = claims.data
  return { oid, scopes: scp?.split(' ') ?? [], roles, idtyp }
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'signature'
  if (error.claim === 'aud') return 'audience'
  return error.claim === 'iss' ? 'issuer' : 'claims'
}
