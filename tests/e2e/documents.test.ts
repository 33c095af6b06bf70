import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { DOCUMENTS_INDEX } from '../../app/documents/search.ts'
import type { Fault } from '../scripts/emulators/faults.ts'
import { post, toolNames } from './rpc.ts'
import { type System, startSystem, type UserName } from './system.ts'

const Answer = z.object({
  result: z.object({
    isError: z.boolean().optional(),
    content: z.array(z.object({ text: z.string() })),
    structuredContent: z
      .object({
        documents: z.array(
          z.strictObject({
            id: z.string(),
            title: z.string(),
            content: z.string(),
            is_cut: z.boolean(),
            score: z.number(),
          }),
        ),
      })
      .optional(),
  }),
})

describe('get_documents', () => {
  let system: System
  before(async () => {
    system = await startSystem({ TOOL_SETS: 'documents' })
  })
  afterEach(() => {
    system.tenant.faults.clear()
    for (const line of system.lines()) assert.doesNotMatch(line, /receipt|Travel|audit-checklist|eyJ/)
  })
  after(() => system.stop())

  const tokenOf = (name: UserName) =>
    system.tokenFor(name, { scope: `${system.mcp}/user_impersonation ${system.mcp}/documents.read` })
  async function ask(name: UserName, args: Record<string, unknown> = { query: '*' }) {
    const params = { name: 'get_documents', arguments: args }
    const token = await tokenOf(name)
    const response = await post(
      system.mcp,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      { token },
    )
    const text = await response.text()
    return { response, text, line: await system.auditLine(response) }
  }
  const resultOf = (text: string) => Answer.parse(JSON.parse(text)).result
  async function found(name: UserName, args?: Record<string, unknown>) {
    const { text } = await ask(name, args)
    const { structuredContent } = resultOf(text)
    assert.ok(structuredContent, text)
    return structuredContent.documents.map(({ id }) => id)
  }
  const logged = (level: string, { request_id }: Record<string, unknown>) =>
    system
      .lines()
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter((line) => line.level === level && line.request_id === request_id)

  const OF_USERS = ['expense-guide', 'travel-policy']
  const OF_ADMINS = ['approval-limits', 'audit-checklist', ...OF_USERS]

  it('finds what each caller may read, by their own groups', async () => {
    assert.deepEqual((await found('Alice')).toSorted(), OF_ADMINS)
    assert.deepEqual((await found('Bob')).toSorted(), OF_USERS)
    assert.deepEqual((await found('Carol')).toSorted(), OF_USERS)
  })

  it('keeps callers apart who ask at the same time', async () => {
    const names: UserName[] = ['Alice', 'Bob', 'Carol', 'Alice', 'Bob', 'Carol']
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => names)
        .flat()
        .map(async (name) => [name, (await found(name)).toSorted()] as const),
    )
    for (const [name, ids] of answers) assert.deepEqual(ids, name === 'Alice' ? OF_ADMINS : OF_USERS)
  })

  it('asks with two identities: its own may ask, the caller decides', async () => {
    const seen: { service: unknown; user: unknown; raw: boolean; elevated: boolean; body: string }[] = []
    system.tenant.faults.on('search', {
      status: 500,
      times: 0,
      only: (request) => {
        const user = request.get('x-ms-query-source-authorization') ?? ''
        seen.push({
          service: decodeJwt(request.get('authorization')?.replace('Bearer ', '') ?? ''),
          user: decodeJwt(user),
          raw: !user.includes(' '),
          elevated: 'x-ms-enable-elevated-read' in request.headers,
          body: JSON.stringify(request.body),
        })
        return false
      },
    })
    await found('Bob', { query: 'receipt', top: 3 })
    const [call, ...others] = seen
    assert.equal(others.length, 0)
    assert.ok(call)
    const { managedIdentity, users } = system.seed
    const identity = z.object({
      oid: z.string(),
      aud: z.string(),
      idtyp: z.string().optional(),
      scp: z.string().optional(),
    })
    assert.deepEqual(identity.parse(call.service), {
      oid: managedIdentity.principalId,
      aud: 'https://search.azure.com',
      idtyp: 'app',
    })
    assert.deepEqual(identity.parse(call.user), {
      oid: users.find(({ name }) => name === 'Bob')?.oid,
      aud: 'https://search.azure.com',
      scp: 'user_impersonation',
    })
    assert.deepEqual([call.raw, call.elevated], [true, false])
    assert.equal(call.body, '{"queryType":"simple","search":"receipt","select":"id,title,content","top":3}')
  })

  it('finds by words, the best first, at most so many', async () => {
    const query = 'receipt audit'
    assert.equal((await found('Alice', { query }))[0], 'audit-checklist')
    assert.deepEqual(await found('Alice', { query, top: 1 }), ['audit-checklist'])
    assert.deepEqual(await found('Bob', { query: 'audit' }), [])
  })

  it('cuts a long content between characters, and says so', async () => {
    const documents = system.tenant.search.indexes.get(DOCUMENTS_INDEX)?.documents
    assert.ok(documents)
    const group = system.seed.usersGroupId
    documents.set('long', {
      id: 'long',
      title: 'Long',
      content: `${'x'.repeat(1_999)}${'😀'.repeat(2)} lengthy`,
      reader_users: [],
      reader_groups: [group],
    })
    const { text } = await ask('Bob', { query: 'lengthy' })
    documents.delete('long')
    const [document] = resultOf(text).structuredContent?.documents ?? []
    assert.deepEqual([document?.content, document?.is_cut], ['x'.repeat(1_999), true])
  })

  const wrong: Record<string, unknown>[] = [
    {},
    { query: '' },
    { query: '  ' },
    { query: 'x'.repeat(401) },
    { query: '\ud800' },
    { query: 'x', top: 0 },
    { query: 'x', top: 51 },
    { query: 'x', top: 1.5 },
    { query: 'x', user: 'alice' },
    { query: 'x', filter: 'true' },
  ]
  it('refuses arguments that are none, and asks nobody', async () => {
    const before = system.tenant.counters.search
    for (const args of wrong) {
      const { text } = await ask('Bob', args)
      assert.match(resultOf(text).content[0]?.text ?? '', /^Invalid arguments for get_documents/)
    }
    assert.equal(system.tenant.counters.search, before)
    for (const top of [1, 50]) assert.ok(await found('Bob', { query: 'x', top }))
  })

  const unavailable = /^Azure AI Search is not available\. Try again in (\d+) seconds\.$/
  const unreadable = /^Azure AI Search gave an answer that cannot be read/
  const DOCUMENT = { '@search.score': 1, id: 'x', title: 'x', content: 'x' }
  const outages: [what: string, fault: Fault, says: RegExp, reason: string][] = [
    ['fails with 500', { status: 500 }, unavailable, 'downstream_unavailable'],
    ['cannot judge, 502', { status: 502 }, unavailable, 'downstream_unavailable'],
    ['is busy, 503', { status: 503, retryAfter: 7 }, /Try again in 7 seconds/, 'downstream_unavailable'],
    [
      'is asked too often, 429',
      { status: 429, retryAfter: 9 },
      /too often. Try again in 9 seconds/,
      'downstream_throttled',
    ],
    ['hangs up', { close: true }, unavailable, 'downstream_unavailable'],
    [
      'answers a failure with a list',
      { answer: 500, body: { value: [DOCUMENT] } },
      unavailable,
      'downstream_unavailable',
    ],
    [
      'answers with a part of the list, 206',
      { answer: 206, body: { value: [DOCUMENT] } },
      unreadable,
      'downstream_unreadable',
    ],
    ['answers without a list', { answer: 200, body: {} }, unreadable, 'downstream_unreadable'],
    [
      'answers null for the list',
      { answer: 200, body: { value: null } },
      unreadable,
      'downstream_unreadable',
    ],
    [
      'answers with what is no document',
      { answer: 200, body: { value: [DOCUMENT, { '@search.score': 1, id: 'y' }] } },
      unreadable,
      'downstream_unreadable',
    ],
    [
      'answers with a text',
      { answer: 200, body: 'no JSON' as never, headers: { 'content-type': 'text/plain' } },
      unreadable,
      'downstream_unreadable',
    ],
  ]
  for (const [what, fault, says, reason] of outages)
    it(`answers with an error and no document when the service ${what}`, async () => {
      system.tenant.faults.on('search', fault)
      const { response, text, line } = await ask('Alice')
      const { isError, content, structuredContent } = resultOf(text)
      assert.equal(response.status, 200)
      assert.deepEqual([isError, structuredContent], [true, undefined])
      assert.match(content[0]?.text ?? '', says)
      assert.deepEqual([line.decision, line.reason, line.outcome], ['accept', reason, 'failed'])
      assert.equal(system.tenant.counters.search > 0, true)
    })

  it('ends by itself when the service is silent, and when it stops in the middle of the list', async () => {
    const { managedIdentity } = system.tenant.counters
    const faults = [{ hang: true, times: 1 } as const, { stall: true, times: 1 } as const]
    for (const fault of faults) system.tenant.faults.on('search', fault)
    const answers = await Promise.all([ask('Alice'), ask('Alice')])
    for (const { text, line } of answers) {
      assert.match(resultOf(text).content[0]?.text ?? '', unavailable)
      assert.deepEqual([line.reason, line.outcome], ['downstream_unavailable', 'failed'])
    }
    // Its own token is kept meanwhile.
    assert.equal(system.tenant.counters.managedIdentity, managedIdentity)
  })

  it('asks once: whoever called is told when to come back', async () => {
    system.tenant.faults.on('search', { status: 503 })
    const before = system.tenant.counters.search
    await ask('Alice')
    assert.equal(system.tenant.counters.search, before + 1)
  })

  it('logs with its status what is our fault, a missing role say, and shows no document', async () => {
    const { roles } = system.tenant.search
    const held = roles.splice(0)
    const { text, line } = await ask('Alice')
    roles.push(...held)
    assert.match(resultOf(text).content[0]?.text ?? '', /^The tool failed/)
    const [fault] = logged('error', line)
    assert.deepEqual([fault?.code, fault?.status, line.outcome], ['downstream_refused', 403, 'failed'])
  })

  it('logs what is our fault, an index that is not there say', async () => {
    const { indexes } = system.tenant.search
    const index = indexes.get(DOCUMENTS_INDEX)
    assert.ok(index)
    indexes.clear()
    const { line } = await ask('Alice')
    indexes.set(DOCUMENTS_INDEX, index)
    assert.deepEqual([logged('error', line)[0]?.status, line.outcome], [404, 'failed'])
  })

  it('is refused without its scope, with the full one to ask for', async () => {
    const params = { name: 'get_documents', arguments: { query: '*' } }
    const token = await system.tokenFor('Alice')
    const response = await post(
      system.mcp,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      { token },
    )
    assert.equal(response.status, 403)
    const challenge = response.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /error="insufficient_scope"/)
    assert.ok(challenge.includes(`${system.mcp}/documents.read`), challenge)
    assert.deepEqual(await toolNames(system.mcp, token), ['get_documents'])
  })

  it('says which consent is missing', async () => {
    await system.restart()
    const grants = system.seed.directory.oauth2PermissionGrants.splice(0)
    const { text, line } = await ask('Alice')
    system.seed.directory.oauth2PermissionGrants.push(...grants)
    assert.match(
      resultOf(text).content[0]?.text ?? '',
      /needs the permission user_impersonation of Azure AI Search, which nobody has consented to yet/,
    )
    assert.deepEqual([line.decision, line.reason], ['deny:rbac', 'consent_missing'])
  })

  it('is not there for a moment when its own identity gets no token', async () => {
    await system.restart()
    // The exchange needs the identity too, for another resource.
    system.tenant.faults.on('managedIdentity', {
      status: 500,
      only: ({ query }) => query.resource === 'https://search.azure.com',
    })
    const { text, line } = await ask('Alice')
    assert.match(resultOf(text).content[0]?.text ?? '', unavailable)
    assert.equal(line.reason, 'downstream_unavailable')
    assert.equal(logged('warn', line).length, 1)
    system.tenant.faults.clear()
    assert.deepEqual((await found('Alice')).toSorted(), OF_ADMINS)
  })
})
