import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base'
import { openContainer } from '../../../app/store/cosmos.ts'
import { ExpenseStore } from '../../../app/store/expenses.ts'
import { Spans } from '../../../app/telemetry/spans.ts'
import { startRequest, tracedRequest, tracedStep } from '../../../app/telemetry/trace.ts'
import { noWaiting, someUser } from '../store.ts'

describe('spans', () => {
  let exporter: InMemorySpanExporter
  let spans: Spans
  beforeEach(() => {
    exporter = new InMemorySpanExporter()
    // What is kept is forgotten when the exporter is shut down.
    exporter.shutdown = async () => {}
    spans = new Spans(async () => exporter)
  })
  afterEach(() => spans.close())

  const inRequest = async <T>(call: () => Promise<T>) => {
    const request = startRequest()
    try {
      return await context.with(trace.setSpan(ROOT_CONTEXT, request), call)
    } finally {
      request.end()
    }
  }
  const finished = async () => {
    await spans.close()
    return exporter.getFinishedSpans()
  }

  it('of Cosmos carry the trace on, are children of their request and hold neither id nor text', async () => {
    const seen: IncomingHttpHeaders[] = []
    const server = createServer(({ headers }, response) => {
      seen.push(headers)
      response.writeHead(503).end('<html>busy</html>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      const address = { endpoint: `http://127.0.0.1:${port}`, key: 'a2V5', database: 'db', container: 'c' }
      const store = new ExpenseStore(openContainer(address), noWaiting())
      const user = someUser()
      await inRequest(() =>
        assert.rejects(store.list(user, { limit: 1 }), { code: 'store_unavailable', retryAfterSeconds: 5 }),
      )
      const [request, ...others] = (await finished()).toReversed()
      assert.equal(others.length, seen.length)
      assert.ok(others.length > 0)
      for (const [index, span] of others.toReversed().entries()) {
        const { traceId, spanId } = span.spanContext()
        assert.equal(span.parentSpanContext?.spanId, request?.spanContext().spanId)
        assert.equal(seen[index]?.traceparent, `00-${traceId}-${spanId}-01`)
        assert.equal(span.status.code, SpanStatusCode.ERROR)
        assert.deepEqual(
          [span.attributes['peer.service'], span.attributes['http.response.status_code']],
          ['Azure Cosmos DB', 503],
        )
        assert.ok(!JSON.stringify([span.name, span.attributes, span.events]).includes(user))
      }
    } finally {
      server.close().closeAllConnections()
    }
  })

  it('of a refusal name the code that its body holds', async () => {
    const data = { error: { code: 'Authorization_RequestDenied', message: 'secret text' } }
    const refused = Object.assign(new Error('secret text'), { name: 'HTTPError', data })
    const refuse = () => Promise.reject(refused)
    await assert.rejects(tracedRequest('Microsoft Graph', 'membership', 'GET', refuse), refused)
    const [span] = await finished()
    assert.equal(span?.attributes.error_code, 'Authorization_RequestDenied')
  })

  it('of what fails name the code, never the text', async () => {
    const failure = Object.assign(new Error('secret text'), { code: 'ECONNREFUSED' })
    const fail = () => Promise.reject(failure)
    await assert.rejects(tracedStep('step', fail), failure)
    await assert.rejects(tracedRequest('Microsoft Graph', 'membership', 'GET', fail), failure)
    for (const { attributes, status, events } of await finished()) {
      assert.deepEqual([attributes.error_code, status], ['ECONNREFUSED', { code: SpanStatusCode.ERROR }])
      assert.deepEqual(events, [])
    }
  })
})

describe('without telemetry', () => {
  it('calls are made as they are, and no header is added', async () => {
    const answer = await tracedRequest('Microsoft Graph', 'membership', 'GET', async (headers, answered) => {
      answered(200)
      return headers
    })
    assert.deepEqual(answer, {})
    assert.equal(await tracedStep('step', async () => 'done'), 'done')
  })
})
