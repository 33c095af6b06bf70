import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { resourcesOf } from '../infra/deployments.ts'
import { evaluate, neverFound, type Row, tableOf } from '../infra/kql.ts'
import { queryOf, readWorkbook } from '../infra/workbook.ts'
import { chartsPage } from './charts.ts'
import { type Day, MIDNIGHT, SERVER } from './day.ts'
import { describeWorkbook, leaveOutMeasured, rowsOf, theDay } from './workbook.ts'

const { views, range } = readWorkbook()
const QUARTER_MS = 15 * 60_000

const Rule = z.object({
  criteria: z.object({ allOf: z.tuple([z.object({ query: z.string(), threshold: z.number() })]) }),
})

/** Alerts on what this server writes; `Usage`, of log-quota, is Azure's. */
async function alertsOnLines() {
  const all = await resourcesOf('defaults', 'Microsoft.Insights/scheduledQueryRules')
  return all
    .map(({ name = '', properties }) => {
      const [{ query, threshold }] = Rule.parse(properties).criteria.allOf
      const [deployed = 'none'] = /ca-[a-z0-9]{13}/.exec(name) ?? []
      return {
        name: name.replace(`${deployed}-`, ''),
        query: query.replaceAll(deployed, SERVER),
        threshold,
      }
    })
    .filter(({ query }) => tableOf(query) !== 'Usage')
}

const total = (rows: readonly Row[]) => rows.reduce((sum, { requests }) => sum + Number(requests), 0)
const viewOf = (name: string) => {
  const view = views.find((one) => one.name === name)
  assert.ok(view, name)
  return view
}

describe('On a recorded day of the server', () => {
  let day: Day
  before(async () => {
    day = await theDay()
  })
  const recorded = (query: string): readonly Row[] =>
    Object.entries(day).find(([table]) => table === tableOf(query))?.[1] ?? []

  for (const { name, query } of views)
    it(`the workbook shows rows, and reads nothing that is never written: ${name}`, () => {
      assert.ok(rowsOf({ query }, day).length > 0)
      const sent = queryOf({ query }, SERVER, range)
      assert.deepEqual(neverFound(sent, recorded(sent)), [])
    })

  it('no alert reads what is never written', async () => {
    for (const { name, query } of await alertsOnLines())
      assert.deepEqual(neverFound(query, recorded(query)), [], name)
  })

  it('each alert fires in its quarter of an hour, but the one on slow answers', async () => {
    const alerts = await alertsOnLines()
    const quarters = [
      ...Map.groupBy(day.ContainerAppConsoleLogs, ({ TimeGenerated }) =>
        Math.floor((Number(TimeGenerated) - MIDNIGHT) / QUARTER_MS),
      ),
    ]
    const firing = alerts
      .filter(({ name }) => name !== 'slow-requests')
      .map(({ name, query, threshold }) => {
        const times = quarters.filter(([, rows]) => evaluate(query, rows).length > threshold)
        return [name, times.map(([quarter]) => quarter / 4)]
      })
    assert.deepEqual(Object.fromEntries(firing), {
      ...{ 'store-refusals': [10.5], 'obo-failures': [14], 'server-errors': [14], refusals: [2.25] },
    })
    const slow =
      alerts.find(({ name }) => name === 'slow-requests')?.query.replace(/\| where [^|]*$/, '') ?? ''
    const [measured] = evaluate(slow, day.ContainerAppConsoleLogs)
    assert.ok(Number(measured?.requests) >= 20 && Number(measured?.p95) > 0)
  })

  it('a dependency that refuses is shown with its code', () => {
    const codes = rowsOf(viewOf('failures'), day).map(({ Name, status, error }) =>
      [Name, status, error].join(' '),
    )
    for (const code of [
      'token 400 AADSTS50076',
      'token 401 AADSTS7000215',
      'membership 403 Authorization_RequestDenied',
    ])
      assert.ok(codes.includes(code), codes.join('; '))
  })

  it('decisions, outcomes and refusals count the same requests, those too that had no line of their own', () => {
    const [decisions, outcomes] = ['decisions', 'outcomes'].map((name) => rowsOf(viewOf(name), day)) as [
      Row[],
      Row[],
    ]
    assert.equal(total(outcomes), total(decisions))
    assert.ok(day.ContainerAppConsoleLogs.length < total(decisions))
    const denied = decisions.filter(({ decision }) => decision !== 'accept')
    assert.equal(total(rowsOf(viewOf('refusals'), day)), total(denied))
  })

  it('a refusal without a signed-in user has no callers', () => {
    const callers = rowsOf(viewOf('refusals'), day).map(({ reason, callers }) => [reason, callers])
    assert.deepEqual(Object.fromEntries(callers), {
      ...{ malformed: 0, missing: 0 },
      ...{ downstream_failed: 1, insufficient_claims: 1, not_admin: 1, membership_unknown: 1 },
    })
  })

  it('a query that reads what the server never writes is found out', () => {
    const misspelt =
      'ContainerAppConsoleLogs | extend line = parse_json(Log) | where isnotempty(line.descision)'
    assert.deepEqual(neverFound(misspelt, day.ContainerAppConsoleLogs), ['descision'])
    assert.throws(() => rowsOf({ query: 'AppRequests | where Role == 1' }, day), /no column Role/)
    assert.throws(() => rowsOf({ query: 'AppTraces | where Message == 1' }, day), /table AppTraces/)
  })

  it('what is noted of it holds no place in the code and no milliseconds', async () => {
    const noted = await describeWorkbook()
    assert.doesNotMatch(noted, /\.ts:\d|"p95":/)
    assert.match(noted, /"tool":"get_user_expenses"/)
  })
})

