import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import type { Verdict } from './auth/authorize.ts'
import { requireClient } from './auth/clients.ts'
import { gatekeeper, inWords } from './auth/gate.ts'
import { type Bearer, idOf, isService } from './auth/verifier.ts'
import { expectBody, readBody } from './http/body.ts'
import { metadataPreflight, preflight, shareWithKnownOrigins } from './http/cross-origin.ts'
import { Hosts, requireOneHost } from './http/hosts.ts'
import { InFlight } from './http/in-flight.ts'
import { discardLeftovers } from './http/leftovers.ts'
import { sharedReadiness } from './http/readiness.ts'
import { Refusal } from './http/refusal.ts'
import { parseMessage } from './mcp/transport.ts'
import { metadataPaths, resourceMetadata } from './metadata.ts'
import type { Services } from './services.ts'
import { type AuditEntry, openAuditEntry } from './telemetry/audit.ts'
import type { Log } from './telemetry/log.ts'
import { inRequestSpan } from './telemetry/trace.ts'

/** The server's routes. Everything that answers an error answers JSON. */
export function createApp(services: Services): Express {
  const { config, permissions } = services
  const hosts = new Hosts(config.serverUrls, config.allowedOrigins)
  const gate = gatekeeper(services)
  const inFlight = new InFlight(config.inFlightPerUser, config.inFlight)
  const readiness = sharedReadiness(services)
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  // URLs are compared character by character everywhere else too.
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('trust proxy', config.trustedProxies)
  app.use(services.drain.endConnections, discardLeftovers)

  app.all('/mcp', shareWithKnownOrigins(hosts))
  app.options('/mcp', preflight(hosts))
  app.post('/mcp', inRequestSpan, async (request, response) => {
    const entry = openAuditEntry(response, services.trail)
    let leave = () => {}
    try {
      const mcpUrl = hosts.mcpUrlOf(request)
      hosts.requireKnownOrigin(request.headers)
      const bearer = await gate.identify(request, mcpUrl, entry)
      // First, so that whoever brings a client that may not call is bounded too, and so are their audit lines.
      const limited = await gate.limit(idOf(bearer))
      requireClient(config.allowedClients, bearer)
      if (isService(bearer)) services.serviceAccess.require(bearer)
      expectBody(request)
      leave = inFlight.enter(idOf(bearer))
      const message = parseMessage(request.headers, await readBody(request))
      if (limited && !message.call) throw limited.refusal
      const verdict = limited
        ? inWords(limited, entry)
        : await services.authorizer.judge(message, { bearer, mcpUrl, entry })
      const context = contextOf(services, bearer, verdict, entry)
      await services.mcp.answer(message, [request, response], context, verdict)
    } catch (error) {
      throw gate.refuse(error, request, entry)
    } finally {
      // An answer that nobody reads holds memory too.
      if (response.closed) leave()
      else response.once('close', leave)
    }
  })
  app.use((request, _response, next) => {
    requireOneHost(request)
    next()
  })
  app.all('/mcp', (_request, response) => {
    const error_description =
      'Send JSON-RPC messages with POST: this server keeps no session and opens no stream.'
    response.status(405).set('allow', 'POST').json({ error: 'method_not_allowed', error_description })
  })

  // Probes come with the replica's address as Host, so they stand before the Host check.
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }))
  app.get('/readyz', async (_request, response) => void response.json(await readiness()))

  app.options(metadataPaths, metadataPreflight)
  app.get(metadataPaths, (request, response) => {
    const mcpUrl = hosts.mcpUrlOf(request)
    // Public by nature, and read by browser clients of any origin.
    response.set('access-control-allow-origin', '*').json(resourceMetadata(mcpUrl, config, permissions))
  })

  // URLs are compared character by character: clients that complete them get to know the right one.
  app.all('/mcp/', (request, response) => {
    const error_description = `The MCP server is at ${hosts.mcpUrlOf(request)}, without a slash at the end.`
    response.status(404).json({ error: 'not_found', error_description })
  })
  app.use((_request, response) => void response.status(404).json({ error: 'not_found' }))
  app.use(errorAnswer(services.log))
  return app
}

/** What a tool works with. A service has no user, and so no store. */
function contextOf(services: Services, bearer: Bearer, verdict: Verdict, entry: AuditEntry) {
  const { store, statistics, costs, documents, log } = services
  const surroundings = { statistics, costs, documents, log, requestId: entry.requestId, entry }
  return isService(bearer)
    ? { holder: verdict.service?.holder, ...surroundings }
    : {
        ...{ user: bearer.userId, admin: verdict.admin, store },
        ...services.downstream.onBehalfOf(verdict.tokens),
        ...surroundings,
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
    log.fault(error, { request_id: requestId })
    response.status(500).json({ error: 'internal_error', request_id: requestId })
  }
}
