import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type AuditEntry, decide, noteCaller, openAuditEntry } from './audit.ts'
import { readBody } from './body.ts'
import { tokenMissing, tokenRefused } from './challenge.ts'
import { requireClient } from './clients.ts'
import { Hosts } from './hosts.ts'
import { KeysUnavailable } from './keys.ts'
import { describe, type Log } from './log.ts'
import { basicScopes, metadataPaths, resourceMetadata } from './metadata.ts'
import { Refusal, unavailable } from './refusal.ts'
import type { Services } from './services.ts'
import { parseMessage } from './transport.ts'
import { type Caller, TokenRefused, type UserId } from './verifier.ts'

/** The server's routes. Everything that answers an error answers JSON. */
export function createApp(services: Services): Express {
  const { config, permissions } = services
  const hosts = new Hosts(config.serverUrls)
  const gate = gatekeeper(services)
  const readiness = sharedReadiness(services)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // URLs are compared character by character everywhere else too.
  app.enable('case sensitive routing')
  app.enable('strict routing')

  app.post('/mcp', async (request, response) => {
    const entry = openAuditEntry(response, services)
    try {
      const mcpUrl = hosts.mcpUrlOf(request.headers)
      const caller = await gate.identify(request, mcpUrl, entry)
      requireClient(config.allowedClients, caller)
      await gate.limit(caller.userId)
      const message = parseMessage(request.headers, await readBody(request, response))
      const verdict = await services.authorizer.judge(message, { caller, mcpUrl, entry })
      const { store, log } = services
      const context = { user: caller.userId, admin: verdict.admin, store, log, requestId: entry.requestId }
      await services.mcp.answer(message, [request, response], context, verdict)
    } catch (error) {
      if (error instanceof Refusal) decide(entry, error.decision, error.reason)
      else decide(entry, 'deny:request', 'internal')
      throw error
    }
  })
  app.all('/mcp', (_request, response) => {
    const error_description =
      'Send JSON-RPC messages with POST: this server keeps no session and opens no stream.'
    response.status(405).set('allow', 'POST').json({ error: 'method_not_allowed', error_description })
  })

  // Probes come with the replica's address as Host, so they stand before the Host check.
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', async (_request, response) => void response.json(await readiness()))

  app.get(metadataPaths, (request, response) => {
    const mcpUrl = hosts.mcpUrlOf({ host: request.headers.host })
    // Public by nature, and read by browser clients of any origin.
    response.set('access-control-allow-origin', '*').json(resourceMetadata(mcpUrl, config, permissions))
  })

  app.use((_request, response) => void response.status(404).json({ error: 'not_found' }))
  app.use(errorAnswer(services.log))
  return app
}

/** Who calls, and how often: the checks before a request's body is read. */
function gatekeeper({ config, permissions, verifier }: Services) {
  const limiter = new RateLimiterMemory({ points: config.rateLimitPerMinute, duration: 60 })
  const scopes = new Map(config.serverUrls.map((url) => [url, basicScopes(url, permissions)]))
  return {
    async identify(request: Request, mcpUrl: string, entry: AuditEntry): Promise<Caller> {
      const scope = scopes.get(mcpUrl) ?? ''
      const header = request.headers.authorization
      // Another scheme is no bearer token at all (RFC 6750 section 3.1).
      if (!/^Bearer\b/i.test(header ?? '')) throw tokenMissing(mcpUrl, scope)
      const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(header ?? '')?.[1]
      if (!token)
        throw tokenRefused(mcpUrl, scope, 'malformed', 'The Authorization header is not a bearer token.')
      try {
        const caller = await verifier.verify(token)
        noteCaller(entry, caller)
        return caller
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

    async limit(user: UserId): Promise<void> {
      try {
        await limiter.consume(user)
      } catch (reached) {
        if (!(reached instanceof RateLimiterRes)) throw reached
        throw new Refusal({
          status: 429,
          decision: 'deny:rate',
          reason: 'rate_limit',
          body: {
            error: 'rate_limited',
            error_description: `More than ${config.rateLimitPerMinute} requests a minute.`,
          },
          headers: { 'retry-after': String(Math.ceil(reached.msBeforeNext / 1000)) },
        })
      }
    },
  }
}

const READINESS_MS = 2_000

/** Anyone may ask, so one look at the keys and the store serves everybody for a while. */
function sharedReadiness({ keys, store }: Services) {
  const ready = async () => {
    await Promise.all([keys.ready(), store.reachable()])
    return { status: 'ready' }
  }
  let look: { answer: Promise<{ status: string }>; until: number } | undefined
  return async () => {
    if (!look || Date.now() > look.until) look = { answer: ready(), until: Date.now() + READINESS_MS }
    try {
      return await look.answer
    } catch {
      throw unavailable('deny:request', 'not_ready', 'Signing keys or the store cannot be reached.', 5)
    }
  }
}

/** The edge: refusals become answers; what is our fault is logged once and told without its message. */
function errorAnswer(log: Log): ErrorRequestHandler {
  return (error: unknown, _request: Request, response: Response, next) => {
    if (response.headersSent) return next(error)
    if (error instanceof Refusal) {
      response.status(error.status).set(error.headers).json(error.body)
      return
    }
    const requestId = String(response.getHeader('x-request-id') ?? '')
    log.error(describe(error), { request_id: requestId })
    response.status(500).json({ error: 'internal_error', request_id: requestId })
  }
}
