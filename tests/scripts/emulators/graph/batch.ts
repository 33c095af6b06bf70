import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { callerOf } from '../../../../scripts/emulators/graph/access.ts'
import { badRequest } from '../../../../scripts/emulators/graph/errors.ts'
import type { Graph } from './endpoint.ts'

const LIMIT = 20

const Batch = z.object({
  requests: z.array(
    z.strictObject({
      id: z.string().min(1),
      method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']),
      url: z.string().min(1),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.unknown().optional(),
    }),
  ),
})
type BatchRequest = z.infer<typeof Batch>['requests'][number]

function parse(body: unknown): BatchRequest[] {
  const parsed = Batch.safeParse(body)
  if (!parsed.success) throw badRequest('Invalid batch payload format.')
  const { requests } = parsed.data
  if (requests.length > LIMIT)
    throw badRequest(`Number of batch request steps exceeds the maximum value of ${LIMIT}.`)
  const ids = requests.map(({ id }) => id.toLowerCase())
  if (new Set(ids).size < ids.length) throw badRequest('Request Id is not unique in the batch payload.')
  for (const { body: content, headers } of requests) {
    const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
    if (content !== undefined && !hasType)
      throw badRequest('Write request does not contain Content-Type header or body.')
  }
  return requests
}

/** Each request takes the whole way of a request by itself: its own rights, its own faults, its own place in the journal. */
async function run(origin: string, outer: Request, inner: BatchRequest) {
  const { id, method, url, headers, body } = inner
  const authorization = outer.get('authorization') ?? ''
  const answer = await fetch(`${origin}/v1.0${url.replace(/^\/?/, '/')}`, {
    method,
    headers: { authorization, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const content: unknown = text === '' ? undefined : JSON.parse(text)
  const shown = ['content-type', 'retry-after', 'request-id', 'location']
  const kept = [...answer.headers].filter(([name]) => shown.includes(name))
  return {
    id,
    status: answer.status,
    headers: Object.fromEntries(kept),
    ...(content === undefined ? {} : { body: content }),
  }
}

/** POST /$batch: up to 20 requests at the same time; `dependsOn` is refused, for nobody here waits for another. */
export function batch({ entra }: Graph, mount: string): RequestHandler {
  return async (request, response) => {
    await callerOf(entra, request.get('authorization'))
    const requests = parse(request.body)
    const { localAddress = '127.0.0.1', localPort } = request.socket
    const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress
    const origin = `http://${host}:${localPort}${mount}`
    const responses = await Promise.all(requests.map((inner) => run(origin, request, inner)))
    response.set('Date', new Date(entra.now()).toUTCString()).json({ responses })
  }
}
