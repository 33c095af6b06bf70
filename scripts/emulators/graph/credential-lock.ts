import type { RequestHandler } from 'express'
import type { Graph } from './endpoint.ts'
import { concurrencyViolation, sendGraphError } from './errors.ts'
import { keyOf } from './keys.ts'
import { indexed } from './lookup.ts'

const WRITTEN = /\/applications\/([^/]+)\/federatedIdentityCredentials/

/**
 * Two writes to the credentials of one app must not be under way at once. A write counts from its arrival to its
 * answer, so this stands before everything that may take time.
 */
export function oneCredentialWriteAtATime({ directory, entra }: Graph): RequestHandler {
  const busy = new Set<string>()
  return (request, response, next) => {
    const [, segment] = request.method === 'GET' ? [] : (WRITTEN.exec(request.path) ?? [])
    if (segment === undefined) return next()
    const app = indexed(directory.applications, keyOf(decodeURIComponent(segment)))?.id ?? segment
    if (busy.has(app)) return sendGraphError(response, concurrencyViolation(), entra.now())
    busy.add(app)
    const free = () => busy.delete(app)
    response.once('finish', free).once('close', free)
    next()
  }
}
