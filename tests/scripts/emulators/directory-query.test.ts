import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { ADVANCED, type GraphCalls, graphCalls, of, type Reply, refusedWith } from './graph-calls.ts'

describe('queries of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  before(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    const api = { requestedAccessTokenVersion: 2 }
    for (const name of ['One', 'Two', "O'Three"]) {
      const uniqueName = name.toLowerCase().replace("'", '')
      const { id } = await graph.create('/applications', {
        displayName: name,
        uniqueName,
        tags: [`t:${name}`],
        api,
      })
      await graph.patch(`/applications/${id}`, { identifierUris: [`https://${uniqueName}.example/mcp`] })
    }
  })
  after(() => directory.close())

  const found = async (filter: string) => {
    const { value } = await graph.list(`/applications?$filter=${encodeURIComponent(filter)}`)
    return value.map(({ displayName }) => displayName)
  }
  const unsupported = (reply: Reply, message: RegExp | string) =>
    refusedWith(reply, 400, 'Request_UnsupportedQuery', message)
  const filtered = (path: string, filter: string) =>
    graph.get(`${path}?$filter=${encodeURIComponent(filter)}`)

  it('filter by equality and what is in a list', async () => {
    assert.deepEqual(await found("displayName eq 'one'"), ['One'])
    assert.deepEqual(await found("displayName eq 'O''Three'"), ["O'Three"])
    assert.deepEqual(await found("tags/any(t:t eq 't:Two')"), ['Two'])
    assert.deepEqual(await found("identifierUris/any(u:u eq 'https://one.example/mcp')"), ['One'])
  })

  it('combine filters', async () => {
    assert.deepEqual(await found("displayName eq 'Two' and tags/any(x:x eq 't:Two')"), ['Two'])
    assert.deepEqual(await found("displayName eq 'One' and tags/any(x:x eq 't:Two')"), [])
    assert.deepEqual(await found("displayName eq 'One and Two'"), [])
  })

  it('count what was found', async () => {
    const { '@odata.count': count } = await graph.list('/applications?$count=true&$top=1', ADVANCED)
    assert.equal(count, 3)
  })

  it('refuse every other filter', async () => {
    unsupported(
      await filtered('/applications', "notes eq 'x'"),
      "Unsupported or invalid query filter clause specified for property 'notes' of resource 'Application'.",
    )
    const principal = String(directory.directory.servicePrincipals[0]?.id)
    unsupported(
      await filtered(`/servicePrincipals/${principal}/appRoleAssignedTo`, `principalId eq '${principal}'`),
      /property 'principalId' of resource 'AppRoleAssignment'/,
    )
    unsupported(await filtered('/applications', "tags eq 't:One'"), /property 'tags'/)
    unsupported(await filtered('/applications', "displayName/any(x:x eq 'One')"), /property 'displayName'/)
    unsupported(await filtered('/applications', "constructor eq 'x'"), /property 'constructor'/)
    for (const filter of [
      "displayName like 'x'",
      "displayName eq 'x' and",
      "displayName eq 'x' %",
      "displayName eq 'x' or displayName eq 'y'",
      "tags/any(t:u eq 'x')",
      // What Graph knows and nobody asks here.
      "displayName ne 'One'",
      "not(displayName eq 'One')",
      "startswith(displayName,'o')",
      "uniqueName in ('one','two')",
      'accountEnabled eq true',
    ])
      unsupported(await filtered('/applications', filter), 'Invalid filter clause.')
  })

  it('select properties, and refuse one that is not there', async () => {
    const { value } = await graph.list("/applications?$select=displayName&$filter=displayName eq 'One'")
    assert.deepEqual(value, [{ displayName: 'One' }])
    const one = await graph.get("/applications(uniqueName='one')?$select=uniqueName")
    assert.deepEqual(Object.keys(z.looseObject({}).parse(one.body)), ['@odata.context', 'uniqueName'])
    refusedWith(
      await graph.get("/applications(uniqueName='one')?$select=colour"),
      400,
      'BadRequest',
      "Could not find a property named 'colour'.",
    )
    refusedWith(await graph.get('/applications?$orderby=id'), 400, 'BadRequest', /\$orderby/)
  })

  it('page with next links', async () => {
    const names: unknown[] = []
    let next: string | undefined = '/applications?$top=2&$select=displayName'
    while (next) {
      const page: Awaited<ReturnType<GraphCalls['list']>> = await graph.list(next)
      names.push(page.value.map(({ displayName }) => displayName))
      next = page['@odata.nextLink']
    }
    assert.deepEqual(names, [['One', 'Two'], ["O'Three"]])
  })

  it('read people', async () => {
    const byName = await graph.get('/users/alice@contoso.example?$select=id,displayName')
    assert.equal(of(byName, 'displayName'), 'Alice Adams')
    assert.equal(of(await graph.get(`/users/${of(byName, 'id')}`), 'displayName'), 'Alice Adams')
    refusedWith(await graph.get('/users/nobody'), 404, 'Request_ResourceNotFound', /^Resource 'nobody'/)
    refusedWith(
      await graph.get('/planets'),
      400,
      'BadRequest',
      "Resource not found for the segment 'planets'.",
    )
  })
})

