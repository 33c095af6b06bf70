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

/** In place of the SDK's own policy, which sends no token to an emulator on this machine; credentials cache theirs. */
function authorize(pipeline: Pipeline, credential: ServiceCredential): void {
  pipeline.removePolicy({ name: bearerTokenAuthenticationPolicyName })
  pipeline.addPolicy({
    name: 'serviceAuthorization',
    sendRequest: async (request, next) => {
      const granted = await credential.getToken(`${SEARCH_RESOURCE}/.default`)
      if (!granted) throw new Error('There is no token for Azure AI Search.')
      request.headers.set('authorization', `Bearer ${granted.token}`)
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

/** What one query brings, the best first. */
export type Found = Readonly<{ id: string; title: string; content: string; score: number }>

const Hit = z.object({
  score: z.number(),
  document: z.object({ id: z.string(), title: z.string(), content: z.string() }),
})

/** The service answered, but not with a whole list: nothing of it may be shown. */
export class AnswerIncomplete extends Error {
  override name = 'AnswerIncomplete'
  readonly code = 'answer_incomplete'
}

/** No elevated read, no filter of ours: the service alone decides what the user of the token may find. */
type Question = Readonly<{ query: string; top: number; userToken: string; signal: AbortSignal }>

/**
 * At most `top` documents that the user may read.
 *
 * @throws RestError of the SDK for every status but 200 and for no answer; AnswerIncomplete
 */
export async function find(index: SearchClient<StoredDocument>, question: Question): Promise<Found[]> {
  const { query, top, userToken, signal } = question
  const page = await index.search(query, {
    top,
    queryType: 'simple',
    select: ['id', 'title', 'content'],
    xMsQuerySourceAuthorization: userToken,
    abortSignal: signal,
    onResponse: ({ status }, answer) => {
      const isWhole = status === 200 && z.object({ results: z.array(z.unknown()) }).safeParse(answer).success
      if (!isWhole) throw new AnswerIncomplete(`Azure AI Search answered ${status} without a list.`)
    },
  })
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
