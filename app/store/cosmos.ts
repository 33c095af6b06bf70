import { createDefaultHttpClient } from '@azure/core-rest-pipeline'
import { type Container, CosmosClient, type CosmosClientOptions } from '@azure/cosmos'
import { DownstreamUnavailable } from '../auth/downstream.ts'
import { DeadlineExceeded, deadlines, within } from '../deadline.ts'
import { tracedRequest } from '../telemetry/trace.ts'

/** What @azure/cosmos accepts as an Entra credential (the TokenCredential of @azure/core-auth). */
export type CosmosCredential = NonNullable<CosmosClientOptions['aadCredentials']>

/** Where the expenses are: the container exists already, partitioned by `/user_id`. */
export interface ContainerAddress {
  endpoint: string
  database: string
  container: string
  /** Account key; the configuration lets it through for loopback endpoints only. */
  key?: string | undefined
  /** Used when there is no key; needs a data-plane role on the container, nothing more. */
  credential?: CosmosCredential | undefined
  /** How long the credential may take for a token. */
  tokenDeadlineMs?: number
}

/** One request that gets no answer is given up after this time. */
const requestTimeoutMs = 5_000

/**
 * Opens the container without a network call: the first use of the store connects.
 *
 * @throws Error when neither a key nor a credential is given
 */
export const openContainer = (address: ContainerAddress): Container => {
  const { endpoint, database, container } = address
  const client = new CosmosClient({
    endpoint,
    ...authentication(address),
    httpClient: traced(createDefaultHttpClient()),
    // A replica that lags behind our own writes is not asked: what a user added, they list.
    consistencyLevel: 'Session',
    connectionPolicy: {
      requestTimeout: requestTimeoutMs,
      // The account's own address leads to its write region; the SDK's search for others repeats up to 120 times.
      enableEndpointDiscovery: false,
      // The store repeats by itself, within one deadline; the SDK would sleep past it.
      retryOptions: { maxRetryAttemptCount: 0 },
    },
  })
  return client.database(database).container(container)
}

const authentication = ({ key, credential, tokenDeadlineMs = deadlines.identity }: ContainerAddress) => {
  if (key !== undefined) return { key }
  if (credential !== undefined) return { aadCredentials: inTime(credential, tokenDeadlineMs) }
  throw new Error('Cosmos needs a credential: hand one in, or set COSMOS_KEY for a loopback endpoint.')
}

type HttpClient = NonNullable<CosmosClientOptions['httpClient']>

type HttpRequest = Parameters<HttpClient['sendRequest']>[0]

/**
 * Each request of the SDK's is a dependency of ours. A refusal without a JSON body, of a firewall say, would become a
 * TypeError of the SDK's without a status.
 */
const traced = (client: HttpClient): HttpClient => ({
  sendRequest: (request) =>
    tracedRequest('Azure Cosmos DB', operationOf(request), request.method, async (trace, answered) => {
      for (const [name, value] of Object.entries(trace)) request.headers.set(name, value)
      const response = await client.sendRequest(request)
      answered(response.status)
      if (response.status < 400 || isJson(response.bodyAsText)) return response
      return { ...response, bodyAsText: '{}' }
    }),
})

/** The path would hold ids of documents. */
function operationOf({ headers, method, url }: HttpRequest): string {
  if (headers.get('x-ms-cosmos-is-batch-request')) return 'batch'
  if (headers.get('x-ms-documentdb-isquery')) return 'query'
  if (headers.get('x-ms-cosmos-is-query-plan-request')) return 'query plan'
  const kind = [...KINDS].find(([segment]) => url.includes(segment))?.[1] ?? 'account'
  return method === 'GET' ? `read ${kind}` : kind
}

const KINDS = new Map([
  ['/docs', 'item'],
  ['/pkranges', 'ranges'],
  ['/colls', 'container'],
  ['/dbs', 'database'],
])

function isJson(text: string | null | undefined): boolean {
  try {
    return typeof JSON.parse(text ?? '') === 'object'
  } catch {
    return false
  }
}

/** The SDK waits for a token without an end, and all its requests wait for the same one. */
const inTime = (credential: CosmosCredential, deadlineMs: number): CosmosCredential => ({
  getToken: (scopes, options) =>
    within(deadlineMs, (abortSignal) => credential.getToken(scopes, { ...options, abortSignal })).catch(
      (error: unknown) => {
        if (!(error instanceof DeadlineExceeded)) throw error
        throw new DownstreamUnavailable('The managed identity', undefined, error)
      },
    ),
})
