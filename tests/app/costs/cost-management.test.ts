import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, it } from 'node:test'
import { Ajv } from 'ajv'
import type { UserId } from '../../../app/auth/verifier.ts'
import { questionFor, readPage } from '../../../app/costs/answer.ts'
import {
  CostsBroken,
  CostsForbidden,
  CostsNotAnswered,
  CostsUnavailable,
} from '../../../app/costs/cost-failure.ts'
import { CostManagement } from '../../../app/costs/cost-management.ts'
import { type Azure, startAzure } from '../../scripts/emulators/azure.ts'
import { STALLS, startStalling } from '../stalling.ts'

const october = { from: '2026-10-01', to: '2026-10-31' }
const shape: unknown = JSON.parse(readFileSync(new URL('query-2024-08-01.json', import.meta.url), 'utf8'))
const ajv = new Ajv({ formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ } })
ajv.addSchema(Object(shape), 'api')
/** Whether a document is what the public API description says. */
const isDescribed = (name: string, document: unknown) => {
  const valid = ajv.validate({ $ref: `api#/definitions/${name}` }, document)
  assert.ok(valid, ajv.errorsText())
}

/** An answer of the described shape with every column in a given order. */
const answer = (
  order: readonly number[],
  rows: readonly (readonly unknown[])[],
  nextLink: string | null = null,
) => {
  const columns = [
    { name: 'Cost', type: 'Number' },
    { name: 'UsageDate', type: 'Number' },
    { name: 'ServiceName', type: 'String' },
    { name: 'Currency', type: 'String' },
  ]
  const turned = <T>(cells: readonly T[]) => order.map((place) => cells[place])
  return {
    ...{ id: 'subscriptions/0', name: '0', type: 'Microsoft.CostManagement/query' },
    ...{ location: null, sku: null, eTag: null },
    properties: { nextLink, columns: turned(columns), rows: rows.map(turned) },
  }
}

describe('the question', () => {
  for (const daily of [true, false])
    it(`is one of the public API description 2024-08-01, ${daily ? 'by day' : 'as a whole'}`, () =>
      isDescribed('QueryDefinition', questionFor(october, daily)))
})

describe('an answer', () => {
  const rows = [
    [218.68795741935486, 20261001, 'Storage', 'EUR'],
    [-3, 20261031, '', 'USD'],
  ]
  const costs = [
    { amount: 218.68795741935486, currency: 'EUR', service: 'Storage', day: '2026-10-01' },
    { amount: -3, currency: 'USD', service: '', day: '2026-10-31' },
  ]
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
  ])
    it(`is read by the names of its columns, in the order ${order}`, () => {
      const body = answer(order, rows)
      isDescribed('QueryResult', body)
      assert.deepEqual(readPage(body, october, true), { costs, nextLink: undefined })
    })

  it('may have columns that nobody asked for, and no row', () => {
    const body = answer([0, 1, 2, 3], [[1, 20261001, 'Storage', 'EUR']])
    body.properties.columns.push({ name: 'CostStatus', type: 'String' })
    body.properties.rows[0]?.push('Actual')
    assert.equal(readPage(body, october, true).costs.length, 1)
    assert.deepEqual(readPage(answer([0, 1, 2, 3], []), october, true).costs, [])
  })

  for (const [what, body, code] of [
    ['is no answer', { error: {} }, 'no_query_result'],
    ['is a text', 'costs', 'no_query_result'],
    ['has no column for the currency', answer([0, 1, 2], rows), 'bad_Currency'],
    ['has two columns of one name', answer([0, 1, 2, 3, 0], rows), 'ambiguous_columns'],
    ['has a row that is too short', answer([0, 1, 2, 3], [[1, 20261001, 'Storage']]), 'bad_Currency'],
    [
      'has an amount that is no number',
      answer([0, 1, 2, 3], [['1', 20261001, 'Storage', 'EUR']]),
      'bad_Cost',
    ],
    ['has a day that is none', answer([0, 1, 2, 3], [[1, 20261332, 'Storage', 'EUR']]), 'bad_UsageDate'],
    ['has a currency that is none', answer([0, 1, 2, 3], [[1, 20261001, 'Storage', '=EUR']]), 'bad_Currency'],
    ['is about another day, before', answer([0, 1, 2, 3], [[1, 20251001, 'Storage', 'EUR']]), 'other_period'],
    ['is about another day, after', answer([0, 1, 2, 3], [[1, 20261101, 'Storage', 'EUR']]), 'other_period'],
  ] as const)
    it(`is refused when it ${what}`, () => {
      assert.throws(
        () => readPage(body, october, true),
        (error) => error instanceof CostsBroken && error.code === code,
      )
    })
})

