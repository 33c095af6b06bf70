import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { callTool, post } from './rpc.ts'
import { type System, startSystem, type UserName } from './system.ts'

const DEVOPS = '499b84ac-1321-427f-aa17-267ca6975798'

describe('get_user_context', () => {
  let system: System
  before(async () => {
    system = await startSystem({ TOOL_SETS: 'profile,devops' })
  })
  afterEach(() => {
    system.tenant.faults.clear()
    for (const line of system.lines()) assert.doesNotMatch(line, /@contoso|Alice|fabrikam/)
  })
  after(() => system.stop())

  async function ask(token: string) {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_user_context' } }
    const response = await post(system.mcp, message, { token })
    const text = await response.text()
    const { decision, reason, outcome } = await system.auditLine(response)
    return { response, text, audit: [decision, reason, outcome] }
  }
  const said = async (user: UserName) =>
    (await callTool(system.mcp, 'get_user_context', {}, { token: await system.tokenFor(user) }))
      .structuredContent

  it('merges what the sources say, and says nothing twice', async () => {
    const [alice, bob] = await Promise.all([said('Alice'), said('Bob')])
    const own = system.seed.users.find(({ name }) => name === 'Alice')
    const { devops, ...graph } = alice ?? {}
    assert.deepEqual(graph, {
      id: own?.oid,
      name: 'Alice Adams',
      user_name: 'alice@contoso.example',
      mail: 'alice@contoso.example',
    })
    const organisation = (name: string) => ({ name, url: `https://dev.azure.com/${name}` })
    const { id, ...rest } = devops as { id: string; organisations: unknown }
    assert.notEqual(id, own?.oid)
    assert.deepEqual(rest, { organisations: [organisation('contoso'), organisation('fabrikam')] })
    assert.match(JSON.stringify(bob), /Bob Brown.*"organisations":\[\{"name":"contoso"/)
  })

  it('asks both at the same time', async () => {
    const token = await system.tokenFor('Alice')
    const graph = system.tenant.faults.on('graph', { hang: true, times: 1 })
    const devops = system.tenant.faults.on('devops', { hang: true, times: 1 })
    const answer = ask(token)
    await Promise.all([graph.reached(1), devops.reached(1)])
    graph.release()
    devops.release()
    assert.deepEqual((await answer).audit, ['accept', 'tool', 'done'])
  })

  it('names every source that failed where none is left', async () => {
    for (const api of ['graph', 'devops'] as const)
      system.tenant.faults.on(api, { status: 503, retryAfter: 9 })
    const { text, audit } = await ask(await system.tokenFor('Alice'))
    assert.match(text, /"isError":true/)
    for (const name of ['Microsoft Graph', 'Azure DevOps'])
      assert.ok(text.includes(`${name} is not available. Try again in 9 seconds.`), text)
    assert.deepEqual(audit, ['accept', 'downstream_unavailable', 'failed'])
  })

  for (const [failing, there, name] of [
    ['graph', 'organisations', 'Microsoft Graph'],
    ['devops', 'alice@contoso.example', 'Azure DevOps'],
  ] as const) {
    it(`gives the other half, and the reason, while ${name} fails`, async () => {
      system.tenant.faults.on(failing, { status: 503, retryAfter: 9 })
      const { text, audit, response } = await ask(await system.tokenFor('Alice'))
      assert.doesNotMatch(text, /"isError":true/)
      assert.ok(text.includes(there), text)
      assert.ok(
        text.includes(`{"source":"${name}","reason":"${name} is not available. Try again in 9 seconds."}`),
        text,
      )
      assert.deepEqual(audit, ['accept', 'partial', 'done'])
      // Nobody would look for the cause of an answer that was given.
      await system.lineWith('"level":"warn"', response.headers.get('x-request-id') ?? 'none')
    })
  }

  it('gives the half of Microsoft Graph while nobody has consented to Azure DevOps', async () => {
    const grants = system.seed.directory.oauth2PermissionGrants
    const kept = grants.splice(0)
    const resourceId = system.seed.directory.servicePrincipal(DEVOPS)?.id
    grants.push(...kept.filter((grant) => grant.resourceId !== resourceId))
    try {
      const { text, audit } = await ask(await system.tokenFor('Alice'))
      assert.match(text, /Alice Adams.*vso\.profile of Azure DevOps, which nobody has consented to yet/)
      assert.deepEqual(audit, ['accept', 'partial', 'done'])
    } finally {
      grants.splice(0, Number.POSITIVE_INFINITY, ...kept)
    }
  })

  it('gives the half that needs no further authentication to clients that cannot ask for it, and challenges the others', async () => {
    // Carol needs a second factor for Microsoft Graph.
    const { text, audit, response } = await ask(await system.tokenFor('Carol'))
    assert.equal(response.status, 200)
    assert.match(text, /organisations.*Microsoft Graph.*asks for a further authentication/)
    assert.deepEqual(audit, ['accept', 'partial', 'done'])
    const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } })
    const challenged = await ask(await system.tokenFor('Carol', { claims }))
    assert.equal(challenged.response.status, 401)
    assert.match(challenged.response.headers.get('www-authenticate') ?? '', /insufficient_claims/)
  })

  it('fails with the first reason when every source fails', async () => {
    system.tenant.faults.on('graph', { status: 429, retryAfter: 3 })
    system.tenant.faults.on('devops', { close: true })
    const { text, audit } = await ask(await system.tokenFor('Alice'))
    assert.match(text, /"isError":true/)
    assert.match(text, /Microsoft Graph is asked too often\. Try again in 3 seconds/)
    assert.deepEqual(audit, ['accept', 'downstream_throttled', 'failed'])
  })
})

describe('get_user_context without the tool set devops', () => {
  it('asks Microsoft Graph alone, and misses nothing', async () => {
    const system = await startSystem({ TOOL_SETS: 'profile' })
    try {
      const token = await system.tokenFor('Alice')
      const { structuredContent } = await callTool(system.mcp, 'get_user_context', {}, { token })
      assert.deepEqual(Object.keys(structuredContent ?? {}), ['id', 'name', 'user_name', 'mail'])
      assert.deepEqual([system.tenant.counters.obo, system.tenant.counters.devops], [1, 0])
    } finally {
      await system.stop()
    }
  })
})
