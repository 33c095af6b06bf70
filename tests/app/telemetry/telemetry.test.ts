import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Request } from 'express'
import { generate } from 'selfsigned'
import type { AuditLine } from '../../../app/telemetry/audit.ts'
import { ConnectionString } from '../../../app/telemetry/connection-string.ts'
import { ingestionExporter } from '../../../app/telemetry/ingestion.ts'
import { createLog, type Log } from '../../../app/telemetry/log.ts'
import { Spans } from '../../../app/telemetry/spans.ts'
import { endRequest, startRequest } from '../../../app/telemetry/trace.ts'
import { lunch, post } from '../../e2e/rpc.ts'
import { type System, startSystem } from '../../e2e/system.ts'
import { evaluate, tableOf } from '../../infra/kql.ts'
import { rowOfItem, tableOfItem } from '../../infra/tables.ts'
import { queryOf, readWorkbook } from '../../infra/workbook.ts'
import { KEY, startIngestion } from '../ingestion.ts'

const recorder = new URL('../connections.ts', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'telemetry-'))
after(() => rmSync(folder, { recursive: true }))

const call = (name: string, args: unknown = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
})

describe('telemetry', () => {
  let ingestion: Awaited<ReturnType<typeof startIngestion>>
  let system: System
  let home: string
  beforeEach(async () => {
    ingestion = await startIngestion()
  })
  afterEach(async () => {
    await system.stop()
    ingestion.close()
  })

  /** A server whose temporary folder is empty and whose connections are known. */
  async function start(changes: Record<string, string> = {}) {
    home = mkdtempSync(join(folder, 'home-'))
    system = await startSystem({
      APPLICATIONINSIGHTS_CONNECTION_STRING: ingestion.connectionString,
      NODE_OPTIONS: `--import ${recorder}`,
      TMPDIR: home,
      HOME: home,
      ...changes,
    })
  }

  /** Stops the server; the milliseconds that it took. */
  async function stop(): Promise<number> {
    const told = performance.now()
    const exit = once(system.process(), 'exit')
    system.process().kill('SIGINT')
    assert.deepEqual(await exit, [0, null])
    return performance.now() - told
  }

  const parsed = () => system.lines().map((line): Record<string, unknown> => JSON.parse(line))
  const warnings = () => parsed().filter(({ level }) => level === 'warn')

  function assertNothingElse() {
    const connections = parsed().flatMap(({ connection }) => (connection ? [String(connection)] : []))
    assert.ok(connections.some((connection) => connection.endsWith(`:${ingestion.port}`)))
    assert.deepEqual(
      connections.filter((connection) => !/^(localhost|127\.0\.0\.1:\d+|::1:\d+)$/.test(connection)),
      [],
    )
    assert.deepEqual(readdirSync(home), [])
  }

  it('has one item for each request, with what the audit line has but for the person', async () => {
    await start()
    const token = await system.tokenFor('Alice')
    const responses = [
      await post(system.mcp, call('add_user_expense', lunch({ amount: 77.77 })), { token }),
      await post(system.mcp, call('get_expense_stats'), { token }),
      await post(system.mcp, call('get_expense_stats'), { token: await system.tokenFor('Bob') }),
      await post(system.mcp, call('add_user_expense', lunch()), { token: 'not.a.token' }),
      await post(system.mcp, 'no JSON', { token }),
    ]
    const lines = await Promise.all(responses.map((response) => system.auditLine(response)))
    await stop()

    const items = ingestion.requests()
    assert.equal(items.length, responses.length)
    for (const { decision, reason, outcome, tool, client, obo, request_id, status, duration_ms } of lines) {
      const item = items.find(({ data }) => data.baseData.properties.request_id === request_id)
      assert.ok(item)
      const known = Object.entries({ decision, reason, outcome, tool, client, obo, request_id })
      const { baseType, baseData } = item.data
      assert.equal(baseType, 'RequestData')
      assert.deepEqual(
        baseData.properties,
        Object.fromEntries(known.filter(([, value]) => value !== undefined)),
      )
      assert.equal(baseData.name, 'POST /mcp')
      assert.equal(baseData.responseCode, String(status))
      assert.equal(baseData.success, Number(status) < 400)
      assert.equal(item.tags['ai.operation.name'], 'POST /mcp')
      assert.equal(item.tags['ai.cloud.role'], 'expenses')
      assert.match(String(item.tags['ai.operation.id']), /^[0-9a-f]{32}$/)
      assert.equal(item.iKey, KEY)
      const seconds = Number(/^00:00:(\d+\.\d+)$/.exec(baseData.duration)?.[1])
      assert.ok(Math.abs(seconds * 1000 - Number(duration_ms)) < 1)
    }
    assert.equal(new Set(items.map(({ tags }) => tags['ai.operation.id'])).size, items.length)
    assert.equal(new Set(lines.map(({ decision }) => decision)).size, 4)
  })

  /** What a view of the workbook shows of all that was sent. */
  function shownBy(name: string) {
    const { views, range } = readWorkbook()
    const view = views.find((one) => one.name === name)
    assert.ok(view)
    const query = queryOf(view, 'none', range)
    const items = ingestion.items().filter((item) => tableOfItem(item) === tableOf(query))
    return evaluate(
      query,
      items.map((item) => rowOfItem(item, new Date(item.time))),
    )
  }

  /** Asks for the statistics, each time as nobody was asked before, until spans are made. */
  async function tracedStats(headers: Record<string, string>) {
    const outgoing: string[] = []
    const note = (request: Request) => {
      if (request.headers.traceparent) outgoing.push(String(request.headers.traceparent))
      assert.equal(request.headers.tracestate, undefined)
      return false
    }
    for (const endpoint of ['obo', 'graph', 'keys'] as const)
      system.tenant.faults.on(endpoint, { close: true, only: note })
    for (;;) {
      const token = await system.tokenFor('Alice')
      const response = await post(system.mcp, call('get_expense_stats'), { token, headers })
      if (outgoing.length > 0) return { token, outgoing, line: await system.auditLine(response) }
      await system.tenant.rotateKeys()
    }
  }

  it('shows what a request depended on as a part of the caller’s trace, which goes on behind us', async () => {
    await start()
    const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
    const { token, outgoing, line } = await tracedStats({
      traceparent: `00-${trace}-${span}-01`,
      tracestate: 'vendor=alice',
    })
    await stop()
    const request = ingestion
      .requests()
      .find(({ data }) => data.baseData.properties.request_id === line.request_id)
    assert.ok(request)
    assert.equal(request.tags['ai.operation.id'], trace)
    assert.equal(request.tags['ai.operation.parentId'], span)
    const dependencies = ingestion.dependencies().filter(({ tags }) => tags['ai.operation.id'] === trace)
    const shown = dependencies.map(({ data: { baseData } }) => {
      const { type, target = '', name, resultCode, success } = baseData
      return [type, target, name, resultCode, success].join(' ')
    })
    for (const expected of [
      'InProc  verify the access token 0 true',
      'Http Microsoft Entra ID token 200 true',
      'Http Microsoft Graph membership 200 true',
      'Http Azure Cosmos DB query 200 true',
    ])
      assert.ok(shown.includes(expected), `${expected}\n${shown.join('\n')}`)
    const spans = new Map(
      dependencies.map(({ data, tags }) => [data.baseData.id, tags['ai.operation.parentId']]),
    )
    for (const parent of spans.values())
      assert.ok(parent === request.data.baseData.id || spans.has(String(parent)))
    for (const header of outgoing) {
      const [, traceId, spanId] = header.split('-')
      if (traceId === trace) assert.ok(spans.has(String(spanId)))
    }
    assert.ok(outgoing.some((header) => header.startsWith(`00-${trace}-`)))
    const sent = ingestion.deliveries
      .map(({ text }) => text)
      .join()
      .toLowerCase()
    for (const word of [String(line.oid), token, 'alice', 'vendor', 'bearer', '/docs'])
      assert.ok(!sent.includes(word.toLowerCase()), word)
  })

  it('shows which dependency failed, with its status, and that the request did', async () => {
    await start()
    await tracedStats({})
    system.cosmos.faults.inject('query', { status: 403, substatus: 5300 })
    const token = await system.tokenFor('Bob')
    const response = await post(system.mcp, call('get_user_expenses'), { token })
    const line = await system.auditLine(response)
    await stop()
    const request = ingestion
      .requests()
      .find(({ data }) => data.baseData.properties.request_id === line.request_id)
    assert.equal(request?.data.baseData.success, false)
    assert.equal(request.data.baseData.properties.outcome, 'refused_by_store')
    const failed = ingestion
      .dependencies()
      .filter(({ tags }) => tags['ai.operation.id'] === request.tags['ai.operation.id'])
      .filter(({ data }) => !data.baseData.success)
      // The emulator answers none, and the SDK does without.
      .filter(({ data }) => data.baseData.name !== 'query plan')
    assert.deepEqual(
      failed.map(({ data: { baseData } }) => [baseData.target, baseData.name, baseData.resultCode]),
      [['Azure Cosmos DB', 'query', '403']],
    )
    const [failure] = shownBy('failures').filter(({ Name }) => Name === 'query')
    assert.deepEqual([failure?.Target, failure?.status, failure?.times], ['Azure Cosmos DB', '403', 1])
    assert.ok(shownBy('dependencies').some(({ Name, calls }) => Name === 'membership' && Number(calls) > 0))
    assert.ok(shownBy('latency').some(({ tool, failed }) => tool === 'get_user_expenses' && failed === 1))
  })

  it('holds no oid, token, name, amount or text, and goes nowhere else', async () => {
    await start()
    const token = await system.tokenFor('Alice')
    const secret = lunch({ amount: 77.77, description: 'Champagne' })
    const response = await post(system.mcp, call('add_user_expense', secret), { token })
    const { oid } = await system.auditLine(response)
    await stop()
    const sent = ingestion.deliveries.map(({ text }) => text).join()
    assert.match(sent, /add_user_expense/)
    for (const word of [String(oid), token, 'oid', 'alice', '77.77', 'champagne', 'bearer'])
      assert.ok(!sent.toLowerCase().includes(word.toLowerCase()), word)
    assert.deepEqual(
      ingestion.deliveries.map(({ path, authorization }) => [path, authorization]),
      [['/v2.1/track', undefined]],
    )
    assertNothingElse()
  })

  for (const behaviour of [500, 403, 'hang'] as const) {
    it(`that is answered with ${behaviour} touches no request, no disk and no shutdown`, async () => {
      ingestion.behave(behaviour)
      await start()
      const token = await system.tokenFor('Alice')
      // A full batch is sent at once.
      for (let group = 0; group < 12; group++) {
        const answers = Array.from({ length: 50 }, () => post(system.mcp, call('get_user_expenses')))
        for (const { status } of await Promise.all(answers)) assert.equal(status, 401)
      }
      await ingestion.delivered(1)
      const response = await post(system.mcp, call('get_user_expenses'), { token })
      assert.equal(response.status, 200)
      const took = await stop()
      assert.ok(took < 10_000, `It took ${took} ms.`)
      assert.equal(warnings().length, 1)
      assert.match(String(warnings()[0]?.message), /^Application Insights takes no telemetry/)
      assertNothingElse()
    })
  }

  it('of a server that is stopped at once is sent all the same', async () => {
    await start()
    const response = await post(system.mcp, call('get_user_expenses'))
    await stop()
    assert.equal(response.status, 401)
    assert.equal(ingestion.requests().length, 1)
  })

  it('is sent with an access token of the managed identity for Azure Monitor', async () => {
    const name = { type: 2, value: 'localhost' } as const
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keySize: 2048,
      extensions: [{ name: 'subjectAltName', altNames: [name] }],
    })
    const authority = join(folder, 'authority.pem')
    writeFileSync(authority, cert)
    ingestion.close()
    ingestion = await startIngestion({ key, cert })
    const asked: URL[] = []
    const identity = createServer((request, response) => {
      asked.push(new URL(request.url ?? '', 'http://localhost'))
      const token = { access_token: 'monitor-token', expires_on: '4102444800', token_type: 'Bearer' }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(token))
    }).listen(0, '127.0.0.1')
    await once(identity, 'listening')
    try {
      const { port } = identity.address() as AddressInfo
      await start({
        NODE_EXTRA_CA_CERTS: authority,
        IDENTITY_ENDPOINT: `http://localhost:${port}/msi/token`,
      })
      await post(system.mcp, call('get_user_expenses'))
      await stop()
    } finally {
      identity.close().closeAllConnections()
    }
    assert.deepEqual(
      ingestion.deliveries.map(({ authorization }) => authorization),
      ['Bearer monitor-token'],
    )
    const [query] = asked.map(({ searchParams }) => searchParams)
    assert.equal(query?.get('resource'), 'https://monitor.azure.com')
    assert.equal(query?.get('client_id'), system.seed.managedIdentity.clientId)
    assertNothingElse()
  })
})

