import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { peers } from './peers.ts'
import { callTool, post, rpc, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const GRAPH = '00000003-0000-0000-c000-000000000000'
const ADMIN_TOOLS = ['add_user_expense', 'get_user_expenses', 'get_expense_stats']
const stats = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'get_expense_stats', arguments: {} },
}

describe('when more is asked of the user, a call', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  after(() => system.stop())

  /** Alice, an admin, under Conditional Access for these apps while `work` runs. */
  async function underConditionalAccess(apps: string[], work: () => Promise<void>) {
    const policies = system.seed.directory.conditionalAccessPolicies
    const [carols] = policies
    const alice = system.seed.users.find(({ name }) => name.startsWith('Alice'))
    assert.ok(carols && alice)
    policies.push({
      ...carols,
      conditions: { users: { includeUsers: [alice.oid] }, applications: { includeApplications: apps } },
    })
    await system.restart()
    try {
      await work()
    } finally {
      policies.pop()
    }
  }

  /** A token of Carol's, who is under Conditional Access, with other claims. */
  const carolWith = async (claims: Record<string, unknown>) => {
    const token = await system.tokenFor('Carol')
    const own = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return system.tenant.sign({ ...own, ...claims })
  }

  for (const [kind, connect] of Object.entries(peers)) {
    it(`tells ${kind} in words, and the client goes on; the tool is listed, for its call is what is judged`, () =>
      underConditionalAccess([GRAPH], async () => {
        const alice = await connect(system, 'Alice')
        try {
          assert.deepEqual(await alice.tools(), ADMIN_TOOLS)
          const refused = await alice.call('get_expense_stats', {})
          assert.equal(refused.isError, true)
          assert.match(
            refused.text,
            /Conditional Access.*Sign out.*administrator.*same Conditional Access policy/,
          )
          assert.equal((await alice.call('get_user_expenses', {})).isError, false)
        } finally {
          await alice.close()
        }
      }))

    it(`is not needed by ${kind} where the API app stands in the policy: the proof comes at sign-in`, () =>
      underConditionalAccess([GRAPH, system.seed.apiAppId], async () => {
        const alice = await connect(system, 'Alice')
        try {
          assert.deepEqual(await alice.tools(), ADMIN_TOOLS)
          assert.equal((await alice.call('get_expense_stats', {})).isError, false)
        } finally {
          await alice.close()
        }
      }))
  }

  it('carries the challenge as a header too, for clients that know what to do with it', async () => {
    const token = await system.tokenFor('Carol')
    assert.deepEqual(await toolNames(system.mcp, token), ADMIN_TOOLS)
    const response = await post(system.mcp, stats, { token })
    assert.equal(response.status, 200)
    const line = await system.auditLine(response)
    assert.deepEqual([line.decision, line.reason], ['deny:claims', 'insufficient_claims'])
    const claims = claimsIn(response)
    const stronger = await system.tokenFor('Carol', { claims })
    // She is no admin: with the step-up this is all that is left to refuse, and the tool is gone.
    const { response: judged, answer } = await rpc(system.mcp, 'tools/call', stats.params, {
      token: stronger,
    })
    assert.deepEqual(answer.error, { code: -32602, message: 'Unknown tool: get_expense_stats' })
    assert.equal((await system.auditLine(judged)).decision, 'deny:group')
    assert.deepEqual(await toolNames(system.mcp, stronger), ADMIN_TOOLS.slice(0, 2))
  })

  it('answers 401 with the claims to a client that says that it handles them', async () => {
    const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } })
    // As Entra makes it for a client that says so, because the API app has asked for the claim.
    const real = await system.tokenFor('Carol', { claims })
    for (const token of [real, await carolWith({ xms_cc: ['CP1'] })]) {
      const response = await post(system.mcp, stats, { token })
      assert.equal(response.status, 401)
      assert.ok(JSON.parse(claimsIn(response)).access_token)
      assert.equal((await system.auditLine(response)).decision, 'deny:claims')
    }
    for (const xms_cc of [[], ['other'], 'cp1', 5]) {
      const result = await callTool(
        system.mcp,
        'get_expense_stats',
        {},
        { token: await carolWith({ xms_cc }) },
      )
      assert.equal(result.isError, true)
    }
  })

  for (const [kind, connect] of Object.entries(peers)) {
    it(`makes ${kind} ask for a missing scope, with which it goes on`, async () => {
      const bob = await connect(system, 'Bob')
      try {
        const { access_token = '', ...tokens } = bob.signIn.tokens() ?? {}
        const own = JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString())
        const weak = await system.tenant.sign({ ...own, scp: 'something_else' })
        bob.signIn.saveTokens({ token_type: 'Bearer', ...tokens, access_token: weak })
        const before = bob.signIn.authorizeUrl
        await assert.rejects(bob.call('get_user_expenses', {}), /Unauthorized/)
        assert.notEqual(bob.signIn.authorizeUrl, before)
        assert.equal(bob.signIn.authorizeUrl?.searchParams.get('scope'), `${system.mcp}/user_impersonation`)
        await bob.finishAuth()
        assert.equal((await bob.call('get_user_expenses', {})).isError, false)
      } finally {
        await bob.close()
      }
    })
  }
})

/** The claims that a challenge asks for, decoded. */
function claimsIn({ headers }: Response): string {
  const challenge = headers.get('www-authenticate') ?? ''
  assert.match(challenge, /^Bearer error="insufficient_claims"/)
  return Buffer.from(/claims="([^"]+)"/.exec(challenge)?.[1] ?? '', 'base64').toString()
}
