/** One request to Microsoft Graph, repeated while that helps. */
import ky, { HTTPError } from 'ky'
import { DirectoryError } from './directory-error.ts'

export interface GraphOptions {
  /** Origin (and prefix) of Graph, without a version and without a trailing slash. */
  endpoint: string
  token: () => Promise<string>
  /** How long one request is repeated, and how long a fresh object may stay invisible. */
  patienceSeconds: number
  /** Milliseconds before the next attempt; attempts count from 1. */
  pause: (attempt: number) => number
}

export interface GraphRequest {
  method: 'get' | 'post' | 'patch' | 'delete'
  /** Below `/v1.0`, with its query. */
  path: string
  body?: object
  headers?: Record<string, string>
}

/** Statuses that pass by themselves. */
export const PASSING = [429, 500, 502, 503, 504]

export const versioned = ({ endpoint }: Pick<GraphOptions, 'endpoint'>) => `${endpoint}/v1.0`
const callOf = ({ method, path }: GraphRequest) => `${method.toUpperCase()} ${path.split('?')[0]}`
const milliseconds = (retryAfter: string | null | undefined) => (Number(retryAfter ?? 0) || 0) * 1000

const refusal = (request: GraphRequest, { response, data }: HTTPError) =>
  new DirectoryError(callOf(request), response.status, data, response.headers.get('request-id'))

const unreachable = (request: GraphRequest, error: unknown) =>
  new Error(
    `Microsoft Graph could not be reached for ${callOf(request)}: ${error instanceof Error ? error.message : error}`,
    { cause: error },
  )

/** Within patience; what ky does by itself: 429 and 5xx in Graph's own time, and a network that fails. */
function retryOf(request: GraphRequest, { patienceSeconds, pause }: GraphOptions) {
  const end = Date.now() + patienceSeconds * 1000
  const isWrite = request.method === 'post' || request.method === 'patch'
  return {
    limit: 1000,
    methods: ['get' as const, 'post' as const, 'patch' as const, 'delete' as const],
    statusCodes: PASSING,
    afterStatusCodes: PASSING,
    retryOnTimeout: true,
    delay: pause,
    shouldRetry: ({ error, retryCount }: { error: Error; retryCount: number }) => {
      const asked = error instanceof HTTPError ? error.response.headers.get('retry-after') : undefined
      // Waiting in vain helps nobody: fail at once when Graph asks for more patience than there is.
      if (Date.now() + Math.max(milliseconds(asked), pause(retryCount)) > end) return false
      if (!(error instanceof HTTPError)) return undefined
      const { isConcurrent, isReplication } = refusal(request, error)
      return isConcurrent || (isReplication && isWrite) || undefined
    },
  }
}

/** The answer's JSON; undefined for an empty one and for a GET of what is not there. Throws a DirectoryError. */
export async function send(options: GraphOptions, request: GraphRequest): Promise<unknown> {
  // Who is not signed in is told so, not that Graph is out of reach.
  const authorization = `Bearer ${await options.token()}`
  try {
    const response = await ky(`${versioned(options)}${request.path}`, {
      method: request.method,
      ...(request.body && { json: request.body }),
      headers: { ...request.headers, authorization },
      timeout: 30_000,
      retry: retryOf(request, options),
    })
    return response.status === 204 ? undefined : await response.json()
  } catch (error) {
    if (!(error instanceof HTTPError)) throw unreachable(request, error)
    if (request.method === 'get' && error.response.status === 404) return undefined
    throw refusal(request, error)
  }
}
