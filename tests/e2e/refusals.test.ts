import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { callTool, lunch, post, rpc } from './rpc.ts'
import { type System, startSystem } from './system.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
const seconds = () => Math.floor(Date.now() / 1000)

describe('the server refuses', () => {
  let system: System
  let alice: string
  before(async () => {
    system = await startSystem()
    alice = await system.tokenFor('Alice')
  })
  after(() => system.stop())

  /** A token that would be accepted but for `changes`; undefined removes a claim. */
  const tokenWith = (changes: Record<string, unknown>) =>
    system.tenant.sign({ ...goodClaims(system), ...changes })

  async function refusedToken(token: string, reason: string) {
    const response = await post(system.mcp, list, { token })
    assert.equal(response.status, 401)
    const challenge = response.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /^Bearer error="invalid_token", error_description="[^"]+"/)
    assert.match(challenge, new RegExp(`scope="${system.mcp}/user_impersonation"`))
    assert.match(
      challenge,
      /resource_metadata="http:\/\/localhost:\d+\/.well-known\/oauth-protected-resource\/mcp"/,
    )
    assert.match(await response.text(), /"error":"invalid_token"/)
    const line = await system.auditLine(response)
    assert.equal(line.decision, 'deny:token')
    assert.equal(line.reason, reason)
    assert.equal(line.status, 401)
  }

  it('accepts the token that the refusals below are made from', async () => {
    assert.equal((await post(system.mcp, list, { token: await tokenWith({}) })).status, 200)
  })

  it('a request without a token, and says where to sign in', async () => {
    const response = await post(system.mcp, list)
    assert.equal(response.status, 401)
    const challenge = response.headers.get('www-authenticate') ?? ''
    assert.doesNotMatch(challenge, /error=/)
    assert.match(challenge, /^Bearer scope="http.*\/mcp\/user_impersonation", resource_metadata="http/)
    assert.equal(response.headers.get('x-powered-by'), null)
  })

  it('an Authorization header that is not a bearer token', async () => {
    for (const authorization of ['Bearer', 'Bearer a b', 'Bearer "x"']) {
      const response = await post(system.mcp, list, { headers: { authorization } })
      assert.equal(response.status, 401, authorization)
      assert.match(response.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    }
    for (const authorization of ['Basic YTpi', 'DPoP abc', '']) {
      const response = await post(system.mcp, list, { headers: { authorization } })
      assert.equal(response.status, 401, authorization)
      assert.doesNotMatch(response.headers.get('www-authenticate') ?? '', /error=/)
    }
  })

  it('a malformed token', () => refusedToken('not.a.token', 'malformed'))
  it('a token with a changed signature', () =>
    refusedToken(`${alice.slice(0, -8)}${alice.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`, 'signature'))
  it('a token with changed claims', async () => {
    const [header, , signature] = alice.split('.')
    const claims = Buffer.from(JSON.stringify({ ...goodClaims(system), oid: crypto.randomUUID() })).toString(
      'base64url',
    )
    await refusedToken(`${header}.${claims}.${signature}`, 'signature')
  })
  it('an unsigned token (alg none)', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    await refusedToken(`${part({ alg: 'none', typ: 'JWT' })}.${part(goodClaims(system))}.`, 'alg')
  })
  it('HS256 with the public key as the secret', async () => {
    const secret = JSON.stringify(await system.tenant.publicJwk())
    const token = await hs256(goodClaims(system), secret, (await system.tenant.publicJwk()).kid ?? '')
    await refusedToken(token, 'alg')
  })
  it('a token signed with an unknown key', async () =>
    refusedToken(await system.tenant.sign(goodClaims(system), { header: { kid: 'unknown' } }), 'kid'))
  it('a token of another tenant', async () =>
    refusedToken(await tokenWith({ tid: crypto.randomUUID() }), 'tid'))
  it('a token of another issuer', async () =>
    refusedToken(
      await tokenWith({ iss: `https://login.microsoftonline.com/${crypto.randomUUID()}/v2.0` }),
      'iss',
    ))
  it('a token for the identifier URI instead of the client id', async () =>
    refusedToken(await tokenWith({ aud: `api://${system.seed.apiAppId}` }), 'aud'))
  it('a token for several audiences', async () =>
    refusedToken(await tokenWith({ aud: [system.seed.apiAppId, crypto.randomUUID()] }), 'aud'))
  it('a token for Microsoft Graph', async () => {
    const graph = await system.tenant.tokenFor({
      user: system.seed.users[0]?.upn ?? '',
      clientId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      scope: 'https://graph.microsoft.com/User.Read',
    })
    await refusedToken(graph, 'iss')
  })
  it('a v1 token', async () => refusedToken(await tokenWith({ ver: '1.0' }), 'ver'))
  it('an expired token', async () =>
    refusedToken(
      await tokenWith({ exp: seconds() - 301, iat: seconds() - 4000, nbf: seconds() - 4000 }),
      'expired',
    ))
  it('a token that is not yet valid', async () =>
    refusedToken(await tokenWith({ nbf: seconds() + 310 }), 'nbf'))
  it('a token from the future', async () => refusedToken(await tokenWith({ iat: seconds() + 310 }), 'iat'))
  it('a token that is older than TOKEN_MAX_AGE_HOURS', async () =>
    refusedToken(await tokenWith({ iat: seconds() - 24 * 3600 - 310 }), 'too_old'))
  it('accepts clocks that differ by less than five minutes', async () => {
    for (const skewed of [{ exp: seconds() - 280 }, { nbf: seconds() + 280 }, { iat: seconds() + 280 }]) {
      assert.equal((await post(system.mcp, list, { token: await tokenWith(skewed) })).status, 200)
    }
  })
  for (const claim of ['exp', 'nbf', 'iat', 'iss', 'aud', 'tid', 'ver', 'oid', 'scp']) {
    it(`a token without ${claim}`, async () => refusedToken(await tokenWith({ [claim]: undefined }), claim))
  }
  it('a token whose oid is no GUID', async () => refusedToken(await tokenWith({ oid: "x' OR 1=1" }), 'oid'))
  it('an app-only token with a scope, and one that does not say that it is one', async () => {
    // Whether or not it carries a role: a token is an app's or a person's. The rest: services.test.ts.
    for (const roles of [undefined, ['Expenses.Report']])
      await refusedToken(await tokenWith({ idtyp: 'app', roles }), 'scp')
    await refusedToken(await tokenWith({ scp: undefined, roles: ['Expenses.Report'] }), 'scp')
    await refusedToken(await tokenWith({ idtyp: 'App', scp: undefined }), 'idtyp')
    await refusedToken(await tokenWith({ idtyp: 'device' }), 'idtyp')
  })
  it('an unassigned user, already at sign-in', async () => {
    await assert.rejects(system.tokenFor('Dave'), /AADSTS50105/)
  })

  it('a caller without the scope of the tool, naming the full scope to ask for', async () => {
    const token = await tokenWith({ scp: 'something_else' })
    const response = await post(
      system.mcp,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get_user_expenses', arguments: {} } },
      { token },
    )
    assert.equal(response.status, 403)
    const challenge = response.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /^Bearer error="insufficient_scope"/)
    assert.match(challenge, new RegExp(`scope="${system.mcp}/user_impersonation", resource_metadata="http`))
    assert.equal((await system.auditLine(response)).decision, 'deny:scope')
  })

  for (const headers of [
    { host: 'evil.example.com' },
    { origin: 'http://evil.example.com' },
    { origin: 'null' },
  ]) {
    it(`a hostile ${JSON.stringify(headers)}`, async () => {
      const { status, body } = await raw(system, { ...headers, authorization: `Bearer ${alice}` })
      assert.equal(status, 403)
      assert.equal(JSON.parse(body).error, 'forbidden')
    })
  }
  it('protected resource metadata for a foreign Host', async () => {
    const { status } = await raw(
      system,
      { host: 'evil.example.com' },
      '/.well-known/oauth-protected-resource/mcp',
      'GET',
    )
    assert.equal(status, 403)
  })

  it('GET, DELETE and the rest on /mcp, with Allow', async () => {
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD']) {
      const response = await fetch(system.mcp, { method, headers: { authorization: `Bearer ${alice}` } })
      assert.equal(response.status, 405, method)
      assert.equal(response.headers.get('allow'), 'POST')
      await response.body?.cancel()
    }
  })
  it('an unknown route, as JSON', async () => {
    for (const path of [
      '/',
      '/nothing',
      '/mcp/more',
      '/MCP',
      '/Healthz',
      '/.well-known/oauth-authorization-server',
    ]) {
      const response = await fetch(new URL(path, system.mcp))
      assert.equal(response.status, 404)
      assert.deepEqual(await response.json(), { error: 'not_found' })
    }
  })

  const badBodies: [string, number, number, unknown, Record<string, string>][] = [
    ['a batch', 400, -32600, [list], {}],
    ['malformed JSON', 400, -32700, '{"jsonrpc":', {}],
    ['a body that is no object', 400, -32600, '"text"', {}],
    ['an empty body', 400, -32600, '', {}],
    ['an object that is no JSON-RPC message', 400, -32600, { hello: 'world' }, {}],
    ['5 MB', 413, -32600, { ...list, params: { x: 'x'.repeat(5 * 1024 * 1024) } }, {}],
    ['a byte more than 32 KiB', 413, -32600, ' '.repeat(32 * 1024 + 1), {}],
    ['22,000 keys in _meta', 413, -32600, { ...list, params: { _meta: manyKeys(22_000) } }, {}],
    ['a form', 415, -32600, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['text that pretends to be JSON', 415, -32600, list, { 'content-type': 'text/plain; application/json' }],
    ['UTF-16', 415, -32600, list, { 'content-type': 'application/json; charset=utf-16' }],
    ['a compressed body', 415, -32600, list, { 'content-encoding': 'gzip' }],
  ]
  for (const [name, status, code, body, headers] of badBodies) {
    it(`${name} with ${status}`, async () => {
      const response = await post(system.mcp, body, { token: alice, headers })
      assert.equal(response.status, status)
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
      const answer = z
        .object({ error: z.object({ code: z.number(), message: z.string() }) })
        .parse(await response.json())
      assert.equal(answer.error.code, code)
      assert.doesNotMatch(JSON.stringify(answer), /node_modules|at \w+ \(/)
    })
  }

  it('an Accept header that leaves no way to answer, with 406', async () => {
    for (const accept of [
      'text/html',
      'text/event-stream',
      'application/json;q=0, text/event-stream',
      '*/*, application/json;q=0',
      'application/jsonx',
    ]) {
      const response = await post(system.mcp, list, { token: alice, headers: { accept } })
      assert.equal(response.status, 406, accept)
      assert.match(await response.text(), /Send Accept: application\/json, text\/event-stream/)
    }
  })
  it('a protocol version that it does not speak, naming those it does', async () => {
    const headers = { 'mcp-protocol-version': '1999-01-01' }
    const response = await post(system.mcp, list, { token: alice, headers })
    assert.equal(response.status, 400)
    assert.match(await response.text(), /Unsupported protocol version \(supported versions: 2025-11-25/)
  })
  it('nothing of a notification, which it only acknowledges', async () => {
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }
    const response = await post(system.mcp, notification, { token: alice })
    assert.equal(response.status, 202)
    assert.equal(await response.text(), '')
  })

  it('an unknown tool', async () => {
    const { response, answer } = await rpc(
      system.mcp,
      'tools/call',
      { name: 'drop_everything', arguments: {} },
      { token: alice },
    )
    assert.deepEqual(answer.error, { code: -32602, message: 'Unknown tool: drop_everything' })
    const { decision, tool } = await system.auditLine(response)
    assert.deepEqual([decision, tool], ['accept', 'unknown'])
  })
  it('a hidden tool that is called by its name', async () => {
    const token = await system.tokenFor('Bob')
    const { response, answer } = await rpc(
      system.mcp,
      'tools/call',
      { name: 'get_expense_stats', arguments: {} },
      { token },
    )
    assert.deepEqual(answer.error, { code: -32602, message: 'Unknown tool: get_expense_stats' })
    assert.equal((await system.auditLine(response)).decision, 'deny:group')
  })

  const badExpenses: [string, Record<string, unknown>, RegExp][] = [
    ['a missing date', { date: undefined }, /date/],
    ['a day that no calendar has', { date: '2026-02-29' }, /calendar day/],
    ['a date with a time', { date: '2026-02-01T00:00:00Z' }, /calendar day/],
    ['an amount of 0', { amount: 0 }, /more than 0/],
    ['a negative amount', { amount: -1 }, /more than 0/],
    ['an amount with three decimals', { amount: 1.005 }, /two decimals/],
    ['an amount above 1,000,000', { amount: 1_000_000.01 }, /at most 1,000,000/],
    ['an amount as text', { amount: '12' }, /amount/],
    ['an unknown category', { category: 'bribes' }, /category/],
    ['an empty description', { description: '' }, /not be empty/],
    ['a description of blanks', { description: ' \t\n' }, /not be blank/],
    ['a description of 501 characters', { description: 'x'.repeat(501) }, /at most 500/],
    ['an unknown payment method', { payment_method: 'cheque' }, /payment_method/],
    ['an empty idempotency key', { idempotency_key: '' }, /not be empty/],
    ['an idempotency key of blanks', { idempotency_key: ' ' }, /not be blank/],
    ['a user of the caller’s choice', { user_id: 'somebody' }, /user_id/],
  ]
  for (const [name, changes, message] of badExpenses) {
    it(`${name} in an expense, naming the fault`, async () => {
      const result = await callTool(system.mcp, 'add_user_expense', lunch(changes), { token: alice })
      assert.equal(result.isError, true)
      assert.match(result.content[0]?.text ?? '', message)
    })
  }
  const badFilters: [string, Record<string, unknown>, RegExp][] = [
    ['limit 0', { limit: 0 }, /at least 1/],
    ['limit 201', { limit: 201 }, /at most 200/],
    ['half a limit', { limit: 1.5 }, /limit/],
    ['a bad from', { from: 'yesterday' }, /calendar day/],
    ['days the wrong way round', { from: '2026-02-02', to: '2026-02-01' }, /must not be before from/],
    ['a bad to', { to: '2026-13-01' }, /calendar day/],
    ['an unknown category', { category: "food' OR '1'='1" }, /category/],
    ['a broken cursor', { cursor: 'broken' }, /cursor/i],
    ['a user of the caller’s choice', { user_id: 'somebody' }, /user_id/],
  ]
  for (const [name, filter, message] of badFilters) {
    it(`${name} in a list, naming the fault`, async () => {
      const result = await callTool(system.mcp, 'get_user_expenses', filter, { token: alice })
      assert.equal(result.isError, true)
      assert.match(result.content[0]?.text ?? '', message)
    })
  }

  it('the cursor of another user', async () => {
    const bob = await system.tokenFor('Bob')
    for (const amount of [1, 2])
      await callTool(system.mcp, 'add_user_expense', lunch({ amount }), { token: bob })
    const page = await callTool(system.mcp, 'get_user_expenses', { limit: 1 }, { token: bob })
    const cursor = page.structuredContent?.next_cursor
    assert.equal(typeof cursor, 'string')
    const stolen = await callTool(system.mcp, 'get_user_expenses', { limit: 1, cursor }, { token: alice })
    assert.equal(stolen.isError, true)
    assert.match(stolen.content[0]?.text ?? '', /cursor/i)
  })

  it('to read a quote in any string as anything but text', async () => {
    const evil = `'"; DROP TABLE c; -- \\ \u0000 ${'${'}x}`
    const token = await system.tokenFor('Alice')
    const added = await callTool(
      system.mcp,
      'add_user_expense',
      lunch({ description: evil, idempotency_key: evil, date: '2026-04-01' }),
      { token },
    )
    assert.equal(added.isError, undefined)
    const listed = await callTool(
      system.mcp,
      'get_user_expenses',
      { from: '2026-04-01', to: '2026-04-01' },
      { token },
    )
    assert.match(JSON.stringify(listed.structuredContent), /DROP TABLE/)
    for (const field of ['cursor', 'from', 'to', 'category']) {
      assert.equal(
        (await callTool(system.mcp, 'get_user_expenses', { [field]: evil }, { token })).isError,
        true,
      )
    }
  })

  it('more requests in a minute than RATE_LIMIT_PER_MINUTE, per user, a tool call in words', async () => {
    const strict = await startSystem({ RATE_LIMIT_PER_MINUTE: '3' })
    try {
      const [first, second] = await Promise.all([strict.tokenFor('Alice'), strict.tokenFor('Bob')])
      for (let call = 0; call < 3; call++)
        assert.equal((await post(strict.mcp, list, { token: first })).status, 200)
      const refused = await post(strict.mcp, list, { token: first })
      assert.equal(refused.status, 429)
      assert.match(refused.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
      assert.equal((await strict.auditLine(refused)).decision, 'deny:rate')
      const call = {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'get_user_expenses', arguments: {} },
      }
      const told = await post(strict.mcp, call, { token: first })
      assert.equal(told.status, 200)
      assert.match(
        await told.text(),
        /"More than 3 requests a minute\. Try again in \d+ seconds\."}],"isError":true/,
      )
      assert.equal((await strict.auditLine(told)).decision, 'deny:rate')
      // From twice the rate on nothing is read any more.
      assert.equal((await post(strict.mcp, call, { token: first })).status, 200)
      assert.equal((await post(strict.mcp, call, { token: first })).status, 429)
      assert.equal((await post(strict.mcp, list, { token: second })).status, 200)
    } finally {
      await strict.stop()
    }
  })

  it('a client that is not one of ALLOWED_CLIENTS, whatever it asks', async () => {
    const code = 'aebc6443-996d-45c2-90f0-388ff96faa56'
    const strict = await startSystem({ ALLOWED_CLIENTS: `${code}, ${crypto.randomUUID()}` })
    try {
      const allowed = await strict.tokenFor('Alice', { clientId: code })
      assert.equal((await post(strict.mcp, list, { token: allowed })).status, 200)
      const anonymous = await strict.tenant.sign({ ...goodClaims(strict), azp: undefined })
      const spelled = await strict.tenant.sign({ ...goodClaims(strict), azp: `${code} ` })
      for (const token of [await strict.tokenFor('Alice'), anonymous, spelled]) {
        const response = await post(strict.mcp, list, { token })
        assert.equal(response.status, 403)
        // Nothing to sign in for: the same client would come back with the same token.
        assert.equal(response.headers.get('www-authenticate'), null)
        assert.match(await response.text(), /"error":"access_denied".*This client application may not call/)
        const line = await strict.auditLine(response)
        assert.deepEqual([line.decision, line.reason], ['deny:rbac', 'client_not_allowed'])
        assert.equal(typeof line.oid, 'string')
      }
    } finally {
      await strict.stop()
    }
  })

  it('a client that may not call as often as any other, and stops writing a line for each', async () => {
    const strict = await startSystem({ ALLOWED_CLIENTS: crypto.randomUUID(), RATE_LIMIT_PER_MINUTE: '3' })
    try {
      const token = await strict.tokenFor('Alice')
      const statuses: number[] = []
      for (let call = 0; call < 30; call++) statuses.push((await post(strict.mcp, list, { token })).status)
      assert.deepEqual(statuses, [...Array<number>(6).fill(403), ...Array<number>(24).fill(429)])
      const last = await post(strict.mcp, list)
      await strict.auditLine(last)
      const lines = strict.lines().filter((line) => line.includes('"oid"') && !line.includes('"count"'))
      assert.equal(lines.length, 6 + 10)
    } finally {
      await strict.stop()
    }
  })

  it('without ever writing a token, a name or a description to its log', async () => {
    const log = system.lines().join('\n')
    assert.ok(log.length > 0)
    for (const secret of [alice, 'Alice', 'alice@', 'DROP TABLE', 'Lunch', 'drop_everything']) {
      assert.ok(!log.includes(secret), `the log contains ${secret}`)
    }
  })
})

function manyKeys(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, index]))
}

function goodClaims({ seed, tenant }: System): Record<string, unknown> {
  const now = seconds()
  return {
    aud: seed.apiAppId,
    iss: `${tenant.url}/${seed.tenantId}/v2.0`,
    iat: now,
    nbf: now,
    exp: now + 3600,
    tid: seed.tenantId,
    oid: seed.users[1]?.oid,
    ver: '2.0',
    scp: 'user_impersonation',
    azp: seed.clientId,
  }
}

async function hs256(claims: Record<string, unknown>, secret: string, kid: string): Promise<string> {
  const { SignJWT } = await import('jose')
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid }).sign(new TextEncoder().encode(secret))
}

/** fetch() does not let a caller choose Host and Origin. */
function raw(system: System, headers: Record<string, string>, path = '/mcp', method = 'POST') {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const { port } = new URL(system.mcp)
    const sent = request({
      host: 'localhost',
      port,
      path,
      method,
      headers: { 'content-type': 'application/json', ...headers },
    })
    sent.on('error', reject).on('response', (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.end(JSON.stringify(list))
  })
}
