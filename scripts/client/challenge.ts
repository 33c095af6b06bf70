/** The way of one request: with a token, and once more with a better one where the server asks for it. */
import { z } from 'zod'
import { retryAfterSeconds } from '../../app/auth/entra-http.ts'
import { Problem } from '../cli/problem.ts'
import { notAnswering } from './server.ts'

/** What the server wants of a caller that it refuses (RFC 6750 section 3). */
export type Challenge = Readonly<{
  /** `missing`: there was no token. */
  kind: z.infer<typeof Kind>
  /** Full names, separated by spaces. */
  scope: string
  /** JSON, as Entra takes it. */
  claims: string | undefined
  description: string
}>

export interface Tokens {
  /** undefined: nobody has signed in. */
  held: () => Promise<string | undefined>
  /** A token that does what the challenge demands; throws a Problem where there can be none. */
  answer: (challenge: Challenge) => Promise<string>
  /** What is wrong, and what mends it, where the server refuses without asking for anything; by default a person's. */
  refusal?: (description: string) => Problem
}

const Kind = z.enum(['missing', 'invalid_token', 'insufficient_claims', 'insufficient_scope'])
const Refused = z.object({ error_description: z.string() })

/** The transport's fetch. A token goes to the server at `url` and nowhere else, along no redirect either. */
export function authorizedFetch(url: string, tokens: Tokens) {
  return async (_url: unknown, init: RequestInit = {}): Promise<Response> => {
    const answered = new Set<string>()
    for (let token = await tokens.held(); ; ) {
      const headers = new Headers(init.headers)
      if (token) headers.set('authorization', `Bearer ${token}`)
      const response = await fetch(url, { ...init, headers, redirect: 'manual' }).catch((error: unknown) => {
        throw init.signal?.aborted ? error : notAnswering(url, error)
      })
      const challenge = challengeOf(response)
      if (challenge && !answered.has(challenge.kind)) {
        answered.add(challenge.kind)
        await response.body?.cancel()
        token = await tokens.answer(challenge)
      } else if (isRefusal(response)) throw await refused(response, tokens)
      else return response
    }
  }
}

/** The transport reads everything else: 405 for the stream that the server does not open, say. */
const isRefusal = ({ status }: Response) => [401, 403, 429].includes(status) || status >= 500

/** A tool's refusal in words (200) may come with one too: most clients show the words, this one can do what is asked. */
function challengeOf({ status, headers }: Response): Challenge | undefined {
  const header = headers.get('www-authenticate') ?? ''
  if (![200, 401, 403].includes(status) || !/^Bearer\b/i.test(header)) return undefined
  const parameters = new Map(
    Array.from(header.matchAll(/(\w+)="([^"]*)"/g), ([, name, value]) => [name, value]),
  )
  const kind = Kind.safeParse(parameters.get('error') ?? (status === 401 && 'missing')).data
  const claims = Buffer.from(parameters.get('claims') ?? '', 'base64').toString() || undefined
  if (!kind || (kind === 'insufficient_claims' && !claims)) return undefined
  const { scope = '', error_description: description = '' } = Object.fromEntries(parameters)
  return { kind, scope, claims, description }
}

export const comeBack = (what: string, seconds = 30) =>
  new Problem({
    what: `${what} is busy.`,
    why: 'It takes no further request for now; asking again before that makes it worse.',
    fix: `The same command again in ${seconds} seconds.`,
  })

async function refused(response: Response, { refusal = ofPerson }: Tokens): Promise<Problem> {
  const { status, headers } = response
  if (status === 429 || status === 503) return comeBack('The server', retryAfterSeconds(response))
  const { data } = Refused.safeParse(await response.json().catch(() => undefined))
  const description = data?.error_description ?? `HTTP ${status}`
  if (status >= 500)
    return new Problem({
      what: `The server failed: ${description}`,
      why: 'The fault is not in this call.',
      fix: `Show the operator the request ${headers.get('x-request-id') ?? '(without an id)'}.`,
    })
  return refusal(description)
}

const ofPerson = (description: string) =>
  new Problem({
    what: `The server refuses: ${description}`,
    why: 'The token is what Entra ID gives this caller; the server wants another one, or a right.',
    fix: 'npm run client -- --sign-out    (then again, as somebody who may; a deployment: npm run verify)',
  })