describe('Cost Management, asked with the caller’s token,', () => {
  let azure: Azure
  before(async () => {
    azure = await startAzure()
  })
  afterEach(() => {
    azure.tenant.faults.clear()
    azure.tenant.faults.resetCounters()
    azure.arm.settings.pageSize = 5_000
    azure.sandbox.state = 'enabled'
  })
  after(() => azure.tenant.close())

  const ask = async (
    name: string,
    {
      service = new CostManagement(azure.arm.url),
      id = azure.sandbox.id,
      daily = true,
      token = '',
      user = name,
    } = {},
  ) =>
    service.costs(
      { subscription: id, period: october, daily },
      { user: user as UserId, token: token || (await azure.tokenOf(name)) },
    )
  const total = (costs: readonly { amount: number }[]) =>
    Math.round(costs.reduce((sum, { amount }) => sum + amount, 0) * 1e6) / 1e6

  for (const pageSize of [5_000, 13])
    it(`gives the rows of all pages of ${pageSize}`, async () => {
      azure.arm.settings.pageSize = pageSize
      const costs = await ask('Bob')
      assert.equal(costs.length, 62)
      assert.equal(azure.tenant.counters.arm, Math.ceil(62 / pageSize))
      assert.equal(new Set(costs.map((cost) => `${cost.day}${cost.service}`)).size, 62)
      // 0.92 a day, and a hundredth of it more for each day of the month.
      assert.equal(total(costs), total([{ amount: 0.92 * 31 + 0.0092 * 496 }]))
    })

  it('keeps currencies apart and answers for a whole period at once', async () => {
    const costs = await ask('Alice', { id: azure.production.id, daily: false })
    assert.deepEqual([...new Set(costs.map(({ currency }) => currency))].toSorted(), ['EUR', 'USD'])
    assert.equal(costs.length, 7)
    assert.equal(costs[0]?.day, undefined)
  })

  it('answers in the shape of the public API description', async () => {
    const response = await fetch(
      `${azure.arm.url}/subscriptions/${azure.sandbox.id}/providers/Microsoft.CostManagement/query?api-version=2024-08-01`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${await azure.tokenOf('Bob')}`,
        },
        body: JSON.stringify(questionFor(october, true)),
      },
    )
    isDescribed('QueryResult', await response.json())
  })

  it('has nothing to tell of a subscription without usage', async () => {
    azure.sandbox.state = 'no_usage'
    assert.deepEqual(await ask('Bob'), [])
  })

  it('refuses who may not read the costs, in both ways that Azure says it', async () => {
    for (const [name, id] of [
      ['Carol', azure.sandbox.id],
      ['Bob', azure.production.id],
    ] as const)
      await assert.rejects(
        ask(name, { id }),
        (error) => error instanceof CostsForbidden && error.subscription === id,
      )
  })

  it('says of a subscription that there is none, that it is of another tenant, or has no costs to tell', async () => {
    const elsewhere = { ...azure.sandbox, id: crypto.randomUUID(), tenantId: crypto.randomUUID() }
    azure.arm.subscriptions.push(elsewhere)
    azure.sandbox.state = 'no_offer'
    for (const [id, reason] of [
      [crypto.randomUUID(), 'subscription_unknown'],
      [elsewhere.id, 'other_tenant'],
      [azure.sandbox.id, 'not_supported'],
    ] as const)
      await assert.rejects(
        ask('Alice', { id }),
        (error) => error instanceof CostsNotAnswered && error.reason === reason,
      )
  })

  it('asks nobody else for a page: the token stays with the question', async () => {
    const page = (nextLink: string) => ({ answer: 200, body: answer([0, 1, 2, 3], [], nextLink) })
    const own = new URL(
      `${azure.arm.url}/subscriptions/${azure.sandbox.id}/providers/Microsoft.CostManagement/query`,
    )
    const at = (change: Partial<URL>) => Object.assign(new URL(own), change).href
    for (const link of [
      'https://evil.example/subscriptions',
      at({ hostname: 'evil.localhost' }),
      at({ protocol: 'https:' }),
      at({ port: '1' }),
      at({ username: 'user' }),
      own.href.replace(azure.sandbox.id, azure.production.id),
      own.href.replace('CostManagement/query', 'Resources/../../../../resourceGroups'),
      own.href.replace(/\/query$/, '/exports'),
      'not a link',
      '/subscriptions',
    ]) {
      azure.tenant.faults.clear()
      azure.tenant.faults.resetCounters()
      azure.tenant.faults.on('arm', page(link))
      await assert.rejects(
        ask('Bob'),
        (error) => error instanceof CostsBroken && error.code === 'foreign_page',
        link,
      )
      assert.equal(azure.tenant.counters.arm, 1)
    }
  })

  it('does not turn pages for ever', async () => {
    const own = `${azure.arm.url}/subscriptions/${azure.sandbox.id}/providers/Microsoft.CostManagement/query?again`
    azure.tenant.faults.on('arm', { answer: 200, body: answer([0, 1, 2, 3], [], own) })
    await assert.rejects(
      ask('Bob'),
      (error) => error instanceof CostsNotAnswered && error.reason === 'too_many_rows',
    )
    assert.equal(azure.tenant.counters.arm, 25)
  })

  it('does not collect rows for ever', async () => {
    const own = `${azure.arm.url}/subscriptions/${azure.sandbox.id}/providers/Microsoft.CostManagement/query?again`
    const rows = Array.from({ length: 12_000 }, () => [1, 20261001, 'Storage', 'EUR'])
    azure.tenant.faults.on('arm', { answer: 200, body: answer([0, 1, 2, 3], rows, own) })
    await assert.rejects(
      ask('Bob'),
      (error) => error instanceof CostsNotAnswered && error.reason === 'too_many_rows',
    )
    assert.equal(azure.tenant.counters.arm, 2)
  })

  for (const [what, status, said, code] of [
    ['an error that says nothing of itself', 418, {}, 'no_code'],
    [
      'a 401 that is no refusal of a role',
      401,
      { code: 'ExpiredAuthenticationToken' },
      'ExpiredAuthenticationToken',
    ],
    ['a wrong version of the API', 404, { code: 'InvalidResourceType' }, 'InvalidResourceType'],
    ['a code with more in it than a word', 418, { code: 'alice@contoso.example did' }, 'no_code'],
  ] as const)
    it(`has failed with ${what}`, async () => {
      azure.tenant.faults.on('arm', { answer: status, body: { error: said } })
      await assert.rejects(ask('Bob'), (error) => error instanceof CostsBroken && error.code === code)
    })

  /** A service that answers everything in one way, and counts. */
  async function elsewhere(status: number, headers: Record<string, string>, text: string) {
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.writeHead(status, headers).end(text)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, asked: () => asked, close: () => server.close() }
  }

  it('has failed with what is no JSON', async () => {
    const page = await elsewhere(200, { 'content-type': 'text/html' }, '<html>')
    await assert.rejects(
      ask('Bob', { service: new CostManagement(page.url) }),
      (error) => error instanceof CostsBroken && error.code === 'no_json',
    )
    page.close()
  })

  it('follows no redirect: the token would go with it', async () => {
    const thief = await elsewhere(200, {}, '{}')
    const redirect = await elsewhere(307, { location: `${thief.url}/` }, '')
    await assert.rejects(ask('Bob', { service: new CostManagement(redirect.url) }), CostsUnavailable)
    assert.equal(thief.asked(), 0)
    thief.close()
    redirect.close()
  })

  it('is asked by nobody in the tenant once it has refused anybody, until the longest time that it named', async () => {
    const service = new CostManagement(azure.arm.url)
    const headers = {
      'retry-after': '3',
      'x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after': '200',
      'x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after': '9',
    }
    const body = { error: { code: '429', message: 'Too many requests. Please retry.' } }
    azure.tenant.faults.on('arm', { answer: 429, body, headers, times: 1 })
    for (const name of ['Bob', 'Alice', 'Bob'])
      await assert.rejects(
        ask(name, { service }),
        (error) =>
          error instanceof CostsUnavailable &&
          error.retryAfterSeconds > 195 &&
          error.retryAfterSeconds <= 200,
      )
    assert.equal(azure.tenant.counters.arm, 1)
  })

  it('is asked by others when Azure Resource Manager, or a service behind it, has refused one user', async () => {
    for (const status of [429, 503]) {
      azure.tenant.faults.resetCounters()
      const service = new CostManagement(azure.arm.url)
      const body = { error: { code: 'TooManyRequests', message: 'Please retry.' } }
      azure.tenant.faults.on('arm', { answer: status, body, headers: { 'retry-after': '3600' }, times: 1 })
      for (const id of [azure.sandbox.id, azure.production.id])
        await assert.rejects(ask('Bob', { service, id }), (error) => error instanceof CostsUnavailable)
      assert.equal(azure.tenant.counters.arm, 1)
      assert.equal((await ask('Alice', { service })).length, 62)
    }
  })

  it('is asked about other subscriptions when one has been asked about too often', async () => {
    const service = new CostManagement(azure.arm.url)
    const headers = { 'x-ms-ratelimit-microsoft.costmanagement-entity-retry-after': '60' }
    const body = { error: { code: '429', message: 'Too many requests. Please retry.' } }
    azure.tenant.faults.on('arm', { answer: 429, body, headers, times: 1 })
    for (const name of ['Bob', 'Alice'])
      await assert.rejects(ask(name, { service }), (error) => error instanceof CostsUnavailable)
    assert.equal(azure.tenant.counters.arm, 1)
    assert.ok((await ask('Alice', { service, id: azure.production.id })).length > 0)
  })

  it('is not asked for the next page after a refusal in between', async () => {
    azure.arm.settings.pageSize = 13
    const body = { error: { code: '429', message: 'Too many requests. Please retry.' } }
    azure.tenant.faults.on('arm', { answer: 429, body, headers: { 'retry-after': '8' }, at: 2 })
    await assert.rejects(ask('Bob'), (error) => error instanceof CostsUnavailable)
    assert.equal(azure.tenant.counters.arm, 2)
  })

  for (const status of [500, 502, 503, 504] as const)
    it(`is unavailable with ${status}, and asked once`, async () => {
      azure.tenant.faults.on('arm', { status })
      await assert.rejects(ask('Bob'), (error) => error instanceof CostsUnavailable)
      assert.equal(azure.tenant.counters.arm, 1)
    })

  it('is unavailable when the connection breaks, and when its answer has no end', async () => {
    azure.tenant.faults.on('arm', { close: true })
    await assert.rejects(ask('Bob'), (error) => error instanceof CostsUnavailable)
    azure.tenant.faults.clear()
    const huge = answer(
      [0, 1, 2, 3],
      Array.from({ length: 60_000 }, () => [1, 20261001, 'x'.repeat(80), 'EUR']),
    )
    azure.tenant.faults.on('arm', { answer: 200, body: huge })
    await assert.rejects(ask('Bob'), (error) => error instanceof CostsBroken && error.code === 'too_large')
  })

  it('answers so many at the same time and no more, for what their answers would hold', async () => {
    const service = new CostManagement(azure.arm.url)
    const slow = azure.tenant.faults.on('arm', { hang: true })
    const token = await azure.tokenOf('Bob')
    const many = Array.from({ length: 32 }, (_, n) => ask('Bob', { service, token, user: `user ${n % 8}` }))
    await slow.reached(32)
    await assert.rejects(
      ask('Bob', { service, token, user: 'user 8' }),
      (error) => error instanceof CostsUnavailable,
    )
    slow.clear()
    for (const costs of await Promise.all(many)) assert.equal(costs.length, 62)
    assert.equal((await ask('Bob', { service, token })).length, 62)
  })

  it('answers four questions of one user at the same time and no more, and others meanwhile', async () => {
    const service = new CostManagement(azure.arm.url)
    const slow = azure.tenant.faults.on('arm', { hang: true, times: 4 })
    const token = await azure.tokenOf('Bob')
    const many = Array.from({ length: 4 }, () => ask('Bob', { service, token }))
    await slow.reached(4)
    for (const id of [azure.sandbox.id, azure.production.id])
      await assert.rejects(
        ask('Bob', { service, token, id }),
        (error) => error instanceof CostsUnavailable && error.throttled && error.retryAfterSeconds === 5,
      )
    assert.equal((await ask('Alice', { service })).length, 62)
    assert.equal(azure.tenant.counters.arm, 5)
    slow.clear()
    await Promise.all(many)
    assert.equal((await ask('Bob', { service, token })).length, 62)
  })

  it('is not asked any further when nobody waits any more', async () => {
    azure.arm.settings.pageSize = 13
    const gone = new AbortController()
    const asked = new CostManagement(azure.arm.url).costs(
      { subscription: azure.sandbox.id, period: october, daily: true },
      {
        user: 'Bob' as UserId,
        token: await azure.tokenOf('Bob'),
        gone: gone.signal,
        onPage: (pages) => pages === 2 && gone.abort(),
      },
    )
    await assert.rejects(asked, (error) => error instanceof CostsUnavailable)
    assert.equal(azure.tenant.counters.arm, 2)
  })
})

for (const stall of STALLS)
  it(`our own deadline ends a question that stalls in its ${stall}`, async () => {
    const service = await startStalling(stall)
    try {
      const asked = new CostManagement(service.url).costs(
        { subscription: crypto.randomUUID(), period: october, daily: true },
        { user: 'Bob' as UserId, token: 'token', deadlineMs: 50 },
      )
      await assert.rejects(asked, (error) => error instanceof CostsUnavailable)
    } finally {
      await service.close()
    }
  })
