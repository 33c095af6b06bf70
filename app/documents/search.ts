import {
  bearerTokenAuthenticationPolicyName,
  createDefaultHttpClient,
  type HttpClient,
  type Pipeline,
  type PipelineRequest,
} from '@azure/core-rest-pipeline'
import { SearchClient, SearchIndexClient } from '@azure/search-documents'
import { z } from 'zod'
import { tracedRequest } from '../telemetry/trace.ts'
import { AnswerIncomplete, type Found } from './answer.ts'

/** The index that `npm run documents` makes and the server asks. */
export const DOCUMENTS_INDEX = 'documents'
/** The audience of both tokens: the server's, which lets it ask, and the user's, which decides what is found. */
export const SEARCH_RESOURCE = 'https://search.azure.com'

/** A document as the index keeps it. The readers are object ids of Entra; the service never gives them back. */
export type StoredDocument = Readonly<{
  id: string
  title: string
  content: string
  reader_users: readonly string[]
  reader_groups: readonly string[]
}>

/** A TokenCredential of @azure/core-auth, as far as it is needed here. */
export type ServiceCredential = Readonly<{
  getToken: (scopes: string) => Promise<{ token: string; expiresOnTimestamp: number } | null>
}>

const clientOptions = (endpoint: string) => ({
  // The first version in which an index with readers gives nothing away without a user's token.
  serviceVersion: '2025-11-01-preview',
  // Only loopback gets so far: app/config.ts refuses every other http endpoint.
  allowInsecureConnection: endpoint.startsWith('http:'),
  // Repeated by whoever asked, who is told when; the SDK would sleep past every deadline.
  retryOptions: { maxRetries: 0 },
  // The user's token is in a header that a redirect would carry along.
  redirectOptions: { handleRedirects: false },
  httpClient: traced(createDefaultHttpClient()),
})

/** Opens the index without a network call: to ask it, and to fill it. */
export function openIndex(endpoint: string, credential: ServiceCredential): SearchClient<StoredDocument> {
  const client = new SearchClient<StoredDocument>(
    endpoint,
    DOCUMENTS_INDEX,
    credential,
    clientOptions(endpoint),
  )
  authorize(client.pipeline, credential)
  return client
}

/** The service itself, where indexes are defined. No network call. */
export function openService(endpoint: string, credential: ServiceCredential): SearchIndexClient {
  const client = new SearchIndexClient(endpoint, credential, clientOptions(endpoint))
  authorize(client.pipeline, credential)
  return client
}

/** A token is not sent in its last two minutes. */
const EXPIRY_MARGIN = 2 * 60_000

/** In place of the SDK's own policy, which sends no token to an emulator on this machine. */
function authorize(pipeline: Pipeline, credential: ServiceCredential): void {
  let held: Awaited<ReturnType<ServiceCredential['getToken']>> = null
  pipeline.removePolicy({ name: bearerTokenAuthenticationPolicyName })
  pipeline.addPolicy({
    name: 'serviceAuthorization',
    sendRequest: async (request, next) => {
      if (!held || held.expiresOnTimestamp < Date.now() + EXPIRY_MARGIN)
        held = await credential.getToken(`${SEARCH_RESOURCE}/.default`)
      if (!held) throw new Error('There is no token for Azure AI Search.')
      request.headers.set('authorization', `Bearer ${held.token}`)
      return next(request)
    },
  })
}

/** Each request of the SDK's is a dependency of ours. */
const traced = (client: HttpClient): HttpClient => ({
  sendRequest: (request) =>
    tracedRequest('Azure AI Search', operationOf(request), request.method, async (trace, answered) => {
      for (const [name, value] of Object.entries(trace)) request.headers.set(name, value)
      const response = await client.sendRequest(request)
      answered(response.status)
      return response
    }),
})

const operationOf = ({ url }: PipelineRequest) =>
  /\/docs\/search\.(?:post\.)?(search|index)\b/.exec(url)?.[1] ?? 'definition'

const Page = z.object({ results: z.array(z.unknown()) })
const Hit = z.object({
  score: z.number(),
  document: z.object({ id: z.string(), title: z.string(), content: z.string() }),
})

/** No elevated read, no filter of ours: the service alone decides what the user of the token may find. */
type Question = Readonly<{ query: string; top: number; userToken: string; signal: AbortSignal }>

/**
 * At most `top` documents that the user may read.
 *
 * @throws RestError of the SDK for every status but 200 and for no answer; AnswerIncomplete
 */
export async function find(index: SearchClient<StoredDocument>, question: Question): Promise<Found[]> {
  const { query, top, userToken, signal } = question
  let isWhole = false
  const page = await index.search(query, {
    top,
    queryType: 'simple',
    select: ['id', 'title', 'content'],
    xMsQuerySourceAuthorization: userToken,
    abortSignal: signal,
    onResponse: ({ status }, answer) => {
      // Of these the SDK makes an error of its own.
      if (status >= 400) return
      isWhole = status === 200 && Page.safeParse(answer).success
      if (!isWhole) throw new AnswerIncomplete(`Azure AI Search answered ${status} without a whole list.`)
    },
  })
  // The SDK has not shown us its answer.
  if (!isWhole) throw new AnswerIncomplete('Azure AI Search answered nothing that could be looked at.')
  const found: Found[] = []
  for await (const hit of page.results) {
    const parsed = Hit.safeParse(hit)
    if (!parsed.success)
      throw new AnswerIncomplete('Azure AI Search answered with something that is no document.')
    found.push({ ...parsed.data.document, score: parsed.data.score })
    if (found.length === top) break
  }
  return found
}
