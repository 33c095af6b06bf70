import type { Request } from 'express'
import getRawBody from 'raw-body'
import { badRequest, HTTP_REFUSED } from './refusal.ts'

/** The longest message that a tool of ours can need has some 5 KB; parsing costs many times what a body weighs. */
export const MAX_BODY_BYTES = 32 * 1024

/** Some clients name the encoding; RFC 9110 section 12.5.1 compares such parameters too. */
const OUR_TYPES = ['application/json', 'application/json;charset=utf-8']

/**
 * What a request's headers alone say about its body and the answer's. Throws Refusal: 406 where JSON is not
 * acceptable, 415 for another content type or encoding, 413 for a body that announces more than MAX_BODY_BYTES.
 */
export function expectBody(request: Request): void {
  if (!request.accepts(OUR_TYPES)) {
    throw badRequest(406, 'accept', 'Send Accept: application/json, text/event-stream.', HTTP_REFUSED)
  }
  if (!request.is('application/json')) {
    throw badRequest(415, 'content_type', 'Send Content-Type: application/json.')
  }
  // Compressed bodies are refused: no MCP client sends them and they make bombs possible. JSON is UTF-8 (RFC 8259
  // section 8.1); other encodings would pass filters in front of us unread.
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const charset =
    /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8'
  if (encoding.toLowerCase() !== 'identity' || charset.toLowerCase() !== 'utf-8') {
    throw badRequest(415, 'encoding', 'Send plain UTF-8, not compressed.')
  }
  if (Number(request.headers['content-length']) > MAX_BODY_BYTES) throw tooLarge()
}

/**
 * The JSON body of a request that `expectBody` let through. Throws Refusal: 413 as soon as more than
 * MAX_BODY_BYTES have come, 400 for malformed JSON (-32700) and for a batch (-32600).
 */
export async function readBody(request: Request): Promise<unknown> {
  const body = parse(await readBytes(request))
  // A batch can hold a call and its own cancellation, which would never be answered.
  if (Array.isArray(body)) {
    throw badRequest(400, 'batch', 'Batches are not supported: send one message per request.')
  }
  return body
}

/** Of `raw-body`: while it is read, shorter than announced, and before the reading began, such as after a broken chunk. */
const ENDED_EARLY: unknown[] = ['request.aborted', 'request.size.invalid', 'stream.not.readable']

async function readBytes(request: Request): Promise<Buffer> {
  const length = request.headers['content-length'] ?? null
  try {
    return await getRawBody(request, { limit: MAX_BODY_BYTES, length })
  } catch (error) {
    const type = error instanceof Error && 'type' in error ? error.type : undefined
    if (type === 'entity.too.large') throw tooLarge()
    if (ENDED_EARLY.includes(type)) throw badRequest(400, 'aborted', 'The body ended early.')
    throw error
  }
}

function parse(bytes: Buffer): unknown {
  // Not a JSON text, but what is wrong is that there is no message.
  if (bytes.length === 0) return undefined
  try {
    // Replacing what is not UTF-8 would make one text of two.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw badRequest(400, 'bad_json', 'The body is not JSON.', -32700)
  }
}

const tooLarge = () => badRequest(413, 'too_large', `The body is larger than ${MAX_BODY_BYTES} bytes.`)
