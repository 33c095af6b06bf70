import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import { callerOf } from './access.ts'
import type { Graph } from './endpoint.ts'
import { badRequest } from './errors.ts'

const LIMIT = 20

const Batch = z.object({
  requests: z.array(
    z.object({
      id: z.string().min(1),
      method: z.enum(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']),
      url: z.string().min(1),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.unknown().optional(),
      dependsOn: z.array(z.string()).default([]),
    }),
  ),
})
type BatchRequest = z.infer<typeof Batch>['requests'][number]

interface BatchResponse {
  id: string
  status: number
  headers: Record<string, string>
  body?: unknown
}

function parse(body: unknown): BatchRequest[] {
  const parsed = Batch.safeParse(body)
  if (!parsed.success) throw badRequest('Invalid batch payload format.')
  const { requests } = parsed.data
  if (requests.length > LIMIT)
    throw badRequest(`Number of batch request steps exceeds the maximum value of ${LIMIT}.`)
  const ids = requests.map(({ id }) => id.toLowerCase())
  if (new Set(ids).size < ids.length) throw badRequest('Request Id is not unique in the batch payload.')
  for (const [index, { body: content, headers, dependsOn }] of requests.entries()) {
    const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
    if (content !== undefined && !hasType)
      throw badRequest('Write request does not contain Content-Type header or body.')
    // Only earlier ones can be waited for, so there is no circle.
    if (dependsOn.some((id) => !ids.slice(0, index).includes(id.toLowerCase())))
      throw badRequest('Invalid dependsOn value in the batch payload.')
  }
  return requests
}

/** Each request takes the whole way of a request by itself: its own rights, its own faults, its own place in the journal. */
async function run(origin: string, outer: Request, inner: BatchRequest): Promise<BatchResponse> {
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

const failedDependency = (id: string): BatchResponse => ({
  id,
  status: 424,
  headers: {},
  body: { error: { code: 'FailedDependency', message: 'A request that this one depends on has failed.' } },
})

/** POST /$batch: up to 20 requests at once, each after those that it depends on, all others at the same time. */
export function batch({ entra }: Graph, mount: string): RequestHandler {
  return async (request, response) => {
    await callerOf(entra, request.get('authorization'))
    const requests = parse(request.body)
    const { localAddress = '127.0.0.1', localPort } = request.socket
    const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress
    const origin = `http://${host}:${localPort}${mount}`
    const running = new Map<string, Promise<BatchResponse>>()
    for (const inner of requests) {
      const needed = inner.dependsOn.map((id) => running.get(id.toLowerCase()))
      const answer = Promise.all(needed).then((before) =>
        before.some((one) => one && one.status >= 400)
          ? failedDependency(inner.id)
          : run(origin, request, inner),
      )
      running.set(inner.id.toLowerCase(), answer)
    }
    response
      .set('Date', new Date(entra.now()).toUTCString())
      .json({ responses: await Promise.all(running.values()) })
  }
}
