import ky, { isHTTPError } from 'ky'
import type { z } from 'zod'
import { FURTHER_PROOF } from '../auth/challenge.ts'
import { retryAfterSeconds } from '../auth/entra-http.ts'
import { deadlines, within } from '../deadline.ts'
import type { DownstreamApi } from '../permissions.ts'
import { readText } from '../response-text.ts'
import { tracedRequest } from '../telemetry/trace.ts'
import { ToolRefusal } from './refusal.ts'

/** A token, or why there is none. */
export type Tokens = ReadonlyMap<string, string | ToolRefusal>

/** What a downstream API said no with, any status from 400 to 499. */
export type Refused = Readonly<{ status: number; headers: Headers; body: unknown }>

export type Question<T> = Readonly<{
  /** Path and query below the API's endpoint, or a whole address there that an answer has given as the next page. */
  path: string
  method?: 'GET' | 'POST'
  json?: unknown
  headers?: Readonly<Record<string, string>>
  /** The shape of a good answer; what does not have it is no answer. */
  answer: z.ZodType<T>
  /** Milliseconds for everything, repetitions and body included. */
  deadlineMs?: number
  /** What a refusal means to this tool; undefined: what it means to every tool. */
  refused?: (refused: Refused) => ToolRefusal | undefined
}>

/**
 * Asks a downstream API as the caller. Throws ToolRefusal, in words for the caller, for every way in which it can fail:
 * slow, silent, busy, broken, unreadable, forbidden; DownstreamRefused where we asked the wrong thing.
 */
export type Ask = <T>(api: string, question: Question<T>) => Promise<T>

/** What a tool works with: only the APIs that it names in infra/permissions.json are there. */
export type OnBehalf = Readonly<{
  /** Names of the APIs that the tool names and whose tool sets are on. */
  apis: ReadonlySet<string>
  /** The caller's token of that API. Throws ToolRefusal where one of its `sources` gave none. */
  tokenFor: (api: string) => string
  ask: Ask
}>

/** A fault of ours: the API does not understand the question. */
export class DownstreamRefused extends Error {
  override name = 'DownstreamRefused'
  readonly code = 'downstream_refused'
  readonly status: number

  constructor(service: string, status: number) {
    super(`${service} refused the question with ${status}.`)
    this.status = status
  }
}

/** Of what a tool reads at once; who needs more asks for pages. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** A service answers itself in a moment, or not soon: one repetition, and none of what might be done twice. */
const REPEAT = {
  limit: 1,
  methods: ['get' as const],
  statusCodes: [500, 502, 503, 504],
  afterStatusCodes: [],
}

/** The APIs that the selected tool sets may ask, each at its endpoint. */
export class Downstream {
  readonly #apis
  readonly #endpoints

  constructor(apis: readonly DownstreamApi[], endpoints: Readonly<Record<string, string>>) {
    this.#apis = new Map(apis.map((api) => [api.name, api]))
    this.#endpoints = endpoints
  }

  /** For one call, with the tokens that it was judged with. */
  onBehalfOf(tokens: Tokens = new Map()): OnBehalf {
    const tokenFor = (api: string) => {
      const token = tokens.get(api)
      if (token instanceof ToolRefusal) throw token
      if (!token) throw new Error(`The tool does not name ${api} in infra/permissions.json.`)
      return token
    }
    return {
      apis: new Set(tokens.keys()),
      tokenFor,
      ask: async (api, question) => this.#ask(api, tokenFor(api), question),
    }
  }

  async #ask<T>(name: string, token: string, question: Question<T>): Promise<T> {
    const service = this.#apis.get(name)?.displayName ?? name
    try {
      const body = await within(question.deadlineMs ?? deadlines.downstream, (signal) =>
        tracedRequest(service, 'ask', question.method ?? 'GET', async (trace, answered) => {
          const response = await ky(this.#addressOf(name, question.path), {
            method: question.method ?? 'GET',
            ...(question.json !== undefined && { json: question.json }),
            headers: { ...question.headers, ...trace, authorization: `Bearer ${token}` },
            redirect: 'error',
            signal,
            timeout: false,
            retry: REPEAT,
            hooks: { afterResponse: [({ response }) => answered(response.status)] },
          })
          return readText(response, MAX_ANSWER_BYTES)
        }),
      )
      if (body === undefined) throw new Unreadable(`${service} answered with more than a tool reads.`)
      return read(service, body, question.answer)
    } catch (error) {
      throw failureOf(service, error, question.refused)
    }
  }

  /** The token is this API's: the address of a page must not carry it anywhere else. */
  #addressOf(name: string, path: string): string {
    const endpoint = this.#endpoints[name]
    const address = path.startsWith('/') ? `${endpoint}${path}` : path
    if (endpoint && address.startsWith(`${endpoint}/`)) return address
    throw new Error(`${name} linked to a foreign page.`)
  }
}

class Unreadable extends Error {
  override name = 'Unreadable'
  readonly code = 'downstream_unreadable'
}

function read<T>(service: string, body: string, shape: z.ZodType<T>): T {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    throw new Unreadable(`${service} answered with something that is no JSON.`)
  }
  const answer = shape.safeParse(json)
  if (answer.success) return answer.data
  throw new Unreadable(`${service} answered in another shape than documented.`)
}

function failureOf(service: string, error: unknown, refused?: Question<unknown>['refused']): Error {
  if (error instanceof ToolRefusal) return error
  if (error instanceof Unreadable) return unreadable(service, error)
  if (!isHTTPError(error)) return unavailable(service, 5, error)
  const { response, data } = error
  const { status, headers } = response
  const own = status < 500 ? refused?.({ status, headers, body: data }) : undefined
  return own ?? outageOf(service, response, error) ?? refusalOf(service, response)
}

/** Undefined: the service works, and said no. Without an answer it is not there. */
export function outageOf(service: string, answer: Response | undefined, cause: unknown) {
  if (!answer) return unavailable(service, 5, cause)
  if (answer.status >= 500) return unavailable(service, retryAfterSeconds(answer) ?? 5, cause)
  return answer.status === 429 ? throttled(service, answer) : undefined
}

export const unreadable = (service: string, cause: Error) =>
  new ToolRefusal(`${service} gave an answer that cannot be read. Try again later.`, {
    outcome: 'failed',
    decision: ['accept', 'downstream_unreadable'],
    cause,
  })

/** The same words for slow, silent, broken off and failing: the caller can do the same about each. */
const unavailable = (service: string, seconds: number, cause: unknown) =>
  new ToolRefusal(`${service} is not available. Try again in ${seconds} seconds.`, {
    outcome: 'failed',
    decision: ['accept', 'downstream_unavailable'],
    cause,
  })

const throttled = (service: string, response: Response) =>
  new ToolRefusal(
    `${service} is asked too often. Try again in ${retryAfterSeconds(response) ?? 60} seconds.`,
    { outcome: 'failed', decision: ['accept', 'downstream_throttled'] },
  )

function refusalOf(service: string, response: Response): Error {
  const { status, headers } = response
  if (status === 403)
    return new ToolRefusal(
      `${service} refuses this to your account: you lack a right there. Ask whoever administers it.`,
      { outcome: 'refused', decision: ['deny:rbac', 'downstream_forbidden'] },
    )
  // Continuous access evaluation: the token was good when it was given.
  if (status === 401 && /\bclaims=/.test(headers.get('www-authenticate') ?? ''))
    return new ToolRefusal(FURTHER_PROOF, {
      outcome: 'refused',
      decision: ['deny:claims', 'insufficient_claims'],
    })
  return new DownstreamRefused(service, status)
}
