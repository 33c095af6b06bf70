import assert from 'node:assert/strict'
import type { IncomingMessage, RequestListener } from 'node:http'
import { after, before, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { listenOnLoopback } from '../../../scripts/emulators/loopback.ts'
import { Directory } from '../../../scripts/graph/directory.ts'

type Answer = { status: number; body?: unknown; headers?: Record<string, string> }
const Batch = z.object({ requests: z.array(z.object({ id: z.string(), url: z.string() })) })
const Item = z.object({ id: z.string() })
const error = (code: string, message: string) => ({ error: { code, message } })

describe('directory', () => {
  let url: string
  let close: () => Promise<void>
  let answers: Answer[] = []
  let calls: { method: string; path: string; authorization: string; body: unknown }[] = []

  const bodyOf = async (request: IncomingMessage) => {
    const text = (await request.toArray()).join('')
    return text === '' ? undefined : JSON.parse(text)
  }
  const listener: RequestListener = async (request, response) => {
    const { method = '', url: path = '', headers } = request
    calls.push({ method, path, authorization: headers.authorization ?? '', body: await bodyOf(request) })
    const { status, body, headers: more } = answers.shift() ?? { status: 500 }
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'r-1', ...more })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
  const directory = (patienceSeconds = 5) =>
    new Directory({ endpoint: url, patienceSeconds, token: async () => 'a-token', pause: () => 1 })

  before(async () => {
    const server = await listenOnLoopback((request, response) => void listener(request, response), 0, 'PORT')
    url = `http://127.0.0.1:${server.port}/graph`
    close = server.close
  })
  beforeEach(() => {
    answers = []
    calls = []
  })
  after(() => close())

  it('reads one object with one GET and says undefined for a 404', async () => {
    answers = [
      { status: 200, body: { id: 'a' } },
      { status: 404, body: error('Request_ResourceNotFound', 'no') },
    ]
    assert.deepEqual(await directory().get('/applications/a', Item), { id: 'a' })
    assert.equal(await directory().get('/applications/b', Item), undefined)
    assert.deepEqual(
      calls.map(({ method, path, authorization }) => [method, path, authorization]),
      [
        ['GET', '/graph/v1.0/applications/a', 'Bearer a-token'],
        ['GET', '/graph/v1.0/applications/b', 'Bearer a-token'],
      ],
    )
  })

  it('sends reads of the same turn in batches of 20', async () => {
    const batch = (paths: number[]) => ({
      status: 200,
      body: {
        responses: paths.map((n, id) => ({ id: String(id), status: 200, body: { id: `${n}` } })).reverse(),
      },
    })
    const numbers = Array.from({ length: 23 }, (_, index) => index)
    answers = [batch(numbers.slice(0, 20)), batch(numbers.slice(20))]
    const shared = directory()
    const found = await Promise.all(numbers.map((n) => shared.get(`/applications/${n}`, Item)))
    assert.deepEqual(
      found.map((one) => one?.id),
      numbers.map(String),
    )
    assert.deepEqual(
      calls.map(({ path }) => path),
      ['/graph/v1.0/$batch', '/graph/v1.0/$batch'],
    )
    assert.deepEqual(
      Batch.parse(calls[1]?.body).requests.map(({ url: path }) => path),
      ['/applications/20', '/applications/21', '/applications/22'],
    )
  })

  it('asks again alone for the part of a batch that was throttled, and refuses the part that is forbidden', async () => {
    const shared = directory()
    answers = [
      {
        status: 200,
        body: {
          responses: [
            { id: '0', status: 429, body: error('TooManyRequests', 'slow') },
            {
              id: '1',
              status: 403,
              headers: { 'request-id': 'r-2' },
              body: error('Authorization_RequestDenied', 'no'),
            },
            { id: '2', status: 404 },
          ],
        },
      },
      { status: 200, body: { id: 'a' } },
    ]
    const [first, second, third] = await Promise.allSettled([
      shared.get('/applications/a', Item),
      shared.get('/applications/b', Item),
      shared.get('/applications/c', Item),
    ])
    assert.deepEqual(first, { status: 'fulfilled', value: { id: 'a' } })
    assert.match(
      String(second.status === 'rejected' && second.reason.message),
      /refused GET \/applications\/b: 403 Authorization_RequestDenied: no \(request-id r-2\)/,
    )
    assert.deepEqual(third, { status: 'fulfilled', value: undefined })
  })

  it('follows the pages of a list, an empty first one included, but never to another host', async () => {
    answers = [
      { status: 200, body: { value: [], '@odata.nextLink': `${url}/v1.0/groups?$skiptoken=1` } },
      { status: 200, body: { value: [{ id: 'a' }, { id: 'b' }] } },
      { status: 200, body: { value: [], '@odata.nextLink': 'http://127.0.0.1:9/v1.0/groups' } },
    ]
    assert.deepEqual(await directory().list('/groups', Item), [{ id: 'a' }, { id: 'b' }])
    await assert.rejects(directory().list('/groups', Item), /strange next page/)
    assert.equal(calls.length, 3)
  })

  it('repeats what passes: 429, 5xx, concurrent writes and replication', async () => {
    for (const passing of [
      { status: 429, headers: { 'retry-after': '0' } },
      { status: 500 },
      { status: 503 },
      { status: 409, body: error('Directory_ConcurrencyViolation', 'busy') },
      { status: 404, body: error('Request_ResourceNotFound', "Resource 'x' does not exist") },
      {
        status: 400,
        body: error('Request_BadRequest', 'The appId does not reference a valid application object.'),
      },
    ]) {
      answers = [passing, passing, { status: 201, body: { id: 'a' } }]
      assert.deepEqual(await directory().create('/groups', { id: 'a' }, Item), { id: 'a' })
    }
  })

  it('gives up when patience is over, with text, code and request id of the last answer', async () => {
    answers = Array.from({ length: 3 }, () => ({
      status: 503,
      body: error('ServiceUnavailable', 'The service failed.'),
    }))
    await assert.rejects(directory(0).update('/groups/a', {}), {
      name: 'DirectoryError',
      status: 503,
      message:
        'Microsoft Graph refused PATCH /groups/a: 503 ServiceUnavailable: The service failed. (request-id r-1)',
    })
    assert.equal(calls.length, 1)
  })

  it('fails at once when Graph asks for more patience than there is', async () => {
    answers = [{ status: 429, headers: { 'retry-after': '600' }, body: error('TooManyRequests', 'slow') }]
    await assert.rejects(directory(5).create('/groups', {}, Item), { status: 429 })
  })

  it('never repeats a refusal', async () => {
    for (const status of [400, 401, 403, 409]) {
      answers = [{ status, body: error('Refused', 'Another object already exists.') }]
      await assert.rejects(directory().create('/groups', {}, Item), { status, code: 'Refused' })
    }
    assert.equal(calls.length, 4)
  })

  it('takes a deletion of what is gone as done', async () => {
    answers = [{ status: 204 }, { status: 404, body: error('Request_ResourceNotFound', 'gone') }]
    assert.equal(await directory().remove('/groups/a'), true)
    assert.equal(await directory().remove('/groups/a'), false)
  })

  it('says which call could not reach Graph', async () => {
    const nobody = new Directory({
      endpoint: 'http://127.0.0.1:9',
      patienceSeconds: 0,
      token: async () => 'a-token',
      pause: () => 1,
    })
    await assert.rejects(nobody.update('/groups/a', {}), /could not be reached for PATCH \/groups\/a/)
  })
})
