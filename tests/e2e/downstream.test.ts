import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { EntraError, errorBody } from '../../scripts/emulators/entra/refusals.ts'
import { callTool, lunch, post, toolNames } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const USER_TOOLS = ['add_user_expense', 'get_user_expenses']
const call = (name: string, args: unknown = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
})

/** Texts of Entra name people and apps: they must reach neither the log nor the client. */
const TELLING = 'The user alice@contoso.example of Contoso may not.'
const entraSays = (code: number, error: string, details: { suberror?: string; status?: number } = {}) =>
  errorBody(new EntraError(code, error, TELLING, details), Date.now())

describe('when a service refuses, the server', () => {
  let system: System
  before(async () => {
    system = await startSystem()
  })
  afterEach(() => {
    system.tenant.faults.clear()
    system.cosmos.faults.clear()
    for (const line of system.lines()) assert.doesNotMatch(line, /alice@|Contoso/i)
  })
  after(() => system.stop())

  /** Asks for the statistics with a token that nothing is known about yet. */
  async function stats() {
    const token = await system.tokenFor('Alice')
    const response = await post(system.mcp, call('get_expense_stats'), { token })
    const text = await response.text()
    assert.doesNotMatch(text, /alice@|Contoso/i)
    return { response, text, token, line: await system.auditLine(response) }
  }

  const logged = (level: string, { request_id }: Record<string, unknown>) =>
    system
      .lines()
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter((line) => line.level === level && line.request_id === request_id)

  const ended: [code: number, error: string, suberror?: string][] = [
    [70043, 'invalid_grant', 'bad_token'],
    [70043, 'invalid_grant'],
    [50173, 'invalid_grant', 'bad_token'],
    [50133, 'invalid_grant', 'token_expired'],
    [50132, 'invalid_grant'],
    [700082, 'invalid_grant'],
    [500131, 'invalid_grant'],
    [4242, 'invalid_grant', 'something_new'],
    [50058, 'login_required'],
  ]
  for (const [code, error, suberror] of ended) {
    it(`asks for a new sign-in on ${error} with AADSTS${code} ${suberror ?? ''}`, async () => {
      const body = entraSays(code, error, suberror === undefined ? {} : { suberror })
      system.tenant.faults.on('obo', { answer: 400, body })
      const { response, token, line } = await stats()
      assert.equal(response.status, 401)
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token"/)
      assert.deepEqual(
        [line.decision, line.reason, line.obo, line.outcome],
        ['deny:token', 'assertion', 'refused', 'refused'],
      )
      assert.deepEqual(logged('error', line), [])
      assert.deepEqual(await toolNames(system.mcp, token), USER_TOOLS)
    })
  }

  const barred: [code: number, error: string, reason: string, words: RegExp][] = [
    [50057, 'invalid_grant', 'account_disabled', /account is disabled/],
    [50105, 'invalid_grant', 'not_assigned', /not assigned to this application/],
    [50105, 'access_denied', 'not_assigned', /not assigned to this application/],
    [53003, 'invalid_grant', 'blocked_by_policy', /policy of your organisation/],
    [530034, 'interaction_required', 'blocked_by_policy', /policy of your organisation/],
  ]
  for (const [code, error, reason, words] of barred) {
    it(`refuses in words on ${error} with AADSTS${code}`, async () => {
      system.tenant.faults.on('obo', { answer: 400, body: entraSays(code, error) })
      const { response, text, token, line } = await stats()
      assert.equal(response.status, 200)
      assert.match(text, words)
      assert.match(text, /"isError":true/)
      assert.deepEqual(
        [line.decision, line.reason, line.obo, line.outcome],
        ['deny:rbac', reason, 'refused', 'refused'],
      )
      assert.deepEqual(logged('error', line), [])
      assert.deepEqual(await toolNames(system.mcp, token), USER_TOOLS)
    })
  }

  it('refuses in words who was disabled after the sign-in', async () => {
    const alice = system.seed.users.find(({ name }) => name.startsWith('Alice'))
    const user = system.seed.directory.users.find(({ userPrincipalName }) => userPrincipalName === alice?.upn)
    assert.ok(user)
    const token = await system.tokenFor('Alice')
    user.accountEnabled = false
    try {
      const { content } = await callTool(system.mcp, 'get_expense_stats', {}, { token })
      assert.match(content[0]?.text ?? '', /account is disabled/)
    } finally {
      user.accountEnabled = true
    }
  })

  const passing: [code: number, error: string, status: number][] = [
    [90055, 'temporarily_unavailable', 400],
    [50196, 'temporarily_unavailable', 400],
    [50196, 'invalid_grant', 400],
    [90033, 'server_error', 400],
    [90033, 'temporarily_unavailable', 503],
  ]
  for (const [code, error, status] of passing) {
    it(`says when to come back on ${error} with AADSTS${code} and HTTP ${status}`, async () => {
      const headers = { 'retry-after': '7' }
      system.tenant.faults.on('obo', { answer: status, body: entraSays(code, error), headers })
      const { response, text, line } = await stats()
      assert.equal(response.status, 200)
      assert.match(text, /Try again in 7 seconds/)
      assert.deepEqual([line.obo, line.outcome], ['failed', 'failed'])
      assert.deepEqual(logged('error', line), [])
      const [warning] = logged('warn', line)
      assert.equal(warning?.code, 'downstream_unavailable')
      if (status === 503) assert.equal(warning?.status, 503)
      // Entra asked for a rest of the user.
      await system.restart()
    })
  }

  it('logs with its number what is our fault, the client credential say', async () => {
    const body = entraSays(7000215, 'invalid_client')
    system.tenant.faults.on('obo', { answer: 401, body })
    const { text, line } = await stats()
    assert.match(text, new RegExp(`The operator finds the cause under request ${line.request_id}`))
    const [fault] = logged('error', line)
    assert.deepEqual([fault?.error, fault?.code, fault?.status], ['ExchangeFailed', 'AADSTS7000215', 401])
    assert.deepEqual([line.reason, line.obo, line.outcome], ['downstream_failed', 'failed', 'failed'])
  })

  for (const [status, code] of [
    [401, 'InvalidAuthenticationToken'],
    [403, 'Authorization_RequestDenied'],
    [404, 'Request_ResourceNotFound'],
    [400, 'Request_UnsupportedQuery'],
  ] as const) {
    it(`logs the ${status} of Microsoft Graph and its code`, async () => {
      system.tenant.faults.on('graph', { answer: status, body: { error: { code, message: TELLING } } })
      const { text, line } = await stats()
      assert.match(text, /The operator finds the cause under request/)
      const [fault] = logged('error', line)
      assert.deepEqual([fault?.error, fault?.status, fault?.code], ['GraphRefused', status, code])
      assert.match(String(fault?.message), /^GraphRefused \(code \w+\) at .+ \(groups\.ts:\d+:\d+\)$/)
      assert.equal(line.outcome, 'failed')
    })
  }

  it('logs 403 and substatus of Cosmos, and says in the audit line that the store refused', async () => {
    const token = await system.tokenFor('Bob')
    for (const [operation, name, args] of [
      ['batch', 'add_user_expense', lunch()],
      ['query', 'get_user_expenses', {}],
    ] as const) {
      system.cosmos.faults.inject(operation, { status: 403, substatus: 5300 })
      const response = await post(system.mcp, call(name, args), { token })
      assert.match(await response.text(), /The operator finds the cause under request/)
      const line = await system.auditLine(response)
      assert.deepEqual([line.decision, line.outcome], ['accept', 'refused_by_store'])
      const [fault] = logged('error', line)
      assert.deepEqual([fault?.status, fault?.substatus], [403, 5300])
      assert.match(String(fault?.message), /^\w+ \(code 403\/5300\) at .+ \(\w+\.[jt]s:\d+:\d+\)$/)
    }
  })

  it('says in the audit line that the store refused while Cosmos is away, and in the log why', async () => {
    const token = await system.tokenFor('Bob')
    system.cosmos.faults.inject('query', { status: 503 }, 100)
    const response = await post(system.mcp, call('get_user_expenses'), { token })
    assert.match(await response.text(), /Try again in \d+ seconds/)
    const line = await system.auditLine(response)
    assert.deepEqual([line.decision, line.outcome], ['accept', 'refused_by_store'])
    const [warning] = logged('warn', line)
    assert.deepEqual([warning?.code, warning?.status], ['store_unavailable', 503])
  })

  it('says in the audit line when the caller has gone', async () => {
    await system.restart()
    const token = await system.tokenFor('Alice')
    const slow = system.tenant.faults.on('graph', { hang: true, times: 1 })
    const leave = new AbortController()
    const answer = fetch(system.mcp, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(call('get_expense_stats')),
      signal: leave.signal,
    })
    await slow.reached(1)
    leave.abort()
    await assert.rejects(answer)
    const line = await system.lineWith('"outcome":"caller_gone"')
    assert.deepEqual([line.tool, line.outcome], ['get_expense_stats', 'caller_gone'])
    slow.release()
  })

  it('says in the audit line what was done', async () => {
    const token = await system.tokenFor('Bob')
    const outcomes = []
    for (const [body, sent] of [
      [call('add_user_expense', lunch()), token],
      [call('add_user_expense', { amount: 'much' }), token],
      [call('get_expense_stats'), token],
      [call('get_user_expenses'), 'not.a.token'],
      ['no JSON', token],
    ] as const) {
      const line = await system.auditLine(await post(system.mcp, body, { token: sent }))
      outcomes.push([line.decision, line.outcome])
    }
    assert.deepEqual(outcomes, [
      ['accept', 'done'],
      ['accept', 'done'],
      ['deny:group', 'refused'],
      ['deny:token', 'refused'],
      ['deny:request', 'refused'],
    ])
  })
})

describe('a server with a managed identity that the container app does not have', () => {
  it('logs which one, with the status of the identity endpoint', async () => {
    const AZURE_CLIENT_ID = crypto.randomUUID()
    const system = await startSystem({ AZURE_CLIENT_ID })
    try {
      const token = await system.tokenFor('Alice')
      const response = await post(system.mcp, call('get_expense_stats'), { token })
      assert.match(await response.text(), /The operator finds the cause under request/)
      const fault = await system.lineWith('"level":"error"')
      const { code, status, identity } = fault
      assert.deepEqual([code, status, identity], ['managed_identity_refused', 400, AZURE_CLIENT_ID])
    } finally {
      await system.stop()
    }
  })
})
