import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { z } from 'zod'
import { type Azure, startAzure } from './azure.ts'

const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
const Result = z.object({
  properties: z.object({
    nextLink: z.string().nullable(),
    columns: z.array(z.object({ name: z.string(), type: z.string() })),
    rows: z.array(z.array(z.union([z.string(), z.number()]))),
  }),
})

const NOW = Date.parse('2026-11-27T12:00:00Z')
const question = (from = '2026-10-01', to = '2026-10-31', granularity = 'Daily') => ({
  type: 'ActualCost',
  timeframe: 'Custom',
  timePeriod: { from: `${from}T00:00:00Z`, to: `${to}T23:59:59Z` },
  dataset: {
    granularity,
    aggregation: { Cost: { name: 'Cost', function: 'Sum' } },
    grouping: [{ type: 'Dimension', name: 'ServiceName' }],
  },
})

describe('the emulator of Azure Resource Manager', () => {
  let azure: Azure
  let clock = NOW
  before(async () => {
    azure = await startAzure(() => clock)
  })
  afterEach(() => {
    azure.arm.settings.pageSize = 5_000
    azure.tenant.quota.settings.units = undefined
    azure.tenant.quota.settings.hammered = 0
    clock += 60_000
  })
  after(() => azure.tenant.close())

  const pathOf = (id: string) => `/subscriptions/${id}/providers/Microsoft.CostManagement/query`
  const ask = async (
    name: string,
    {
      body = question(),
      id = azure.sandbox.id,
      url = `${azure.arm.url}${pathOf(id)}?api-version=2024-08-01`,
      authorization,
    }: { body?: unknown; id?: string; url?: string; authorization?: string } = {},
  ) =>
    fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: authorization ?? `Bearer ${await azure.tokenOf(name)}`,
      },
      body: JSON.stringify(body),
    })
  const refused = async (response: Response) => {
    const { error } = Refusal.parse(await response.json())
    return [response.status, error.code]
  }

  it('answers who may read the costs: by a role of their own or of a group, nested ones too', async () => {
    for (const [name, id] of [
      ['Alice', azure.production.id],
      ['Alice', azure.sandbox.id.toUpperCase()],
      ['Bob', azure.sandbox.id],
    ] as const)
      assert.equal((await ask(name, { id })).status, 200, `${name} ${id}`)
  })

  it('refuses who has no role with 403, and who has another one with 401 RBACAccessDenied', async () => {
    assert.deepEqual(await refused(await ask('Carol')), [403, 'AuthorizationFailed'])
    const denied = await ask('Bob', { id: azure.production.id })
    assert.deepEqual(await refused(denied), [401, 'RBACAccessDenied'])
  })

  it('takes no token but one of this tenant for itself, with user_impersonation, of a user who is there', async () => {
    const bearer = async (changes: Record<string, unknown>) => `Bearer ${await azure.tokenOf('Bob', changes)}`
    for (const [authorization, code] of [
      ['Basic abc', 'AuthenticationFailedInvalidHeader'],
      ['Bearer not.a.token', 'InvalidAuthenticationToken'],
      [await bearer({ aud: 'https://graph.microsoft.com' }), 'InvalidAuthenticationTokenAudience'],
      [
        await bearer({ aud: 'https://management.azure.com.evil.example' }),
        'InvalidAuthenticationTokenAudience',
      ],
      [await bearer({ iss: 'https://sts.windows.net/other/' }), 'InvalidAuthenticationTokenTenant'],
      [await bearer({ exp: NOW / 1000 - 3600 }), 'ExpiredAuthenticationToken'],
      [await bearer({ nbf: NOW / 1000 + 3600 }), 'InvalidAuthenticationToken'],
      [await bearer({ oid: 'bob' }), 'InvalidAuthenticationToken'],
      [await bearer({ scp: 'User.Read' }), 'InvalidAuthenticationToken'],
      [await bearer({ scp: undefined }), 'InvalidAuthenticationToken'],
      [await bearer({ oid: crypto.randomUUID() }), 'InvalidAuthenticationToken'],
    ] as const)
      assert.deepEqual(await refused(await ask('Bob', { authorization })), [401, code])
    const none = await fetch(`${azure.arm.url}${pathOf(azure.sandbox.id)}`, { method: 'POST' })
    assert.match(none.headers.get('www-authenticate') ?? '', /^Bearer authorization_uri=/)
    assert.deepEqual(await refused(none), [401, 'AuthenticationFailed'])
  })

  it('lets an app in as itself, with the roles that it holds', async () => {
    const { principalId } = { principalId: crypto.randomUUID() }
    const authorization = `Bearer ${await azure.tokenOf('Bob', { oid: principalId, idtyp: 'app', scp: undefined })}`
    assert.deepEqual(await refused(await ask('Bob', { authorization })), [403, 'AuthorizationFailed'])
  })

  it('knows which subscriptions there are, and in which tenant', async () => {
    const elsewhere = { ...azure.sandbox, id: crypto.randomUUID(), tenantId: crypto.randomUUID() }
    azure.arm.subscriptions.push(elsewhere)
    for (const [id, status, code] of [
      ['not-a-guid', 400, 'InvalidSubscriptionId'],
      [crypto.randomUUID(), 404, 'SubscriptionNotFound'],
      [elsewhere.id, 401, 'InvalidAuthenticationTokenTenant'],
    ] as const)
      assert.deepEqual(await refused(await ask('Alice', { id })), [status, code])
  })

  it('takes one version of the API, and no address that it does not know', async () => {
    const path = `${azure.arm.url}${pathOf(azure.sandbox.id)}`
    for (const [url, status, code] of [
      [path, 400, 'MissingApiVersionParameter'],
      [`${path}?api-version=2019-01-01`, 404, 'InvalidResourceType'],
      [`${path}?api-version=2024-08-01&$top=5`, 400, 'BadRequest'],
      [`${path}?api-version=2024-08-01&$skiptoken=made-up`, 400, 'BadRequest'],
      [`${azure.arm.url}/subscriptions?api-version=2024-08-01`, 404, 'InvalidResourceType'],
    ] as const)
      assert.deepEqual(await refused(await ask('Alice', { url })), [status, code], url)
  })

  const { dataset } = question()
  for (const [what, body] of [
    ['no question', {}],
    ['a part that is not described', { ...question(), sorting: [] }],
    ['another time frame', { ...question(), timeframe: 'MonthToDate' }],
    ['no period', { ...question(), timePeriod: undefined }],
    ['another aggregation', { ...question(), dataset: { ...dataset, aggregation: {} } }],
    [
      'another dimension',
      { ...question(), dataset: { ...dataset, grouping: [{ type: 'Dimension', name: 'Tier' }] } },
    ],
    ['the ends the wrong way round', question('2026-10-31', '2026-10-01')],
    ['a period in the future', question('2026-11-01', '2026-11-28')],
    ['more than 31 days', question('2026-10-01', '2026-11-01')],
    ['more than 12 months', question('2025-11-27', '2026-11-27', 'None')],
  ] as const)
    it(`refuses ${what} instead of guessing what was meant`, async () =>
      assert.deepEqual(await refused(await ask('Alice', { body })), [400, 'BadRequest']))

  it('refuses a body that it cannot read, or not in full', async () => {
    const body = 'x'.repeat(1024 * 1024)
    assert.deepEqual(await refused(await ask('Alice', { body })), [400, 'BadRequest'])
  })

  it('answers in pages, each asked for by the same question of the same caller', async () => {
    azure.arm.settings.pageSize = 20
    const rows = []
    let url: string | undefined
    for (let next: string | null | undefined = ''; next !== null; ) {
      const answer = Result.parse(await (await ask('Bob', url ? { url } : {})).json())
      rows.push(...answer.properties.rows)
      next = answer.properties.nextLink
      if (next === null) break
      assert.equal(new URL(next).origin, new URL(azure.arm.url).origin)
      for (const other of [
        await ask('Alice', { url: next }),
        await ask('Bob', { url: next, body: question('2026-10-02') }),
      ])
        assert.deepEqual(await refused(other), [400, 'BadRequest'])
      url = next
    }
    assert.equal(rows.length, 62)
    assert.equal(new Set(rows.map((row) => JSON.stringify(row))).size, 62)
  })

  it('answers 204 for a subscription without usage, and 404 for an offer without costs', async () => {
    azure.sandbox.state = 'no_usage'
    assert.equal((await ask('Alice')).status, 204)
    azure.sandbox.state = 'no_offer'
    assert.deepEqual(await refused(await ask('Alice')), [404, 'NotFound'])
    azure.sandbox.state = 'enabled'
  })

  it('has units for so many months in ten seconds, says how long to wait and counts who does not', async () => {
    azure.tenant.quota.settings.units = 12
    const year = { body: question('2025-11-28', '2026-11-27', 'None') }
    assert.equal((await ask('Alice', year)).status, 200)
    clock += 4_000
    const busy = await ask('Bob')
    assert.equal(busy.headers.get('x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after'), '6')
    assert.deepEqual(await refused(busy), [429, '429'])
    assert.equal(azure.tenant.quota.settings.hammered, 0)
    clock += 5_999
    assert.equal((await ask('Bob')).status, 429)
    assert.equal(azure.tenant.quota.settings.hammered, 1)
    clock += 1
    assert.equal((await ask('Bob')).status, 200)
  })
})
