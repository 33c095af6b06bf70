import type { Request } from 'express'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Refusal, unavailable } from '../http/refusal.ts'
import { basicScopes } from '../metadata.ts'
import type { Services } from '../services.ts'
import { type AuditEntry, decide, noteCaller } from '../telemetry/audit.ts'
import type { Verdict } from './authorize.ts'
import { tokenMissing, tokenRefused } from './challenge.ts'
import { KeysUnavailable } from './keys.ts'
import { Strangers } from './strangers.ts'
import { type Bearer, idOf, isService, type ServiceId, TokenRefused, type UserId } from './verifier.ts'

/** Who calls, and how often: the checks before a request's body is read. */
export function gatekeeper({ config, permissions, verifier }: Services) {
  const strangers = new Strangers(config.rateLimitPerMinute)
  const limiter = new RateLimiterMemory({ points: config.rateLimitPerMinute, duration: 60 })
  const scopes = new Map(config.serverUrls.map((url) => [url, basicScopes(url, permissions)]))
  return {
    async identify(request: Request, mcpUrl: string, entry: AuditEntry): Promise<Bearer> {
      const scope = scopes.get(mcpUrl) ?? ''
      const token = tokenOf(request, mcpUrl, scope)
      if (!verifier.knows(token) && strangers.isHostile(request.ip))
        throw tokenRefused(mcpUrl, scope, 'unverified', 'Too many bad tokens came from this address.')
      try {
        const bearer = await verifier.verify(token)
        noteCaller(entry, { id: idOf(bearer), client: bearer.client, isService: isService(bearer) })
        return bearer
      } catch (error) {
        if (error instanceof TokenRefused) throw tokenRefused(mcpUrl, scope, error.reason, error.message)
        if (!(error instanceof KeysUnavailable)) throw error
        throw unavailable(
          'deny:token',
          'keys_unavailable',
          'Signing keys cannot be loaded.',
          error.retryAfterSeconds,
        )
      }
    },

    /** What a failed request is told: its refusal, or a 429 for a stranger who has had too many. */
    refuse(error: unknown, { ip }: Request, entry: AuditEntry): unknown {
      const isStranger = error instanceof Refusal && error.status < 500 && !entry.oid
      const told = isStranger ? strangers.refuse(ip, error) : error
      if (told instanceof Refusal) decide(entry, told.decision, told.reason)
      else decide(entry, 'deny:request', 'internal')
      return told
    },

    /** The refusal of whoever asks too often; from twice as often on it is thrown, before anything is read. */
    async limit(user: UserId | ServiceId): Promise<Reached | undefined> {
      const perMinute = config.rateLimitPerMinute
      try {
        await limiter.consume(user)
        return undefined
      } catch (reached) {
        if (!(reached instanceof RateLimiterRes)) throw reached
        const seconds = Math.ceil(reached.msBeforeNext / 1000)
        const words = `More than ${perMinute} requests a minute. Try again in ${seconds} seconds.`
        const refusal = tooOften(words, seconds)
        if (reached.consumedPoints > 2 * perMinute) throw refusal
        return { refusal, words }
      }
    },
  }
}

type Reached = Readonly<{ refusal: Refusal; words: string }>

const tooOften = (error_description: string, seconds: number) =>
  new Refusal({
    status: 429,
    decision: 'deny:rate',
    reason: 'rate_limit',
    body: { error: 'rate_limited', error_description },
    headers: { 'retry-after': String(seconds) },
  })

/** Clients take a 429 for a broken server and show no text of it; what a tool says reaches whoever can wait. */
export function inWords({ refusal, words }: Reached, entry: AuditEntry): Verdict {
  decide(entry, refusal.decision, refusal.reason)
  return { toolError: words }
}

function tokenOf({ headers }: Request, mcpUrl: string, scope: string): string {
  const header = headers.authorization ?? ''
  // Another scheme is no bearer token at all (RFC 6750 section 3.1).
  if (!/^Bearer\b/i.test(header)) throw tokenMissing(mcpUrl, scope)
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
  if (token) return token
  throw tokenRefused(mcpUrl, scope, 'malformed', 'The Authorization header is not a bearer token.')
}
