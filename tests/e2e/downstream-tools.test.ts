import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { z } from 'zod'
import { loadDeclaration } from '../../app/declaration.ts'
import { everyToolSet, loadPermissions } from '../../app/permissions.ts'
import { PRODUCTION } from '../../scripts/emulators/seed/azure.ts'
import { post } from './rpc.ts'
import { type System, startSystem, type UserName } from './system.ts'

const TOOL_SETS = everyToolSet(loadDeclaration())
const { tools, downstreamApis } = loadPermissions(TOOL_SETS)

/** What a tool says of a fault in its own words, and how the audit line ends: decision, reason, outcome. */
type Said = readonly [words: RegExp, audit: readonly [string, string, string]]

/** How a tool is called, and what is different about it. */
type Row = Readonly<{
  args?: Record<string, unknown>
  /** Beside the one that everybody has. */
  scope?: string
  /** It does not ask again for a while after a failure, so that each has a server of its own. */
  rests?: true
  /** By fault; the others are said as every tool says them. */
  said?: Readonly<Record<string, Said>>
}>

const OUR_FAULT: Said = [/The operator finds the cause under request/, ['accept', 'tool', 'failed']]
const laterOf = (seconds: number): Said => [
  new RegExp(`Azure Cost Management is not available\\. Try again in ${seconds} seconds, not earlier`),
  ['accept', 'downstream_unavailable', 'failed'],
]
const unreadable: Said = [
  /Azure Cost Management gave an answer that cannot be read/,
  ['accept', 'downstream_unreadable', 'failed'],
]

/** Both tools ask the same way, in words of their own: Azure counts a user and a whole organisation. */
const COSTS: Row = {
  args: { subscription: PRODUCTION, from: '2026-10-01', to: '2026-10-31' },
  rests: true,
  said: {
    throttled: [
      /counts your questions and those of your whole organisation\. Try again in 7 seconds, not earlier/,
      ['accept', 'downstream_throttled', 'failed'],
    ],
    failing: laterOf(60),
    'failing, for a while': laterOf(30),
    'cutting connections': laterOf(30),
    'answering broken JSON': unreadable,
    'answering something else': unreadable,
    refusing: [
      /Your account \(object id a11ce000-[^)]*\) may not read the costs of subscription.*Cost Management Reader/,
      ['deny:rbac', 'downstream_forbidden', 'refused'],
    ],
    'not understanding the question': [
      /has no costs to tell of that subscription/,
      ['accept', 'not_supported', 'refused'],
    ],
    silent: laterOf(30),
    'stopping in the middle of its answer': laterOf(30),
  },
}

/** Every tool that asks an API for the caller has a row, and is then tried with everything that can go wrong. */
const ROWS: Readonly<Record<string, Row>> = {
  graph_get_profile: {},
  devops_get_profile: {},
  cost_by_service: { ...COSTS, scope: 'cost.read' },
  cost_export: { ...COSTS, scope: 'cost.export' },
  get_documents: {
    args: { query: '*' },
    scope: 'documents.read',
    // The service judges the server's own role and token by these; a user without rights finds nothing.
    said: { refusing: OUR_FAULT, 'asking for it in mid-session': OUR_FAULT },
  },
}

/** Admin tools ask for the membership alone: tests/e2e/faults.test.ts. */
const asking = tools.filter(({ admin, downstreamApis: needed }) => !admin && needed.length > 0)
const apiOf = (name: string) => {
  const api = downstreamApis.find((candidate) => candidate.name === name)
  assert.ok(api)
  return api
}

const Structured = z.object({
  result: z.object({ structuredContent: z.record(z.string(), z.unknown()).optional() }),
})

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
const literally = (text: string) => new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))

const STALLS: [what: string, fault: Fault][] = [
  ['silent', { hang: true }],
  ['stopping in the middle of its answer', { stall: true }],
]