describe('the pipeline to Application Insights', () => {
  const line: AuditLine = {
    request_id: 'id',
    decision: 'accept',
    reason: 'tool',
    outcome: 'done',
    status: 200,
    duration_ms: 1,
  }

  const spansTo = ({ connectionString }: { connectionString: string }, log: Log) =>
    new Spans(async () => ingestionExporter(ConnectionString.parse(connectionString), undefined, log))
  const add = () => endRequest(startRequest(Date.now()), line)

  before(() => {
    // As app/server.ts does.
    process.env.APPLICATION_INSIGHTS_NO_STATSBEAT = 'true'
    process.env.APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED = 'true'
  })

  it('keeps a bounded number of requests and drops the others', async () => {
    const ingestion = await startIngestion()
    const log = createLog('error', () => {})
    const spans = spansTo(ingestion, log)
    for (let count = 0; count < 5_000; count++) add()
    await spans.close()
    ingestion.close()
    assert.equal(ingestion.requests().length, 512 + 2_048)
  })

  it('says once that Application Insights is lost, and once that it is back', async () => {
    const ingestion = await startIngestion()
    const lines: string[] = []
    const log = createLog('info', (text) => lines.push(text))
    const spans = spansTo(ingestion, log)
    const batch = () => {
      for (let count = 0; count < 512; count++) add()
    }
    const logged = async (count: number) => {
      while (lines.length < count) await new Promise((resolve) => setImmediate(resolve))
    }
    ingestion.behave(403)
    batch()
    await logged(1)
    batch()
    await ingestion.delivered(2)
    ingestion.behave('take')
    batch()
    await logged(2)
    await spans.close()
    ingestion.close()
    assert.deepEqual(
      lines.map((text) => JSON.parse(text).level),
      ['warn', 'info'],
    )
  })

  it('is loaded, with all that it needs but OpenTelemetry’s API, only after the server listens', async () => {
    const { metafile } = await build({
      absWorkingDir: fileURLToPath(new URL('../../..', import.meta.url)),
      entryPoints: ['app/server.ts'],
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      metafile: true,
    })
    const atStart = new Set(['app/server.ts'])
    for (const path of atStart)
      for (const { path: imported, kind } of metafile.inputs[path]?.imports ?? [])
        if (kind !== 'dynamic-import') atStart.add(imported)
    const telemetry = (path: string) =>
      /@opentelemetry\/(?!api\/)|monitor-opentelemetry|ingestion|spans/.test(path)
    assert.deepEqual([...atStart].filter(telemetry), [])
    assert.ok(atStart.has('app/telemetry/trace.ts'))
    assert.ok(Object.keys(metafile.inputs).some(telemetry))
  })

  // From 1.0.0-beta.45 on it asks settings.sdk.monitor.azure.com for settings, and nothing turns that off.
  it('uses a version of the exporter that asks no other host for settings', () => {
    const entry = fileURLToPath(import.meta.resolve('@azure/monitor-opentelemetry-exporter'))
    const files = readdirSync(join(entry, '..'), { recursive: true, encoding: 'utf8' })
    const scripts = files.filter((file) => file.endsWith('.js'))
    assert.ok(scripts.length > 10)
    for (const script of scripts)
      assert.doesNotMatch(readFileSync(join(entry, '..', script), 'utf8'), /settings\.sdk\.monitor/, script)
  })
})
