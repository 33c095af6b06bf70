import type { RequestHandler, Response } from 'express'
import type { Hosts } from './hosts.ts'

/** What MCP clients of both protocol eras send; anything else is not read here. */
const REQUEST_HEADERS = [
  ...['Authorization', 'Content-Type', 'Accept', 'Last-Event-ID'],
  ...['MCP-Protocol-Version', 'Mcp-Session-Id', 'Mcp-Method', 'Mcp-Name'],
].join(', ')
const METADATA_HEADERS = 'Accept, MCP-Protocol-Version'
const RESPONSE_HEADERS = [
  ...['WWW-Authenticate', 'Retry-After', 'X-Request-Id'],
  ...['Mcp-Session-Id', 'MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name'],
].join(', ')
/** Chromium asks again after two hours at the latest. */
const MAX_AGE_SECONDS = 7_200

/**
 * Lets pages of the known origins read the answers (Fetch Standard, "CORS protocol"), refusals included: a challenge
 * that a page cannot read is no sign-in. Cookies play no part, so credentials are not allowed.
 */
export const shareWithKnownOrigins =
  (hosts: Hosts): RequestHandler =>
  ({ headers: { origin } }, response, next) => {
    if (origin !== undefined) {
      response.vary('Origin')
      if (hosts.allows(origin)) {
        response.set('access-control-allow-origin', origin)
        response.set('access-control-expose-headers', RESPONSE_HEADERS)
      }
    }
    next()
  }

/** Answers the preflight of a page, which carries no token. Throws Refusal (403) for a foreign one. */
export const preflight =
  (hosts: Hosts): RequestHandler =>
  (request, response, next) => {
    // Without an origin it is a question for the methods.
    if (request.headers.origin === undefined) return next()
    hosts.mcpUrlOf(request)
    hosts.requireKnownOrigin(request.headers)
    permit(response, 'POST', REQUEST_HEADERS)
  }

/** The metadata is public by nature. */
export const metadataPreflight: RequestHandler = (_request, response) => {
  response.set('access-control-allow-origin', '*')
  permit(response, 'GET', METADATA_HEADERS)
}

function permit(response: Response, method: string, headers: string): void {
  response.set('access-control-allow-methods', method)
  response.set('access-control-allow-headers', headers)
  response.set('access-control-max-age', String(MAX_AGE_SECONDS))
  response.status(204).end()
}
