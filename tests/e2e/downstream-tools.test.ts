import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { loadDeclaration } from '../../app/declaration.ts'
import { everyToolSet, loadPermissions } from '../../app/permissions.ts'
import { callTool, post } from './rpc.ts'
import { type System, startSystem, type UserName } from './system.ts'

const TOOL_SETS = everyToolSet(loadDeclaration())
const { tools, downstreamApis } = loadPermissions(TOOL_SETS)

/** How a tool is called, and what is different about it when its API says no. */
type Row = Readonly<{ args?: Record<string, unknown>; forbidden?: readonly [words: RegExp, reason: string] }>

/** Every tool that asks an API for the caller has a row, and is then tried with everything that can go wrong. */
const ROWS: Readonly<Record<string, Row>> = { graph_get_profile: {}, devops_get_profile: {} }

/** Admin tools ask for the membership alone: tests/e2e/faults.test.ts. */
const asking = tools.filter(({ admin, downstreamApis: needed }) => !admin && needed.length > 0)
const apiOf = (name: string) => {
  const api = downstreamApis.find((candidate) => candidate.name === name)
  assert.ok(api)
  return api
}

type Endpoint = Parameters<System['tenant']['faults']['on']>[0]
type Fault = Parameters<System['tenant']['faults']['on']>[1]
const endpointOf = (name: string) => name as Endpoint

const FAULTS: [what: string, fault: Fault, words: (service: string) => string, reason: string][] = [
  [
    'throttled',
    { status: 429, retryAfter: 7 },
    (api) => `${api} is asked too often. Try again in 7 seconds.`,
    'downstream_throttled',
  ],
  [
    'failing',
    { status: 503 },
    (api) => `${api} is not available. Try again in 5 seconds.`,
    'downstream_unavailable',
  ],
  [
    'failing, for a while',
    { status: 503, retryAfter: 30 },
    (api) => `${api} is not available. Try again in 30 seconds.`,
    'downstream_unavailable',
  ],
  [
    'cutting connections',
    { close: true },
    (api) => `${api} is not available. Try again in 5 seconds.`,
    'downstream_unavailable',
  ],
  [
    'answering broken JSON',
    { broken: true },
    (api) => `${api} gave an answer that cannot be read. Try again later.`,
    'downstream_unreadable',
  ],
  [
    'answering something else',
    { answer: 200, body: { hello: 'world' } },
    (api) => `${api} gave an answer that cannot be read. Try again later.`,
    'downstream_unreadable',
  ],
]
const STALLS: [what: string, fault: Fault][] = [
  ['silent', { hang: true }],
  ['stopping in the middle of its answer', { stall: true }],
]

