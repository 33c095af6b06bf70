import type { RequestHandler } from 'express'

const PATIENCE_MS = 2_000

/**
 * A refusal is answered before its body has come. What still comes is thrown away for two seconds: closed at once, the
 * connection would be reset under a client that is still sending and has not read the answer. Then it is closed.
 */
export const discardLeftovers: RequestHandler = (request, response, next) => {
  response.once('finish', () => {
    if (request.complete) return
    request.resume()
    const { socket } = request
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
    request.once('close', () => clearTimeout(timer))
  })
  next()
}