describe('What is noted of telemetry', () => {
  const often = { tool: 'a', calls: 12, p95: 3.1 }
  const oftener = { tool: 'b', calls: 13, p95: 2.9 }

  it('is the same in any order and for any number, without what is rare', () => {
    const noted = [{ tool: 'a' }, { tool: 'b' }]
    assert.deepEqual(leaveOutMeasured([oftener, often, { tool: 'c', calls: 1 }]), noted)
    assert.deepEqual(leaveOutMeasured([often, oftener]), noted)
  })
})

describe('A query of the workbook', () => {
  it('is sent with its parameters: the server, and the grain of the last 24 hours', () => {
    const query = "T | where s == '{serverName}' | summarize n = count() by bin(t, {TimeRange:grain})"
    assert.equal(
      queryOf({ query }, SERVER, 86_400_000),
      `T | where s == '${SERVER}' | summarize n = count() by bin(t, 30m)`,
    )
  })

  it('is not sent with a parameter that is not known, nor for a range whose grain is not', () => {
    assert.throws(() => queryOf({ query: 'T | where {Server}' }, SERVER, range), /parameter Server/)
    const query = 'T | summarize n = count() by bin(t, {TimeRange:grain})'
    assert.throws(() => queryOf({ query }, SERVER, 3_600_000), /TimeRange:grain/)
  })
})

describe('A page of charts', () => {
  const at = (hour: number) => new Date(MIDNIGHT + hour * 3_600_000)
  const page = (visualization: 'barchart' | 'linechart' | 'table', rows: readonly Row[]) =>
    chartsPage([{ view: { title: 'a < b', visualization }, rows }], { from: MIDNIGHT, to: MIDNIGHT + range })
  const rows = [
    { kind: 'accept', time: at(2), n: 30 },
    { kind: 'deny', time: at(2), n: 10 },
    { kind: 'accept', time: at(3), n: 20 },
  ]
  const numbersOf = (text: string, shape: RegExp) =>
    [...text.matchAll(shape)].map((found) => found.slice(1).map(Number))

  it('stacks the bars of one time, each as high as its number, the largest series below', () => {
    const boxes = numbersOf(
      page('barchart', rows),
      /<rect class="s(\d)" .*?x="([\d.]+)".*?y="([\d.]+)" height="([\d.]+)"/g,
    )
    const [low = [], next = [], high = []] = boxes
    assert.deepEqual(
      boxes.map(([series]) => series),
      [0, 0, 1],
    )
    assert.equal(high[1], low[1])
    assert.ok(Number(next[1]) > Number(low[1]))
    const [thirty = 0, twenty = 0, ten = 0] = boxes.map(([, , , height]) => height)
    assert.ok(Math.abs(thirty - 3 * ten) < 0.5 && Math.abs(twenty - 2 * ten) < 0.5)
    assert.ok(Math.abs(Number(high[2]) + ten - Number(low[2])) < 0.2)
  })

  it('draws a line for each series, from time to time', () => {
    const text = page('linechart', rows)
    assert.deepEqual(numbersOf(text, /<polyline points="([\d.]+),[\d.]+ ([\d.]+),/g).length, 1)
    assert.equal(text.match(/<circle /g)?.length, 3)
  })

  it('names the series with their sums, and escapes', () => {
    const text = page('barchart', [{ kind: '<x>', time: at(1), n: 4 }])
    assert.match(text, /<h2>a &lt; b<\/h2>/)
    assert.match(text, /&lt;x&gt; <b>4<\/b>/)
  })

  it('has tables with the columns of the query, times to the minute and numbers to a tenth', () => {
    const text = page('table', [{ name: '<x>', p95: 9.600100000000001, latest: at(2) }])
    assert.match(text, /<th class="text">name<\/th><th class="number">p95<\/th>/)
    assert.match(text, /&lt;x&gt;<\/td><td class="number">9.6<\/td><td class="text">2026-11-20 02:00</)
  })

  it('refuses rows that are no chart', () => {
    assert.throws(() => page('barchart', [{ kind: 'a', n: 1 }]), /a time, a number and a text/)
    assert.throws(
      () => page('linechart', [{ kind: 'a', time: at(1), n: 1, m: 2 }]),
      /a time, a number and a text/,
    )
    const many = Array.from({ length: 7 }, (_, index) => ({ kind: String(index), time: at(1), n: 1 }))
    assert.throws(() => page('barchart', many), /more series/)
  })
})