describe('a tool that asks another API for its caller', () => {
  let system: System
  before(async () => {
    system = await startSystem({ TOOL_SETS })
  })
  afterEach(() => {
    system.tenant.faults.clear()
    // The seed's people are called so; nothing of them reaches a log line.
    for (const line of system.lines()) assert.doesNotMatch(line, /@contoso|Alice|Bob|Carol|eyJ/)
  })
  after(() => system.stop())

  async function call(name: string, by: UserName | { token: string } = 'Alice') {
    const token = typeof by === 'string' ? await system.tokenFor(by) : by.token
    const params = { name, arguments: ROWS[name]?.args ?? {} }
    const response = await post(
      system.mcp,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
      { token },
    )
    const text = await response.text()
    const { decision, reason, outcome, obo } = await system.auditLine(response)
    return { response, text, audit: [decision, reason, outcome], obo }
  }

  it('has a row in this table', () => {
    assert.deepEqual(asking.map(({ name }) => name).toSorted(), Object.keys(ROWS).toSorted())
  })

  for (const { name, downstreamApis: needed } of asking) {
    it(`answers each of two users with what is theirs, at the same time: ${name}`, async () => {
      const ask = async (user: UserName) =>
        (await callTool(system.mcp, name, ROWS[name]?.args ?? {}, { token: await system.tokenFor(user) }))
          .structuredContent
      const [alice, bob, again] = await Promise.all([ask('Alice'), ask('Bob'), ask('Alice')])
      assert.ok(alice)
      assert.deepEqual(again, alice)
      assert.notDeepEqual(bob, alice)
    })

    for (const api of needed.map(apiOf)) {
      const about = `${name} while ${api.displayName} is`
      for (const [what, fault, words, reason] of FAULTS) {
        it(`says so, and when to come back: ${about} ${what}`, async () => {
          system.tenant.faults.on(endpointOf(api.name), fault)
          const { response, text, audit } = await call(name)
          assert.equal(response.status, 200)
          assert.match(text, /"isError":true/)
          assert.ok(text.includes(words(api.displayName)), text)
          assert.deepEqual(audit, ['accept', reason, 'failed'])
        })
      }

      it(`says that the account lacks a right there: ${about} refusing`, async () => {
        system.tenant.faults.on(endpointOf(api.name), {
          answer: 403,
          body: { error: { message: 'Alice may not' } },
        })
        const { text, audit } = await call(name)
        const [words, reason] = ROWS[name]?.forbidden ?? [
          /refuses this to your account/,
          'downstream_forbidden',
        ]
        assert.match(text, words)
        assert.deepEqual(audit, ['deny:rbac', reason, 'refused'])
      })

      it(`asks for the proof that a new policy wants: ${about} asking for it in mid-session`, async () => {
        const headers = { 'www-authenticate': 'Bearer error="insufficient_claims", claims="e30="' }
        system.tenant.faults.on(endpointOf(api.name), { answer: 401, body: {}, headers })
        const { text, audit } = await call(name)
        assert.match(text, /Conditional Access of your organisation asks for a further proof/)
        assert.deepEqual(audit, ['deny:claims', 'insufficient_claims', 'refused'])
      })

      it(`is our fault, and logged: ${about} not understanding the question`, async () => {
        system.tenant.faults.on(endpointOf(api.name), {
          answer: 400,
          body: { message: 'Alice asks nonsense' },
        })
        const { response, text, audit } = await call(name)
        const id = response.headers.get('x-request-id') ?? 'none'
        assert.match(text, new RegExp(`The operator finds the cause under request ${id}`))
        assert.deepEqual(audit, ['accept', 'tool', 'failed'])
        const fault = await system.lineWith('"level":"error"', id)
        assert.deepEqual(
          [fault.error, fault.code, fault.status],
          ['DownstreamRefused', 'downstream_refused', 400],
        )
      })

      it(`names the permission and the command while nobody has consented: ${name}, ${api.displayName}`, async () => {
        const grants = system.seed.directory.oauth2PermissionGrants
        const kept = grants.splice(0)
        const resourceId = system.seed.directory.servicePrincipal(api.appId)?.id
        grants.push(...kept.filter((grant) => grant.resourceId !== resourceId))
        try {
          const { text, audit, obo } = await call(name)
          assert.ok(text.includes(`of ${api.displayName}, which nobody has consented to yet`), text)
          assert.deepEqual([...audit, obo], ['deny:rbac', 'consent_missing', 'refused', 'failed'])
        } finally {
          grants.splice(0, Number.POSITIVE_INFINITY, ...kept)
        }
      })

      it(`challenges clients that can answer, and tells the others, under Conditional Access: ${name}, ${api.displayName}`, async () => {
        const policies = system.seed.directory.conditionalAccessPolicies
        const alice = system.seed.users.find(({ name: first }) => first === 'Alice')
        const [like] = policies
        assert.ok(alice && like)
        const applications = { includeApplications: [api.appId] }
        policies.push({
          ...like,
          id: crypto.randomUUID(),
          conditions: { users: { includeUsers: [alice.oid] }, applications },
        })
        try {
          const told = await call(name)
          assert.equal(told.response.status, 200)
          assert.match(told.text, /asks for a further proof/)
          assert.match(told.response.headers.get('www-authenticate') ?? '', /insufficient_claims/)
          const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } })
          const challenged = await call(name, { token: await system.tokenFor('Alice', { claims }) })
          assert.equal(challenged.response.status, 401)
          for (const { audit } of [told, challenged])
            assert.deepEqual(audit, ['deny:claims', 'insufficient_claims', 'refused'])
        } finally {
          policies.pop()
        }
      })
    }
  }

  for (const [what, fault] of STALLS) {
    it(`ends by our own deadline while an API is ${what}`, async () => {
      for (const { name } of downstreamApis) system.tenant.faults.on(endpointOf(name), fault)
      const all = asking.flatMap(({ name, downstreamApis: needed }) =>
        needed.map((api) => [name, apiOf(api)] as const),
      )
      const answers = await Promise.all(all.map(async ([name, api]) => ({ api, ...(await call(name)) })))
      for (const { api, text, audit } of answers) {
        assert.ok(text.includes(`${api.displayName} is not available. Try again in 5 seconds.`), text)
        assert.deepEqual(audit, ['accept', 'downstream_unavailable', 'failed'])
      }
    })
  }
})