const Responses = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.number(),
      headers: z.record(z.string(), z.string()),
      body: z.looseObject({ error: z.object({ code: z.string() }).optional() }).optional(),
    }),
  ),
})

describe('batches', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  before(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
  })
  after(() => directory.close())

  const batch = async (requests: object[]) => {
    const reply = await graph.post('/$batch', { requests })
    assert.equal(reply.status, 200, JSON.stringify(reply.body))
    return Responses.parse(reply.body).responses
  }
  const get = (id: string, url: string) => ({ id, method: 'GET', url })

  it('answer each request by itself', async () => {
    const answers = await batch([get('a', '/me'), get('b', '/applications/none'), get('c', 'groups?$top=1')])
    assert.deepEqual(
      answers.map(({ id, status }) => [id, status]),
      [
        ['a', 200],
        ['b', 404],
        ['c', 200],
      ],
    )
    assert.equal(answers[1]?.body?.error?.code, 'Request_ResourceNotFound')
    assert.ok(answers[0]?.headers['request-id'])
  })

  it('write as well as they read', async () => {
    const create = {
      method: 'PATCH',
      url: "/applications(uniqueName='batched')",
      headers: { 'content-type': 'application/json', prefer: 'create-if-missing' },
      body: { displayName: 'Batched' },
    }
    const [answer] = await batch([{ id: '1', ...create }])
    assert.equal(answer?.status, 201)
  })

  it('can be throttled in part', async () => {
    const fault = {
      status: 429 as const,
      retryAfter: 3,
      times: 1,
      only: ({ path }: { path: string }) => path === '/me',
    }
    directory.faults.on('graph', fault)
    const answers = await batch([get('1', '/me'), get('2', '/groups')])
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['retry-after']]),
      [
        [429, '3'],
        [200, undefined],
      ],
    )
  })

  it('hold twenty requests with ids of their own', async () => {
    const refused = async (requests: object[], message: RegExp) =>
      refusedWith(await graph.post('/$batch', { requests }), 400, 'BadRequest', message)
    const many = Array.from({ length: 21 }, (_, index) => get(String(index), '/me'))
    await refused(many, /exceeds the maximum value of 20/)
    assert.equal((await batch(many.slice(1))).length, 20)
    await refused([get('a', '/me'), get('A', '/me')], /not unique/)
    await refused([{ id: '1', method: 'PATCH', url: '/applications/x', body: {} }], /Content-Type/)
    await refused([get('1', '/me'), { ...get('2', '/me'), dependsOn: ['1'] }], /Invalid batch payload/)
    await refused([{ id: '1', url: '/me' }], /Invalid batch payload format/)
    const stranger = graphCalls(directory, 'no-token')
    refusedWith(
      await stranger.post('/$batch', { requests: [] }),
      401,
      'InvalidAuthenticationToken',
      /Signature/,
    )
  })
})