describe('a tool that asks another API for its caller', () => {
  let system: System
  before(async () => {
    system = await startSystem({ TOOL_SETS })
    // An administrator lets the public client have the scope that is not everybody's.
    const { directory, clientId, apiAppId } = system.seed
    directory.oauth2PermissionGrants.push({
      ...{ id: 'export', consentType: 'AllPrincipals', principalId: null, scope: 'cost.export' },
      clientId: directory.servicePrincipal(clientId)?.id ?? '',
      resourceId: directory.servicePrincipal(apiAppId)?.id ?? '',
    })
  })
  let rested = false
  afterEach(async () => {
    system.tenant.faults.clear()
    // The seed's people are called so; nothing of them reaches a log line.
    for (const line of system.lines()) assert.doesNotMatch(line, /@contoso|Alice|Bob|Carol|eyJ/)
    if (rested) await system.restart()
    rested = false
  })
  after(() => system.stop())

  const tokenOf = (name: string, user: UserName, options: { claims?: string } = {}) => {
    const scopes = ['user_impersonation', ...(ROWS[name]?.scope ? [ROWS[name].scope] : [])]
    return system.tokenFor(user, {
      ...options,
      scope: scopes.map((scope) => `${system.mcp}/${scope}`).join(' '),
    })
  }

  /** What the tool says of this, or what every tool says. */
  const hear = (
    name: string,
    what: string,
    { text, audit }: { text: string; audit: unknown },
    usual: Said,
  ) => {
    const [words, ending] = ROWS[name]?.said?.[what] ?? usual
    assert.match(text, words)
    assert.deepEqual(audit, ending)
  }

  async function call(name: string, by: UserName | { token: string } = 'Alice') {
    rested ||= ROWS[name]?.rests ?? false
    const token = typeof by === 'string' ? await tokenOf(name, by) : by.token
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
        Structured.parse(JSON.parse((await call(name, user)).text)).result.structuredContent
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
          const answer = await call(name)
          assert.equal(answer.response.status, 200)
          assert.match(answer.text, /"isError":true/)
          hear(name, what, answer, [literally(words(api.displayName)), ['accept', reason, 'failed']])
        })
      }

      it(`says that the account lacks a right there: ${about} refusing`, async () => {
        system.tenant.faults.on(endpointOf(api.name), {
          answer: 403,
          body: { error: { message: 'Alice may not' } },
        })
        hear(name, 'refusing', await call(name), [
          /refuses this to your account/,
          ['deny:rbac', 'downstream_forbidden', 'refused'],
        ])
      })

      it(`asks for the proof that a new policy wants: ${about} asking for it in mid-session`, async () => {
        const headers = { 'www-authenticate': 'Bearer error="insufficient_claims", claims="e30="' }
        system.tenant.faults.on(endpointOf(api.name), { answer: 401, body: {}, headers })
        hear(name, 'asking for it in mid-session', await call(name), [
          /Conditional Access of your organisation asks for a further authentication/,
          ['deny:claims', 'insufficient_claims', 'refused'],
        ])
      })

      it(`is our fault, and logged: ${about} not understanding the question`, async () => {
        system.tenant.faults.on(endpointOf(api.name), {
          answer: 400,
          body: { message: 'Alice asks nonsense' },
        })
        const answer = await call(name)
        const id = answer.response.headers.get('x-request-id') ?? 'none'
        hear(name, 'not understanding the question', answer, OUR_FAULT)
        if (ROWS[name]?.said?.['not understanding the question']) return
        assert.ok(answer.text.includes(`under request ${id}`))
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
          assert.match(told.text, /asks for a further authentication/)
          assert.match(told.response.headers.get('www-authenticate') ?? '', /insufficient_claims/)
          const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } })
          const challenged = await call(name, { token: await tokenOf(name, 'Alice', { claims }) })
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
      const answers = await Promise.all(
        all.map(async ([name, api]) => ({ name, api, ...(await call(name)) })),
      )
      for (const { name, api, ...answer } of answers)
        hear(name, what, answer, [
          literally(`${api.displayName} is not available. Try again in 5 seconds.`),
          ['accept', 'downstream_unavailable', 'failed'],
        ])
    })
  }
})
