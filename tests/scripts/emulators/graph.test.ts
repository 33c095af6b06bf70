import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { AZURE_CLI, type Contoso, claimsOf, GRAPH_SCOPE, MCP, SCOPE, startContoso } from './contoso.ts'
import { ROUTES } from './graph/further-graph.ts'
import { startTenant, type Tenant } from './tenant.ts'

const Refusal = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    innerError: z.strictObject({ date: z.string(), 'request-id': z.guid(), 'client-request-id': z.guid() }),
  }),
})
const List = z.object({
  '@odata.context': z.string(),
  '@odata.count': z.number().optional(),
  '@odata.nextLink': z.string().optional(),
  value: z.array(z.object({ '@odata.type': z.string(), id: z.string() }).loose()),
})
const ADVANCED = { consistencylevel: 'eventual' }

describe('graph', () => {
  let contoso: Contoso
  beforeEach(async () => {
    contoso = await startContoso()
  })
  afterEach(() => contoso.tenant.close())

  const tokenOf = async (user: string) => {
    const { seed, tenant } = contoso
    const { access_token } = await contoso.tokens({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      requested_token_use: 'on_behalf_of',
      client_id: seed.apiAppId,
      client_secret: contoso.secretOf(seed.apiAppId),
      scope: GRAPH_SCOPE,
      assertion: await tenant.tokenFor({ user, clientId: seed.clientId, scope: SCOPE }),
    })
    return access_token
  }
  const get = async (path: string, token?: string, headers: Record<string, string> = {}) =>
    fetch(path.startsWith('http') ? path : `${contoso.tenant.graphUrl}/v1.0${path}`, {
      headers: { authorization: `Bearer ${token ?? (await tokenOf('Alice'))}`, ...headers },
    })
  const list = async (path: string, token: string) =>
    List.parse(await (await get(path, token, ADVANCED)).json())
  const refusedAs = async (status: number, code: string, response: Response) => {
    assert.equal(response.status, status)
    const { error } = Refusal.parse(await response.json())
    assert.equal(error.code, code)
    assert.equal(response.headers.get('request-id'), error.innerError['request-id'])
    return error.message
  }

  it('shows the signed-in user', async () => {
    const me = z.record(z.string(), z.unknown()).parse(await (await get('/me')).json())
    assert.deepEqual([me.displayName, me.userPrincipalName], ['Alice Adams', 'alice@contoso.example'])
    const { '@odata.context': _, ...asked } = z
      .record(z.string(), z.unknown())
      .parse(await (await get('/me?$select=id,mail')).json())
    assert.deepEqual(asked, { id: me.id, mail: me.mail })
    await refusedAs(400, 'BadRequest', await get('/me?$expand=manager'))
  })

  it('finds the admin group through a nested group, by its id alone', async () => {
    const { adminGroupId } = contoso.seed
    const path = `/me/transitiveMemberOf/microsoft.graph.group?$count=true&$select=id&$filter=id eq '${adminGroupId}'`
    const alice = await list(path, await tokenOf('Alice'))
    assert.deepEqual(alice.value, [{ '@odata.type': '#microsoft.graph.group', id: adminGroupId }])
    assert.equal(alice['@odata.count'], 1)
    assert.deepEqual((await list(path, await tokenOf('Bob'))).value, [])
  })

  it('hides everything but the id of a group from a caller with User.Read', async () => {
    const { value } = await list('/me/transitiveMemberOf', await tokenOf('Alice'))
    assert.equal(value.length, 3)
    for (const group of value) assert.equal(group.displayName, null)
  })

  it('wants advanced queries to be asked for by header and $count', async () => {
    const token = await tokenOf('Alice')
    const cast = '/me/transitiveMemberOf/microsoft.graph.group'
    await refusedAs(400, 'Request_UnsupportedQuery', await get(cast, token))
    await refusedAs(400, 'Request_UnsupportedQuery', await get(cast, token, ADVANCED))
    await refusedAs(400, 'Request_UnsupportedQuery', await get(`${cast}?$count=true`, token))
    const filtered = "/me/transitiveMemberOf?$filter=id eq '00000000-0000-0000-0000-000000000000'"
    await refusedAs(400, 'Request_UnsupportedQuery', await get(filtered, token))
  })

  it('refuses query options it does not know instead of ignoring them', async () => {
    const token = await tokenOf('Alice')
    const at = (query: string) => get(`/me/transitiveMemberOf?$count=true&${query}`, token, ADVANCED)
    await refusedAs(400, 'BadRequest', await at('$orderby=id'))
    await refusedAs(400, 'BadRequest', await at('$top=1000'))
    await refusedAs(400, 'BadRequest', await at('$top=1&$top=2'))
    await refusedAs(400, 'BadRequest', await at('$skiptoken=abc'))
    await refusedAs(400, 'Request_UnsupportedQuery', await at("$filter=displayName eq 'x'"))
  })

  it('pages with next links, also after an empty page', async () => {
    const token = await tokenOf('Alice')
    contoso.tenant.graph.pageSize = 2
    contoso.tenant.graph.emptyFirstPage = true
    const pages = []
    let next: string | undefined = '/me/transitiveMemberOf/microsoft.graph.group?$count=true&$select=id'
    while (next) {
      const page: z.infer<typeof List> = await list(next, token)
      pages.push(page.value.length)
      next = page['@odata.nextLink']
    }
    assert.deepEqual(pages, [0, 2, 1])
    contoso.tenant.graph.emptyFirstPage = false
    const first = await list('/me/transitiveMemberOf?$top=1', token)
    assert.equal(first.value.length, 1)
    assert.ok(first['@odata.nextLink']?.startsWith(`${contoso.tenant.graphUrl}/v1.0/me/transitiveMemberOf?`))
  })

  it('refuses a body that is no JSON', async () => {
    const answer = await fetch(`${contoso.tenant.graphUrl}/v1.0/$batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf('Alice')}`, 'content-type': 'application/json' },
      body: '{',
    })
    await refusedAs(400, 'BadRequest', answer)
  })

  it('wants a Graph token of this tenant', async () => {
    const { seed, tenant } = contoso
    const refused = async (token: string, message: RegExp) => {
      const response = await get('/me', token)
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm=""/)
      assert.match(await refusedAs(401, 'InvalidAuthenticationToken', response), message)
    }
    const claims = claimsOf(await tokenOf('Alice'))
    await refused(
      await tenant.tokenFor({ user: 'Alice', clientId: seed.clientId, scope: SCOPE, resource: MCP }),
      /claim|audience/,
    )
    await refused(await tenant.sign({ ...claims, aud: seed.apiAppId }), /Invalid audience/)
    await refused(await tenant.sign({ ...claims, iss: 'https://sts.windows.net/other/' }), /Invalid claim/)
    await refused(
      await tenant.sign({ ...claims, oid: '11111111-2222-4333-8444-555555555555' }),
      /could not be found/,
    )
    await refused(await tenant.sign(claims, { header: { kid: 'other' } }), /Signature/)
    await refused('rubbish', /Signature/)
    const none = await fetch(`${tenant.graphUrl}/v1.0/me`)
    assert.match(await refusedAs(401, 'InvalidAuthenticationToken', none), /empty/)
    const late = await tokenOf('Alice')
    contoso.pass(2 * 3600)
    await refused(late, /expired/)
  })

  it('refuses a caller without the permission, and an app on /me', async () => {
    const claims = claimsOf(await tokenOf('Alice'))
    await refusedAs(
      403,
      'Authorization_RequestDenied',
      await get('/me', await contoso.tenant.sign({ ...claims, scp: 'Mail.Read' })),
    )
    const { scp: _, ...app } = claims
    await refusedAs(400, 'BadRequest', await get('/me', await contoso.tenant.sign(app)))
  })

  it('knows no other segment', async () => {
    assert.match(await refusedAs(400, 'BadRequest', await get('/me/messages')), /segment 'messages'/)
  })

  it('echoes the id that the caller gave the request', async () => {
    const id = '0af1c2d3-1111-4222-8333-444455556666'
    const response = await get('/me', undefined, { 'client-request-id': id })
    assert.equal(response.headers.get('client-request-id'), id)
  })

  it('can throttle, break, hang and cut off', async () => {
    const token = await tokenOf('Alice')
    const { faults, counters } = contoso.tenant
    faults.on('graph', { status: 429, retryAfter: 2, times: 1 })
    const throttled = await get('/me', token)
    assert.equal(throttled.headers.get('retry-after'), '2')
    await refusedAs(429, 'TooManyRequests', throttled)
    faults.on('graph', { status: 503, times: 1 })
    await refusedAs(503, 'ServiceUnavailable', await get('/me', token))
    faults.on('graph', { status: 500, times: 1 })
    await refusedAs(500, 'InternalServerError', await get('/me', token))
    faults.on('graph', { close: true, times: 1 })
    await assert.rejects(get('/me', token))
    const slow = faults.on('graph', { hang: true, times: 1 })
    const answer = get('/me', token)
    await slow.reached(1)
    slow.release()
    assert.equal((await answer).status, 200)
    assert.equal(counters.graph, 5)
  })
})

