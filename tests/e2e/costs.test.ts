import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import * as v2 from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { z } from 'zod'
import { toolAnswer } from '../../scripts/client/tools.ts'
import { PRODUCTION, SANDBOX } from '../../scripts/emulators/seed/azure.ts'
import { peers } from './peers.ts'
import { post, toolNames } from './rpc.ts'
import { type System, startSystem, type UserName, upnOf } from './system.ts'

const OCTOBER = { from: '2026-10-01', to: '2026-10-31' }
const Result = z.object({
  content: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({
        type: z.literal('resource'),
        resource: z.object({ uri: z.string(), mimeType: z.string(), text: z.string() }),
      }),
    ]),
  ),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
})
type Result = z.infer<typeof Result>

const textOf = ({ content }: Result) =>
  content.flatMap((one) => (one.type === 'text' ? one.text : [])).join('\n')
const csvOf = ({ content }: Result) => {
  const [file] = content.flatMap((one) => (one.type === 'resource' ? one.resource : []))
  assert.ok(file)
  assert.equal(file.mimeType, 'text/csv')
  return file.text
}
const call = (name: string, args: unknown, _meta?: unknown) => ({
  ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
  params: { name, arguments: args, ...(_meta !== undefined && { _meta }) },
})

describe('the tools for costs', () => {
  let system: System
  before(async () => {
    system = await startSystem({ TOOL_SETS: 'expenses,costs' })
  })
  afterEach(async () => {
    const { faults, quota } = system.tenant
    faults.clear()
    faults.resetCounters()
    for (const line of system.lines()) assert.doesNotMatch(line, /@contoso|Storage|Virtual Machines|EUR/)
    const wasThrottled = system.lines().some((line) => line.includes('downstream_throttled'))
    Object.assign(quota.settings, { units: undefined, hammered: 0 })
    if (wasThrottled) await system.restart()
  })
  after(() => system.stop())

  const tokenWith = (name: UserName, ...scopes: string[]) =>
    system.tenant.tokenFor({
      ...{ user: upnOf(system.seed, name), clientId: system.seed.clientId, resource: system.mcp },
      scope: scopes.map((scope) => `${system.mcp}/${scope}`).join(' '),
    })
  const ask = async (token: string, name: string, args: unknown) => {
    const response = await post(system.mcp, call(name, args), { token })
    assert.equal(response.status, 200)
    const { result } = z.object({ result: Result }).parse(await response.json())
    return { result, line: await system.auditLine(response) }
  }
  /** As docs/tools.md says: an administrator lets the public client have the scope, which leaves a grant in the directory. */
  const consented = async <T>(work: () => Promise<T>): Promise<T> => {
    const { directory, clientId, apiAppId } = system.seed
    const principalOf = (appId: string) => directory.servicePrincipal(appId)?.id ?? ''
    const grants = directory.oauth2PermissionGrants
    const grant = {
      ...{ id: randomUUID(), clientId: principalOf(clientId), resourceId: principalOf(apiAppId) },
      ...{ consentType: 'AllPrincipals' as const, principalId: null, scope: 'cost.export' },
    }
    grants.push(grant)
    return work().finally(() => grants.splice(grants.indexOf(grant), 1))
  }
  const exporter = (name: UserName) => consented(() => tokenWith(name, 'cost.export'))
  const addedUp = (amount: number) => Math.round(amount * (31 + 4.96) * 100) / 100

  it('give each caller what the caller may read, also at the same time', async () => {
    const [alice, bob] = await Promise.all([tokenWith('Alice', 'cost.read'), tokenWith('Bob', 'cost.read')])
    // Four of Bob's: as many as one user may have in flight.
    const asked = await Promise.all(
      [0, 1].flatMap(() => [
        ask(alice, 'cost_by_service', { subscription: PRODUCTION, ...OCTOBER, top: 2 }),
        ask(bob, 'cost_by_service', { subscription: PRODUCTION, ...OCTOBER }),
        ask(bob, 'cost_by_service', { subscription: SANDBOX.toUpperCase(), ...OCTOBER }),
      ]),
    )
    for (const [index, { result, line }] of asked.entries()) {
      const kind = index % 3
      assert.equal(result.isError === true, kind === 1)
      if (kind === 0)
        assert.deepEqual(result.structuredContent, {
          ...{ subscription: PRODUCTION, ...OCTOBER },
          totals: [
            { currency: 'EUR', total: addedUp(12.507), rest: addedUp(0.807), rest_services: 4 },
            { currency: 'USD', total: addedUp(3.3), rest: 0, rest_services: 0 },
          ],
          services: [
            { currency: 'EUR', service: 'Azure Cosmos DB', amount: addedUp(7.5) },
            { currency: 'EUR', service: 'Azure Container Apps', amount: addedUp(4.2) },
            { currency: 'USD', service: 'SaaS', amount: addedUp(3.3) },
          ],
        })
      if (kind === 2) assert.equal(result.structuredContent?.subscription, SANDBOX)
      if (kind !== 1) {
        assert.deepEqual([line.decision, line.reason, line.outcome], ['accept', 'tool', 'done'])
        assert.deepEqual(JSON.parse(textOf(result)), result.structuredContent)
      }
    }
  })

  it('say whose account, which subscription and which role, when Azure refuses, and audit deny:rbac', async () => {
    for (const [name, subscription] of [
      ['Bob', PRODUCTION],
      ['Carol', SANDBOX],
    ] as const) {
      const token = await tokenWith(name, 'cost.read')
      const { result, line } = await ask(token, 'cost_by_service', { subscription, ...OCTOBER })
      const oid = system.seed.users.find((user) => user.name === name)?.oid
      assert.equal(result.isError, true)
      assert.match(
        textOf(result),
        new RegExp(
          `Your account \\(object id ${oid}\\).*subscription ${subscription}.*Cost Management Reader`,
        ),
      )
      assert.match(textOf(result), /az role assignment create --assignee .* --role "Cost Management Reader"/)
      assert.deepEqual([line.decision, line.outcome, line.oid], ['deny:rbac', 'refused', oid])
    }
  })

  it('take nothing but a subscription and a period of twelve months at most', async () => {
    const token = await tokenWith('Alice', 'cost.read')
    const good = { subscription: SANDBOX, ...OCTOBER }
    for (const [change, words] of [
      [{ subscription: 'production' }, /must be the id of a subscription, a GUID/],
      [{ subscription: `${SANDBOX}/resourceGroups/x` }, /a GUID/],
      [{ subscription: `../${SANDBOX}` }, /a GUID/],
      [{ from: '2026-02-30' }, /calendar day/],
      [{ from: '2026-11-01' }, /from must not be after to/],
      [{ from: '2025-10-31' }, /at most 12 months: from 2025-11-01/],
      [{ to: '2999-01-01' }, /to must not be after today.*\n.*at to$/],
      [{ top: 0 }, /at least 1/],
      [{ top: 51 }, /at most 50/],
      [{ user: 'somebody' }, /user/],
    ] as const) {
      const { result } = await ask(token, 'cost_by_service', { ...good, ...change })
      assert.equal(result.isError, true)
      assert.match(textOf(result), words)
    }
    assert.equal(system.tenant.counters.arm, 0)
  })

  it('say which subscriptions there is nothing to tell of', async () => {
    const token = await tokenWith('Alice', 'cost.read')
    const { subscriptions } = system.tenant.arm
    const elsewhere = { id: crypto.randomUUID(), displayName: 'Elsewhere', tenantId: crypto.randomUUID() }
    subscriptions.push({ ...elsewhere, state: 'enabled', costs: () => [] })
    const sandbox = subscriptions.find(({ id }) => id === SANDBOX)
    assert.ok(sandbox)
    sandbox.state = 'no_offer'
    for (const [subscription, words, reason] of [
      [crypto.randomUUID(), /knows no subscription of that id/, 'subscription_unknown'],
      [elsewhere.id, /directory of another organisation/, 'other_tenant'],
      [SANDBOX, /has no costs to tell of that subscription/, 'not_supported'],
    ] as const) {
      const { result, line } = await ask(token, 'cost_by_service', { subscription, ...OCTOBER })
      assert.match(textOf(result), words)
      assert.deepEqual([line.decision, line.reason, line.outcome], ['accept', reason, 'refused'])
    }
    sandbox.state = 'no_usage'
    const { result } = await ask(token, 'cost_by_service', { subscription: SANDBOX, ...OCTOBER })
    assert.deepEqual(result.structuredContent?.totals, [])
    sandbox.state = 'enabled'
    subscriptions.pop()
  })

  it('are on a list whatever scopes the caller has, and called only with the own one', async () => {
    const own = ['add_user_expense', 'get_user_expenses', 'cost_by_service', 'cost_export']
    for (const scope of ['user_impersonation', 'cost.read']) {
      const token = await tokenWith('Bob', scope)
      assert.deepEqual(await toolNames(system.mcp, token), own)
    }
    const token = await tokenWith('Bob', 'cost.read')
    const { headers } = await post(system.mcp, {})
    assert.match(headers.get('www-authenticate') ?? '', /scope="[^"]+\/user_impersonation [^"]+\/cost\.read"/)
    for (const name of ['cost_export', 'get_user_expenses']) {
      const response = await post(system.mcp, call(name, {}), { token })
      assert.equal(response.status, 403)
      const challenge = response.headers.get('www-authenticate') ?? ''
      assert.match(challenge, /error="insufficient_scope"/)
      const asked = /scope="([^"]+)"/.exec(challenge)?.[1]?.split(' ')
      const full = ['user_impersonation', 'cost.read', ...(name === 'cost_export' ? ['cost.export'] : [])]
      assert.deepEqual(
        asked,
        full.map((scope) => `${system.mcp}/${scope}`),
      )
      assert.deepEqual((await system.auditLine(response)).decision, 'deny:scope')
    }
    assert.equal(system.tenant.counters.arm, 0)
  })

  it('keep the Admin scope out of the metadata, or nobody could sign in before there is a consent', async () => {
    const answer = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', system.mcp))
    const { scopes_supported } = z
      .object({ scopes_supported: z.array(z.string()) })
      .parse(await answer.json())
    assert.deepEqual(
      scopes_supported,
      ['user_impersonation', 'cost.read'].map((scope) => `${system.mcp}/${scope}`),
    )
  })

  for (const [kind, connect] of Object.entries(peers)) {
    it(`let ${kind} step up to the export once an administrator has consented`, async () => {
      const bob = await connect(system, 'Bob')
      try {
        assert.equal(
          (await bob.call('cost_by_service', { subscription: SANDBOX, ...OCTOBER })).isError,
          false,
        )
        await consented(async () => {
          await assert.rejects(bob.call('cost_export', { subscription: SANDBOX, ...OCTOBER }), /Unauthorized/)
          const asked = bob.signIn.authorizeUrl?.searchParams.get('scope')?.split(' ') ?? []
          assert.ok(asked.includes(`${system.mcp}/cost.export`))
          await bob.finishAuth()
        })
        const { isError, text } = await bob.call('cost_export', { subscription: SANDBOX, ...OCTOBER })
        assert.equal(isError, false)
        assert.match(text, /date,service,amount,currency/)
      } finally {
        await bob.close()
      }
    })

    it(`tell ${kind} that an administrator must consent first, as Entra does (90094)`, async () => {
      const bob = await connect(system, 'Bob')
      try {
        await assert.rejects(bob.call('cost_export', { subscription: SANDBOX, ...OCTOBER }), /AADSTS90094/)
        // What was there before still works.
        assert.equal(
          (await bob.call('cost_by_service', { subscription: SANDBOX, ...OCTOBER })).isError,
          false,
        )
      } finally {
        await bob.close()
      }
    })
  }

  it('give no token for the export to who asks without a page, as Entra does (65001)', async () => {
    const { tenant, seed, mcp } = system
    const { refresh_token = '' } = await tenant.signIn({
      ...{ user: upnOf(seed, 'Bob'), clientId: seed.clientId, resource: mcp },
      scope: `${mcp}/cost.read offline_access`,
    })
    const form = { grant_type: 'refresh_token', client_id: seed.clientId, refresh_token }
    const body = new URLSearchParams({ ...form, scope: `${mcp}/cost.export` })
    const refused = await fetch(`${tenant.url}/${seed.tenantId}/oauth2/v2.0/token`, { method: 'POST', body })
    assert.match(await refused.text(), /AADSTS65001/)
  })

  it('export every day and service as a file, with the same facts in words and as data', async () => {
    const token = await exporter('Alice')
    const { result } = await ask(token, 'cost_export', {
      subscription: PRODUCTION,
      from: '2026-09-30',
      to: '2026-10-02',
    })
    const csv = csvOf(result)
    const lines = csv.split('\r\n')
    assert.equal(lines[0], 'date,service,amount,currency')
    assert.equal(lines.length, 1 + 3 * 7 + 1)
    assert.ok(lines.includes('2026-10-01,Azure Reservations,-0.505,EUR'))
    assert.ok(lines.includes('2026-10-02,SaaS,3.366,USD'))
    const { rows, bytes, missing } = result.structuredContent ?? {}
    assert.deepEqual([rows, bytes, missing], [21, Buffer.byteLength(csv), undefined])
    assert.match(textOf(result), /21 records in \d+ bytes\. Nothing is missing/)
  })

  it('cut an export that would be too large at a whole day, and name the rest', async () => {
    const sandbox = system.tenant.arm.subscriptions.find(({ id }) => id === SANDBOX)
    assert.ok(sandbox)
    const usual = sandbox.costs
    sandbox.costs = (day) =>
      Array.from({ length: 60 }, (_, index) => ({ service: `=${day} ${index}`, amount: 1, currency: 'EUR' }))
    const token = await exporter('Bob')
    const period = { from: '2025-11-01', to: '2026-10-31' }
    const { result } = await ask(token, 'cost_export', { subscription: SANDBOX, ...period })
    sandbox.costs = usual
    const csv = csvOf(result)
    assert.ok(Buffer.byteLength(csv) <= 256 * 1024)
    const { missing } = z
      .object({ missing: z.object({ from: z.iso.date(), to: z.iso.date(), reason: z.string() }) })
      .parse(result.structuredContent)
    assert.deepEqual([missing.to, missing.reason], [period.to, 'size'])
    assert.doesNotMatch(csv, new RegExp(`^${missing.from}`, 'm'))
    assert.equal(csv.split('\r\n').length % 60, 2)
    assert.match(
      textOf(result),
      new RegExp(`Missing: ${missing.from} to ${period.to}, because the file would be too large`),
    )
    assert.doesNotMatch(csv, /,=/)
  })

  it('keep what was answered when Azure throttles, say when to come back, and let nobody hammer', async () => {
    const { quota } = system.tenant
    quota.settings.units = 6
    const token = await exporter('Bob')
    const period = { from: '2026-01-01', to: '2026-10-31' }
    const { result } = await ask(token, 'cost_export', { subscription: SANDBOX, ...period })
    const { missing } = z
      .object({ missing: z.object({ retry_after_seconds: z.int() }).loose() })
      .parse(result.structuredContent)
    const { retry_after_seconds, ...others } = missing
    assert.ok(retry_after_seconds > 0 && retry_after_seconds <= 10)
    assert.deepEqual(others, { from: '2026-07-01', to: '2026-10-31', reason: 'not_answered' })
    assert.match(csvOf(result), /2026-06-30/)
    const asked = system.tenant.counters.arm
    assert.equal(asked, 7)
    for (const name of ['Alice', 'Bob'] as const) {
      const reader = await tokenWith(name, 'cost.read')
      const refused = await ask(reader, 'cost_by_service', { subscription: SANDBOX, ...OCTOBER })
      assert.match(
        textOf(refused.result),
        /asked too often.*whole organisation.*Try again in \d+ seconds, not earlier/,
      )
      const { decision, reason, outcome } = refused.line
      assert.deepEqual([decision, reason, outcome], ['accept', 'downstream_throttled', 'failed'])
    }
    assert.equal(system.tenant.counters.arm, asked)
    assert.equal(quota.settings.hammered, 0)
  })

  it('answer Alice while Azure Resource Manager throttles Mallory', async () => {
    // Carol is Mallory. ARM counts each principal for itself; the header of no limit of Cost Management is there.
    const [mallory, alice] = await Promise.all([
      tokenWith('Carol', 'cost.read'),
      tokenWith('Alice', 'cost.read'),
    ])
    const body = { error: { code: 'TooManyRequests', message: 'The request is being throttled.' } }
    const headers = { 'retry-after': '3600' }
    system.tenant.faults.on('arm', { answer: 429, body, headers, times: 1 })
    const question = { subscription: SANDBOX, ...OCTOBER }
    for (const _ of ['refused by Azure', 'spared']) {
      const { result, line } = await ask(mallory, 'cost_by_service', question)
      assert.match(textOf(result), /asked too often.*Try again in 3[56]\d\d seconds, not earlier/)
      assert.equal(line.reason, 'downstream_throttled')
    }
    assert.equal(system.tenant.counters.arm, 1)
    const { result } = await ask(alice, 'cost_by_service', question)
    assert.equal(result.structuredContent?.subscription, SANDBOX)
  })

  it('answer Alice while Mallory has as many questions in flight as one may', async () => {
    const [mallory, alice] = await Promise.all([
      tokenWith('Carol', 'cost.read'),
      tokenWith('Alice', 'cost.read'),
    ])
    const slow = system.tenant.faults.on('arm', {
      hang: true,
      only: ({ originalUrl }) => originalUrl.includes(PRODUCTION),
    })
    const question = call('cost_by_service', { subscription: PRODUCTION, ...OCTOBER })
    const many = Array.from({ length: 32 }, async () => {
      const response = await post(system.mcp, question, { token: mallory })
      return response.text()
    })
    await slow.reached(4)
    const { result } = await ask(alice, 'cost_by_service', { subscription: SANDBOX, ...OCTOBER })
    assert.equal(result.structuredContent?.subscription, SANDBOX)
    slow.clear()
    const answers = await Promise.all(many)
    assert.equal(answers.filter((text) => /asked too often.*Try again in 5 seconds/.test(text)).length, 28)
    assert.equal(answers.filter((text) => text.includes('Cost Management Reader')).length, 4)
  })

  const failures = [
    ['an outage', { status: 503 }, /not available\. Try again in \d+ seconds/, 'downstream_unavailable'],
    ['a broken connection', { close: true }, /not available\. Try again/, 'downstream_unavailable'],
    [
      'an answer that is none',
      { answer: 200, body: { ok: true } },
      /cannot be read/,
      'downstream_unreadable',
    ],
    [
      'a refusal of the token',
      { answer: 401, body: { error: { code: 'ExpiredAuthenticationToken' } } },
      /The operator finds the cause/,
      'tool',
    ],
  ] as const
  for (const [what, fault, words, reason] of failures)
    it(`say in words that there was ${what}, and ask once`, async () => {
      system.tenant.faults.on('arm', fault)
      const token = await tokenWith('Bob', 'cost.read')
      const { result, line } = await ask(token, 'cost_by_service', { subscription: SANDBOX, ...OCTOBER })
      assert.equal(result.isError, true)
      assert.match(textOf(result), words)
      assert.deepEqual([line.decision, line.reason, line.outcome], ['accept', reason, 'failed'])
      assert.equal(system.tenant.counters.arm, 1)
    })

  it('name the permission when nobody has consented to Azure Service Management', async () => {
    const grants = system.seed.directory.oauth2PermissionGrants
    const arm = system.seed.directory.servicePrincipal('797f4846-ba00-4fd7-ba43-dac1f8f63013')
    const [grant] = grants.splice(
      grants.findIndex(({ resourceId }) => resourceId === arm?.id),
      1,
    )
    assert.ok(grant)
    const token = await tokenWith('Bob', 'cost.read')
    const { result, line } = await ask(token, 'cost_by_service', { subscription: SANDBOX, ...OCTOBER })
    assert.match(textOf(result), /user_impersonation of Azure Service Management.*npm run consent/)
    assert.deepEqual([line.decision, line.reason], ['deny:rbac', 'consent_missing'])
    grants.push(grant)
  })

  it('stop asking when the caller has gone', async () => {
    const token = await exporter('Bob')
    const slow = system.tenant.faults.on('arm', { hang: true, at: 2 })
    const leave = new AbortController()
    const answer = fetch(system.mcp, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(
        call('cost_export', { subscription: SANDBOX, from: '2026-01-01', to: '2026-10-31' }),
      ),
      signal: leave.signal,
    })
    await slow.reached(1)
    leave.abort()
    await assert.rejects(answer)
    const line = await system.lineWith('"outcome":"caller_gone"', 'cost_export')
    assert.equal(line.status, 200)
    slow.release()
    // Another call has its answer, and the one that was left asks nothing more.
    await ask(token, 'cost_export', { subscription: SANDBOX, ...OCTOBER })
    assert.equal(system.tenant.counters.arm, 3)
  })

  it('have nothing of Azure by themselves: the identity of the server may read no costs', async () => {
    const { tenant, seed } = system
    const query = new URLSearchParams({
      ...{ 'api-version': '2019-08-01', resource: 'https://management.azure.com' },
      client_id: seed.managedIdentity.clientId,
    })
    const identity = await fetch(`${tenant.identityEndpoint}?${query}`, {
      headers: { 'x-identity-header': tenant.identityHeader },
    })
    const { access_token } = z.object({ access_token: z.string() }).parse(await identity.json())
    const asked = await fetch(
      `${tenant.arm.url}/subscriptions/${SANDBOX}/providers/Microsoft.CostManagement/query?api-version=2024-08-01`,
      { method: 'POST', headers: { authorization: `Bearer ${access_token}` } },
    )
    assert.equal(asked.status, 403)
    assert.match(await asked.text(), /AuthorizationFailed/)
  })

  const months = { subscription: SANDBOX, from: '2026-08-01', to: '2026-10-31' }
  const heard = [
    { progress: 0, total: 3 },
    { progress: 1, total: 3 },
    { progress: 2, total: 3 },
    { progress: 3, total: 3 },
  ]
  type Progress = { progress: number; total?: number | undefined }
  const withBearer = (token: string) => ({
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })

  it('report progress to the v1 client that asks for it (2025-11-25)', async () => {
    const token = await exporter('Bob')
    const client = new Client({ name: 'v1', version: '1' })
    const transport = new StreamableHTTPClientTransport(new URL(system.mcp), withBearer(token))
    await client.connect(transport as Parameters<Client['connect']>[0])
    const reports: Progress[] = []
    const onprogress = ({ progress, total }: Progress) => void reports.push({ progress, total })
    const result = await client.callTool({ name: 'cost_export', arguments: months }, undefined, {
      onprogress,
    })
    assert.deepEqual(reports, heard)
    assert.match(csvOf(Result.parse(result)), /2026-10-31,Storage/)
    await client.close()
  })

  for (const mode of ['legacy', { pin: '2026-07-28' }] as const)
    it(`report progress to the v2 client that asks for it (${typeof mode === 'string' ? '2025-11-25' : mode.pin})`, async () => {
      const token = await exporter('Bob')
      const client = new v2.Client({ name: 'v2', version: '2' }, { versionNegotiation: { mode } })
      await client.connect(new v2.StreamableHTTPClientTransport(new URL(system.mcp), withBearer(token)))
      const reports: Progress[] = []
      const onprogress = ({ progress, total }: Progress) => void reports.push({ progress, total })
      const result = await client.callTool({ name: 'cost_export', arguments: months }, { onprogress })
      assert.deepEqual(reports, heard)
      assert.match(csvOf(Result.parse(result)), /2026-10-31,Storage/)
      await client.close()
    })

  it('are shown by npm run client with their file, as tables and as JSON', async () => {
    const token = await exporter('Bob')
    const client = new v2.Client({ name: 'v2', version: '2' }, { versionNegotiation: { mode: 'auto' } })
    await client.connect(new v2.StreamableHTTPClientTransport(new URL(system.mcp), withBearer(token)))
    const shown = await toolAnswer(client, 'cost_export', months, 'tables')
    assert.match(
      shown,
      /^subscription: [\w-]+\n[\s\S]*rows: 184\n[\s\S]*\n\ndate,service,amount,currency\n2026-08-01,/,
    )
    const json = await toolAnswer(client, 'cost_export', months, 'json')
    const { rows, files } = z
      .object({ rows: z.int(), files: z.array(z.object({ mimeType: z.string(), text: z.string() })) })
      .parse(JSON.parse(json))
    assert.equal(files[0]?.text.split('\r\n').length, rows + 2)
    await client.close()
  })

  it('answer in plain JSON who does not ask for progress, or reads no stream', async () => {
    const token = await exporter('Bob')
    for (const [meta, accept] of [
      [undefined, 'application/json, text/event-stream'],
      [{ progressToken: 1 }, 'application/json'],
      [{ progressToken: 1 }, 'application/json, text/event-stream;q=0'],
    ] as const) {
      const headers = { accept }
      const response = await post(system.mcp, call('cost_export', months, meta), { token, headers })
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
      assert.match(await response.text(), /2026-10-31,Storage/)
    }
  })

  it('stream events of one line each, every one with the caller’s token for them, and a request id', async () => {
    const token = await exporter('Bob')
    const body = call('cost_export', months, { progressToken: 'mine\n' })
    const response = await post(system.mcp, body, { token })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    assert.match(response.headers.get('cache-control') ?? '', /no-store/)
    const events = (await response.text()).split('\n\n').filter((event) => event !== '')
    assert.equal(events.length, 5)
    for (const [index, event] of events.entries()) {
      const [name, data = '', ...others] = event.split('\n')
      assert.deepEqual([name, others], ['event: message', []])
      const message = z.looseObject({ params: z.looseObject({}).optional(), id: z.int().optional() })
      const { params, id } = message.parse(JSON.parse(data.replace(/^data: /, '')))
      assert.deepEqual([params?.progressToken, id], index < 4 ? ['mine\n', undefined] : [undefined, 1])
    }
    assert.equal((await system.auditLine(response)).outcome, 'done')
  })
})
