import type { Request, Response } from 'express'
import type { Report } from '../tools/tool.ts'
import { isObject, type Message } from './message.ts'

const EVENT_STREAM = 'text/event-stream'

/**
 * How a tool that takes long says how far it is, in both eras: undefined where the client did not ask for it, or reads
 * no stream. The first report makes the answer a stream; without one it stays plain JSON.
 */
export function reporterFor({ params }: Message, request: Request, response: Response): Report | undefined {
  const progressToken = isObject(params._meta) ? params._meta.progressToken : undefined
  if (progressToken === undefined || !request.accepts(EVENT_STREAM)) return undefined
  let last = Number.NEGATIVE_INFINITY
  return (progress, total, message) => {
    // Specification, "Progress": it must increase with each notification, and end with the answer.
    if (progress <= last || response.writableEnded || response.destroyed) return
    last = progress
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': EVENT_STREAM, 'cache-control': 'no-store, no-transform' })
    const params = { progressToken, progress, total, message }
    response.write(event(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })))
  }
}

/** Ends the answer with a JSON-RPC message: as JSON, or as the last event where a stream has begun. */
export function finish(response: Response, json: string): void {
  if (response.headersSent) return void response.end(event(json))
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.end(json)
}

/** JSON has no line breaks, so one line of data holds it. */
const event = (json: string) => `event: message\ndata: ${json}\n\n`
