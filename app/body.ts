import type { Request, Response } from 'express'
import express from 'express'
import { badRequest } from './refusal.ts'

const LIMIT = 256 * 1024

// Compressed bodies are refused (415): no MCP client sends them and they make bombs possible.
const parseJson = express.json({
  limit: LIMIT,
  inflate: false,
  strict: false,
  type: () => true,
  // JSON is UTF-8 (RFC 8259 section 8.1); other encodings would pass filters in front of us unread.
  verify: (_request, _response, _body, encoding) => {
    if (encoding !== 'utf-8') throw Object.assign(new Error('Not UTF-8.'), { type: 'charset.unsupported' })
  },
})

/**
 * The JSON body of a request. Throws Refusal: 415 for another content type, 413 for more than 256 KiB,
 * 400 for malformed JSON (-32700) and for a batch (-32600).
 */
export async function readBody(request: Request, response: Response): Promise<unknown> {
  if (!request.is('application/json')) {
    throw badRequest(415, 'content_type', 'Send Content-Type: application/json.')
  }
  // The parser would read all of it before it says so.
  if (Number(request.headers['content-length']) > LIMIT) throw tooLarge()
  await new Promise<void>((resolve, reject) => {
    parseJson(request, response, (error: unknown) => (error ? reject(refusalOf(error)) : resolve()))
  })
  const body: unknown = request.body
  // A batch can hold a call and its own cancellation, which would never be answered.
  if (Array.isArray(body)) {
    throw badRequest(400, 'batch', 'Batches are not supported: send one message per request.')
  }
  return body
}

const tooLarge = () => badRequest(413, 'too_large', `The body is larger than ${LIMIT} bytes.`)

function refusalOf(error: unknown): unknown {
  const type = error instanceof Error && 'type' in error ? error.type : undefined
  if (type === 'entity.too.large') return tooLarge()
  if (type === 'entity.parse.failed') return badRequest(400, 'bad_json', 'The body is not JSON.', -32700)
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return badRequest(415, 'encoding', 'Send plain UTF-8, not compressed.')
  }
  if (type === 'request.aborted' || type === 'request.size.invalid') {
    return badRequest(400, 'aborted', 'The body ended early.')
  }
  return error
}