describe('graph of npm start', () => {
  let tenant: Tenant
  let token: string
  before(async () => {
    tenant = await startTenant({
      ...seedDirectory({ mcpUrls: [MCP], permissions: loadPermissions() }),
      port: 0,
    })
    const scope = 'https://graph.microsoft.com/.default'
    token = await tenant.tokenFor({ user: 'Olivia', clientId: AZURE_CLI, scope })
  })
  after(() => tenant.close())

  const answerTo = async (method: string, path: string, headers: Record<string, string>) => {
    const answer = await fetch(`${tenant.graphUrl}/v1.0${path}`, { method, headers })
    const { error } = z.object({ error: Refusal.shape.error.optional() }).parse(await answer.json())
    return `${answer.status} ${error?.code} ${error?.message}`
  }

  it('answers what the server asks', async () => {
    const headers = { authorization: `Bearer ${token}`, ...ADVANCED }
    const groups = '/me/transitiveMemberOf/microsoft.graph.group?$count=true'
    for (const path of ['/me', groups])
      assert.equal(await answerTo('GET', path, headers), '200 undefined undefined')
  })

  it('knows no other address, and says so only to whoever has a token', async () => {
    const routes = Object.entries(ROUTES).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path] as const),
    )
    assert.ok(routes.length > 40)
    for (const [method, path] of [...routes, ['POST', '/$batch'] as const]) {
      const headers = { authorization: `Bearer ${token}`, ...ADVANCED }
      const segment = path.split('/').at(-1)
      const unknown = `400 BadRequest Resource not found for the segment '${segment}'.`
      assert.equal(await answerTo(method, path, headers), unknown, `${method} ${path}`)
      assert.match(await answerTo(method, path, {}), /^401 InvalidAuthenticationToken/, `${method} ${path}`)
    }
  })

  it('has no permission that the server does not ask for', () => {
    assert.equal(claimsOf(token).scp, 'User.Read')
  })
})
