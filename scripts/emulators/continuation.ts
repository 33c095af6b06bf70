import { hash } from 'node:crypto'
import { z } from 'zod'

const Continuation = z.tuple([z.string(), z.unknown()])

/** An opaque token for the next page of an answer: good for the same question only. `after`: where that page begins. */
export const continuationOf = (question: unknown, after: unknown): string =>
  Buffer.from(JSON.stringify([fingerprint(question), after])).toString('base64url')

/** Where to go on; undefined for a token that does not belong to this question. */
export function continuedAt(token: string, question: unknown): unknown {
  try {
    const [made, after] = Continuation.parse(JSON.parse(Buffer.from(token, 'base64url').toString()))
    return made === fingerprint(question) ? after : undefined
  } catch {
    return undefined
  }
}

const fingerprint = (question: unknown) => hash('sha256', JSON.stringify(question), 'base64url').slice(0, 16)
