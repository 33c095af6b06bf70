import { z } from 'zod'
import { DownstreamUnavailable } from '../auth/downstream.ts'

/** Cosmos cannot answer now; asking again later may help. A write may have been carried out all the same. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
  readonly code = 'store_unavailable'
  readonly retryAfterSeconds: number

  constructor(retryAfterMs: number, cause?: unknown) {
    super('The expense store cannot answer right now. Try again later.', { cause })
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  }
}

/** A refusal that the SDK reports in a result instead of throwing it; `code` is its HTTP status. */
export class CosmosRefusal extends Error {
  override name = 'CosmosRefusal'
  readonly code: number

  constructor(code: number) {
    super(`Cosmos answered ${code}.`)
    this.code = code
  }
}

const Refused = z.object({ code: z.number(), retryAfterInMs: z.number().optional() })
const Broken = z.object({ code: z.string() })

/** What Cosmos or the way to it said: an HTTP status and the wait it asks for, or the code of a broken connection. */
export type StoreFault = Readonly<{ code: number | string | undefined; retryAfterInMs?: number | undefined }>

/** Reads the SDK's errors; without a token for it the store is as good as down. A batch that fails as a whole arrives as a plain Error around the SDK's own. */
export function storeFaultOf(error: unknown): StoreFault {
  const candidates = [error, error instanceof Error ? error.cause : undefined]
  const noToken = candidates.find((candidate) => candidate instanceof DownstreamUnavailable)
  if (noToken) return { code: 503, retryAfterInMs: noToken.retryAfterSeconds * 1_000 }
  for (const schema of [Refused, Broken]) {
    for (const candidate of candidates) {
      const { data } = schema.safeParse(candidate)
      if (data) return data
    }
  }
  return { code: undefined }
}

/** Whether it is Cosmos that refused, with an HTTP status; anything else is a fault of the program. */
export const isStoreRefusal = (error: unknown): boolean => typeof storeFaultOf(error).code === 'number'
