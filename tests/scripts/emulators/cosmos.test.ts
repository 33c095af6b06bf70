import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { type Container, CosmosClient, type OperationInput } from '@azure/cosmos'
import { type Cosmos, startCosmos } from '../../../scripts/emulators/cosmos.ts'
import { signedFetch } from './signed-fetch.ts'

const docs = '/dbs/expenses/colls/expenses/docs'
const isQuery = { 'x-ms-documentdb-isquery': 'True', 'content-type': 'application/query+json' }
const inPartition = (value: string) => ({ 'x-ms-documentdb-partitionkey': JSON.stringify([value]) })

const options = { port: 0, file: ':memory:', database: 'expenses', container: 'expenses' }
const containerOf = ({ url, key }: Cosmos): Container => {
  const client = new CosmosClient({ endpoint: url, key })
  after(() => client.dispose())
  return client.database('expenses').container('expenses')
}

describe('the Cosmos emulator', () => {
  let cosmos: Cosmos
  let container: Container
  before(async () => {
    cosmos = await startCosmos(options)
    container = containerOf(cosmos)
    for (const user_id of ['alice', 'bob']) {
      for (const n of [1, 2, 3])
        await container.items.create({ id: `${n}`, user_id, type: 'note', sort_key: `k${n}`, n })
      await container.items.create({ id: 'total', user_id, type: 'total' })
    }
  })
  after(() => cosmos.close())

  const query = (text: string, headers: Record<string, string>, parameters: unknown[] = []) =>
    signedFetch(cosmos, 'POST', docs, {
      headers: { ...isQuery, ...headers },
      body: { query: text, parameters },
    })

  const assertError = (answer: { status: number; body: unknown }, status: number, code: string) => {
    assert.equal(answer.status, status)
    assert.ok(
      typeof answer.body === 'object' && answer.body && 'code' in answer.body && 'message' in answer.body,
    )
    assert.equal(answer.body.code, code)
    assert.match(String(answer.body.message), /ActivityId: [0-9a-f-]{36}$/)
  }

  describe('guards partitions', () => {
    it("returns no row of another partition, even when the query's text asks for it", async () => {
      const texts = [
        "SELECT * FROM c WHERE c.user_id = 'bob'",
        "SELECT * FROM c WHERE c.user_id = 'bob' ORDER BY c.sort_key",
      ]
      for (const text of texts) {
        const { resources } = await container.items.query(text, { partitionKey: 'alice' }).fetchAll()
        assert.deepEqual(resources, [])
      }
      const { resources } = await container.items
        .query('SELECT * FROM c', { partitionKey: 'alice' })
        .fetchAll()
      assert.deepEqual([...new Set(resources.map(({ user_id }) => user_id))], ['alice'])
    })

    it('refuses a query for one partition key value without the header', async () => {
      assertError(await query("SELECT * FROM c WHERE c.user_id = 'bob'", {}), 400, 'BadRequest')
    })

    it('refuses ORDER BY across partitions, as the gateway does', async () => {
      assertError(await query('SELECT * FROM c ORDER BY c.sort_key', {}), 400, 'BadRequest')
    })

    it('crosses partitions for a query that names none', async () => {
      const { resources } = await container.items.query("SELECT * FROM c WHERE c.type = 'total'").fetchAll()
      assert.deepEqual(
        resources.map(({ user_id }) => user_id),
        ['alice', 'bob'],
      )
    })

    it('does not read, replace, patch or delete across partitions', async () => {
      await container.items.create({ id: 'mine', user_id: 'erin' })
      const stolen = container.item('mine', 'bob')
      assert.equal((await stolen.read()).statusCode, 404)
      await assert.rejects(stolen.replace({ id: 'mine', user_id: 'bob' }), { code: 404 })
      await assert.rejects(stolen.patch([{ op: 'set', path: '/x', value: 1 }]), { code: 404 })
      await assert.rejects(stolen.delete(), { code: 404 })
    })

    it('refuses a partition key that is none, and another id for a document', async () => {
      const headers = { 'x-ms-documentdb-partitionkey': 'alice' }
      assertError(await signedFetch(cosmos, 'GET', `${docs}/1`, { headers }), 400, 'BadRequest')
      const other = { id: '9', user_id: 'alice' }
      await assert.rejects(container.item('1', 'alice').replace(other), { code: 400 })
    })

    it('refuses a document whose partition key is not that of the header', async () => {
      const body = { id: 'x', user_id: 'bob' }
      const answer = await signedFetch(cosmos, 'POST', docs, { headers: inPartition('alice'), body })
      assertError(answer, 400, 'BadRequest')
      assert.equal(answer.headers.get('x-ms-substatus'), '1001')
      assertError(await signedFetch(cosmos, 'POST', docs, { body }), 400, 'BadRequest')
    })
  })

  it('holds no documents outside of its container', async () => {
    const body = { id: 'x', user_id: 'alice' }
    for (const path of [
      '/dbs/expenses/docs',
      '/dbs/expenses/colls/other/docs',
      '/dbs/other/colls/expenses/docs',
    ])
      assertError(
        await signedFetch(cosmos, 'POST', path, { headers: inPartition('alice'), body }),
        404,
        'NotFound',
      )
  })

  describe('checks signatures', () => {
    const read = (key: string, more: Parameters<typeof signedFetch>[3] = {}) =>
      signedFetch({ url: cosmos.url, key }, 'GET', '/dbs/expenses', more)

    it('serves what is signed with the key', async () => {
      assert.equal((await read(cosmos.key)).status, 200)
    })

    it('refuses another key, a missing or malformed signature, and a token', async () => {
      assertError(await read(Buffer.from('other').toString('base64')), 401, 'Unauthorized')
      const spoiled = [
        '',
        'x',
        '%',
        'type%3Dmaster%26ver%3D1.0%26sig%3D',
        'type%3Daad%26ver%3D1.0%26sig%3Dabc',
      ]
      for (const authorization of spoiled) {
        assertError(await read(cosmos.key, { headers: { authorization } }), 401, 'Unauthorized')
      }
      assert.equal((await fetch(`${cosmos.url}/`)).status, 401)
    })

    it('refuses a signature for another method, resource or date', async () => {
      const date = new Date(Date.now() - 60_000)
      assertError(
        await read(cosmos.key, { headers: { 'x-ms-date': date.toUTCString() } }),
        401,
        'Unauthorized',
      )
      const { headers } = await signedFetch(cosmos, 'GET', '/dbs/expenses')
      assert.ok(headers.get('x-ms-activity-id'))
      assertError(await read(cosmos.key, { headers: { 'x-ms-date': '' } }), 401, 'Unauthorized')
    })

    it('refuses a signature that is older than 15 minutes', async () => {
      assert.equal((await read(cosmos.key, { date: new Date(Date.now() - 14 * 60_000) })).status, 200)
      assertError(await read(cosmos.key, { date: new Date(Date.now() - 16 * 60_000) }), 403, 'Forbidden')
      assertError(await read(cosmos.key, { date: new Date(Date.now() + 16 * 60_000) }), 403, 'Forbidden')
    })
  })

  describe('reads only the SQL that it understands', () => {
    const refused = [
      'SELECT c.id FROM c',
      'SELECT VALUE COUNT(1) FROM c',
      'SELECT TOP 1 * FROM c',
      "SELECT * FROM c WHERE c.type = 'note' OR c.type = 'total'",
      "SELECT * FROM c WHERE NOT c.type = 'note'",
      "SELECT * FROM c WHERE d.type = 'note'",
      'SELECT * FROM c WHERE c.n = @missing',
      "SELECT * FROM c WHERE CONTAINS(c.type, 'n')",
      'SELECT * FROM c ORDER BY c.sort_key, c.id',
      "SELECT * FROM c WHERE c.type = 'note'; DROP TABLE documents",
      '',
    ]
    for (const text of refused) {
      it(`refuses: ${text || 'nothing at all'}`, async () => {
        assertError(await query(text, inPartition('alice')), 400, 'BadRequest')
      })
    }

    it('refuses query plans and malformed bodies', async () => {
      const headers = { ...inPartition('alice'), 'x-ms-cosmos-is-query-plan-request': 'True' }
      assertError(await query('SELECT * FROM c', headers), 400, 'BadRequest')
      const body = '{'
      assertError(await signedFetch(cosmos, 'POST', docs, { headers: isQuery, body }), 400, 'BadRequest')
    })

    it('compares text with text and numbers with numbers only', async () => {
      const count = async (value: unknown) => {
        const parameters = [{ name: '@n', value }]
        const answer = await query('SELECT * FROM c WHERE c.n >= @n', inPartition('alice'), parameters)
        return answer.status === 200 ? Number(answer.headers.get('x-ms-item-count')) : answer.status
      }
      assert.deepEqual(
        [await count(2), await count('0'), await count(true), await count(null)],
        [2, 0, 400, 400],
      )
    })

    it('treats a parameter as a value, whatever it holds', async () => {
      const parameters = [{ name: '@type', value: "note' OR 'a' = 'a" }]
      const answer = await query('SELECT * FROM c WHERE c.type = @type', inPartition('alice'), parameters)
      assert.equal(answer.headers.get('x-ms-item-count'), '0')
    })
  })

  describe('pages', () => {
    const ordered = 'SELECT * FROM c ORDER BY c.sort_key DESC'
    const firstOf = async (headers: Record<string, string>) => {
      const answer = await query(ordered, { ...headers, 'x-ms-max-item-count': '1' })
      return answer.headers.get('x-ms-continuation') ?? ''
    }

    it('returns every row once, in order, for every page size', async () => {
      for (const maxItemCount of [1, 2, 3, 4]) {
        const iterator = container.items.query(ordered, { partitionKey: 'alice', maxItemCount })
        const { resources } = await iterator.fetchAll()
        assert.deepEqual(
          resources.map(({ sort_key }) => sort_key),
          ['k3', 'k2', 'k1'],
        )
      }
    })

    it('continues only the query that the token was made for', async () => {
      const continuation = { 'x-ms-continuation': await firstOf(inPartition('alice')) }
      assert.equal((await query(ordered, { ...inPartition('alice'), ...continuation })).status, 200)
      assertError(await query(ordered, { ...inPartition('bob'), ...continuation }), 400, 'BadRequest')
      const other = 'SELECT * FROM c ORDER BY c.sort_key ASC'
      assertError(await query(other, { ...inPartition('alice'), ...continuation }), 400, 'BadRequest')
      for (const token of ['x', continuation['x-ms-continuation'].slice(0, -4)]) {
        const spoiled = { ...inPartition('alice'), 'x-ms-continuation': token }
        assertError(await query(ordered, spoiled), 400, 'BadRequest')
      }
    })
  })

  describe('runs batches', () => {
    const create = (id: string, user_id = 'carol'): OperationInput => ({
      operationType: 'Create',
      resourceBody: { id, user_id },
    })
    const statusesOf = async (operations: OperationInput[]) => {
      const { code, result } = await container.items.batch(operations, 'carol')
      return [code, ...(result ?? []).map(({ statusCode }) => statusCode)]
    }

    it('all or nothing: the failing one has its status, the others 424', async () => {
      const missing: OperationInput = { operationType: 'Delete', id: 'missing' }
      assert.deepEqual(await statusesOf([create('a'), missing, create('b')]), [207, 424, 404, 424])
      assert.equal((await container.item('a', 'carol').read()).statusCode, 404)
      assert.deepEqual(await statusesOf([create('a'), create('b')]), [200, 201, 201])
      assert.deepEqual(await statusesOf([create('c'), create('a')]), [207, 424, 409])
      assert.deepEqual(await statusesOf([create('d'), create('e', 'dave')]), [207, 424, 400])
      assert.equal((await container.item('c', 'carol').read()).statusCode, 404)
    })

    it('with reads, replaces, upserts, deletes and patches that see each other', async () => {
      const id = 'many'
      const user_id = 'carol'
      const operations: OperationInput[] = [
        { operationType: 'Create', resourceBody: { id, user_id, n: 1, deep: { m: 1 } } },
        { operationType: 'Patch', id, resourceBody: [{ op: 'incr', path: '/n', value: 2 }] },
        {
          operationType: 'Patch',
          id,
          resourceBody: { operations: [{ op: 'incr', path: '/deep/m', value: 0.5 }] },
        },
        { operationType: 'Patch', id, resourceBody: [{ op: 'incr', path: '/new', value: 7 }] },
        { operationType: 'Read', id },
      ]
      const { result = [] } = await container.items.batch(operations, user_id)
      const { n, deep, new: added } = result.at(-1)?.resourceBody ?? {}
      assert.deepEqual({ n, deep, added }, { n: 3, deep: { m: 1.5 }, added: 7 })
      const rest: OperationInput[] = [
        { operationType: 'Replace', id, resourceBody: { id, user_id } },
        { operationType: 'Upsert', resourceBody: { id, user_id, again: true } },
        { operationType: 'Delete', id },
      ]
      assert.deepEqual(await statusesOf(rest), [200, 200, 200, 204])
    })

    it('refuses patches that cannot be applied', async () => {
      await container.items.create({ id: 'p', user_id: 'carol', text: 'x', list: [1] })
      const patches = [
        { op: 'incr', path: '/text', value: 1 },
        { op: 'replace', path: '/missing', value: 1 },
        { op: 'remove', path: '/missing' },
        { op: 'set', path: '/list/0', value: 1 },
        { op: 'set', path: '/missing/child', value: 1 },
        { op: 'set', path: '/id', value: 'q' },
        { op: 'set', path: '/user_id', value: 'bob' },
        { op: 'set', path: '/__proto__/polluted', value: 1 },
        { op: 'set', path: 'text', value: 1 },
      ] as const
      for (const patch of patches) {
        await assert.rejects(container.item('p', 'carol').patch([patch]), { code: 400 }, patch.path)
      }
      const operations = [{ op: 'set' as const, path: '/text', value: 'y' }]
      const conditional = { operations, condition: "from c where c.text = 'x'" }
      await assert.rejects(container.item('p', 'carol').patch(conditional), { code: 400 })
      const eleven = Array.from({ length: 11 }, () => ({ op: 'incr' as const, path: '/n', value: 1 }))
      await assert.rejects(container.item('p', 'carol').patch(eleven), { code: 400 })
    })

    it('refuses more than 100 operations and foreign partitions', async () => {
      const headers = { ...inPartition('carol'), 'x-ms-cosmos-is-batch-request': 'True' }
      const body = Array.from({ length: 101 }, (_, index) => create(`${index}`))
      assertError(await signedFetch(cosmos, 'POST', docs, { headers, body }), 400, 'BadRequest')
      const foreign = [{ ...create('x'), partitionKey: '["bob"]' }]
      assertError(await signedFetch(cosmos, 'POST', docs, { headers, body: foreign }), 400, 'BadRequest')
    })
  })

  it('refuses a write whose etag is not the current one', async () => {
    const { resource, item } = await container.items.create({ id: 'etag', user_id: 'alice' })
    assert.ok(resource)
    const condition = { accessCondition: { type: 'IfMatch', condition: resource._etag } }
    await item.replace({ id: 'etag', user_id: 'alice', changed: 1 }, condition)
    await assert.rejects(item.replace({ id: 'etag', user_id: 'alice', changed: 2 }, condition), { code: 412 })
    const patch: OperationInput = {
      operationType: 'Patch',
      id: 'etag',
      ifMatch: resource._etag,
      resourceBody: [{ op: 'incr', path: '/changed', value: 1 }],
    }
    const { code, result } = await container.items.batch([patch], 'alice')
    assert.deepEqual([code, result?.[0]?.statusCode], [207, 412])
    await item.delete()
  })

  it('refuses documents over 2 MB, bad ids and what exists already', async () => {
    const headers = inPartition('alice')
    const text = 'x'.repeat(2 * 1024 * 1024)
    const large = await signedFetch(cosmos, 'POST', docs, {
      headers,
      body: { id: 'large', user_id: 'alice', text },
    })
    assertError(large, 413, 'RequestEntityTooLarge')
    const slash = await signedFetch(cosmos, 'POST', docs, { headers, body: { id: 'a/b', user_id: 'alice' } })
    assertError(slash, 400, 'BadRequest')
    await assert.rejects(container.items.create({ id: '1', user_id: 'alice' }), { code: 409 })
  })

  it('answers an unknown route with 405 and a missing container with 404', async () => {
    assertError(await signedFetch(cosmos, 'GET', '/offers'), 405, 'MethodNotAllowed')
    for (const [method, path] of [
      ['GET', '/dbs/expenses/colls/expenses/pkranges'],
      ['POST', '/dbs'],
      ['POST', '/dbs/expenses/colls'],
      ['DELETE', '/dbs/expenses'],
      ['DELETE', '/dbs/expenses/colls/expenses'],
    ] as const)
      assertError(await signedFetch(cosmos, method, path), 405, 'MethodNotAllowed')
    assertError(await signedFetch(cosmos, 'GET', '/dbs/expenses/colls/other'), 404, 'NotFound')
    const elsewhere = '/dbs/expenses/colls/other/docs'
    assertError(await signedFetch(cosmos, 'POST', elsewhere, { headers: isQuery, body: {} }), 404, 'NotFound')
  })

  it('advertises its own address, and gives the SDK session tokens', async () => {
    const account = await signedFetch(cosmos, 'GET', '/')
    const locations = [{ name: 'Loopback', databaseAccountEndpoint: cosmos.url }]
    assert.deepEqual(Object(account.body).writableLocations, locations)
    const read = await signedFetch(cosmos, 'GET', `${docs}/1`, { headers: inPartition('alice') })
    assert.match(read.headers.get('x-ms-session-token') ?? '', /^0:-1#\d+$/)
    assert.ok(read.headers.get('x-ms-request-charge'))
    assert.equal(read.headers.get('etag'), Object(read.body)._etag)
  })

  it('names the busy port and the variable that changes it', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const address = squatter.address()
    const port = typeof address === 'object' && address ? address.port : 0
    await assert.rejects(startCosmos({ ...options, port }), new RegExp(`${port}.*COSMOS_PORT`))
    squatter.close()
  })
})
