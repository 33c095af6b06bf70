import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { onlyOne, resourcesOf } from './deployments.ts'
import { evaluate, type Row } from './kql.ts'
import { rowOfLine } from './tables.ts'
import { queryOf, readWorkbook } from './workbook.ts'

const anything = z.looseObject({})

/** One line of each kind, as the server writes it (tests/e2e/recorded-lines.test.ts). */
const recorded = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .parse(JSON.parse(readFileSync(new URL('recorded-lines.json', import.meta.url), 'utf8')))

const Criterion = z.object({ query: z.string(), threshold: z.number() })
const Criteria = z.object({ criteria: z.object({ allOf: z.tuple([Criterion]) }) })

/** Those that read the server's lines; log-quota reads the workspace's usage. */
async function alertRules() {
  const all = await resourcesOf('defaults', 'Microsoft.Insights/scheduledQueryRules')
  const rules = all.filter(({ name }) => !name?.endsWith('-log-quota'))
  return rules.map(({ name, properties }) => {
    const [criterion] = Criteria.parse(properties).criteria.allOf
    return { name: name?.replace(/^ca-[a-z0-9]{13}-/, ''), ...criterion }
  })
}

async function workbookQueries() {
  const shape = z.object({ serializedData: z.string() })
  const { serializedData } = await onlyOne('defaults', 'Microsoft.Insights/workbooks', shape)
  const Item = z.object({ name: z.string(), content: z.looseObject({ query: z.string().optional() }) })
  const { items } = z.object({ items: z.array(Item) }).parse(JSON.parse(serializedData))
  return new Map(items.flatMap(({ name, content }) => (content.query ? [[name, content.query]] : [])))
}

describe('Alerts', () => {
  const Rule = z.object({
    actions: z.object({ actionGroups: z.array(z.string()) }),
    scopes: z.array(z.string()),
  })
  const rulesOf = async (set: string) =>
    (await resourcesOf(set, 'Microsoft.Insights/scheduledQueryRules')).map(({ name, properties }) => ({
      name: name?.replace(/^ca-[a-z0-9]{13}-/, ''),
      ...Rule.parse(properties),
    }))

  it('watch errors, the store, refusals, downstream tokens, latency and restarts', async () => {
    const names = (await rulesOf('defaults')).map(({ name }) => name)
    assert.deepEqual(names.toSorted(), [
      'log-quota',
      'obo-failures',
      'refusals',
      'server-errors',
      'slow-requests',
      'store-refusals',
    ])
    const shape = z.object({ criteria: z.object({ allOf: z.array(z.object({ metricName: z.string() })) }) })
    const { criteria } = await onlyOne('defaults', 'Microsoft.Insights/metricAlerts', shape)
    assert.deepEqual(
      criteria.allOf.map(({ metricName }) => metricName),
      ['RestartCount'],
    )
  })

  it('are as many as docs/deploy.md reckons the cost of', async () => {
    const Every = z.object({ evaluationFrequency: z.string() })
    const rules = await resourcesOf('defaults', 'Microsoft.Insights/scheduledQueryRules')
    const every = rules.map(({ properties }) => Every.parse(properties).evaluationFrequency)
    const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven']
    const count = (frequency: string) => words[every.filter((one) => one === frequency).length]
    const metrics = await resourcesOf('defaults', 'Microsoft.Insights/metricAlerts')
    const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8')
    assert.ok(
      page.includes(
        `Alerts (${count('PT15M')} on logs every 15 minutes, ${count('PT1H')} every hour, ${words[metrics.length]} metric)`,
      ),
    )
    assert.deepEqual(new Set(every), new Set(['PT15M', 'PT1H']))
  })

  it('are mailed to the address that was given, and to nobody otherwise', async () => {
    assert.deepEqual(await resourcesOf('defaults', 'Microsoft.Insights/actionGroups'), [])
    for (const { actions } of await rulesOf('defaults')) assert.deepEqual(actions.actionGroups, [])
    const shape = z.object({ emailReceivers: z.array(z.object({ emailAddress: z.string() })) })
    const { emailReceivers } = await onlyOne('custom-domain', 'Microsoft.Insights/actionGroups', shape)
    assert.deepEqual(
      emailReceivers.map(({ emailAddress }) => emailAddress),
      ['operator@contoso.com'],
    )
    for (const { actions } of await rulesOf('custom-domain')) assert.equal(actions.actionGroups.length, 1)
  })

  it('and the workbook read the lines of this server, or its telemetry, from the tables that Azure Monitor fills', async () => {
    const shown = await workbookQueries()
    assert.deepEqual(
      [...shown].filter(([, query]) => !query.startsWith('Container')).map(([name]) => name),
      ['latency', 'dependencies', 'failures'],
    )
    const rules = await alertRules()
    for (const query of [...rules.map((rule) => rule.query), ...shown.values()]) {
      if (/^App(Requests|Dependencies)\n\| where AppRoleName == 'expenses'/.test(query)) continue
      assert.match(query, /^ContainerAppConsoleLogs\n\| where ContainerAppName == 'ca-[a-z0-9]{13}'\n/)
      assert.match(query, /parse_json\(Log\)/)
    }
  })

  it('say that the quota is near, of a whole day and before it is reached', async () => {
    const Rule = z.object({
      evaluationFrequency: z.string(),
      windowSize: z.string(),
      criteria: z.object({ allOf: z.tuple([z.object({ query: z.string(), threshold: z.number() })]) }),
    })
    const rules = await resourcesOf('defaults', 'Microsoft.Insights/scheduledQueryRules')
    const rule = Rule.parse(rules.find(({ name }) => name?.endsWith('-log-quota'))?.properties)
    assert.deepEqual([rule.evaluationFrequency, rule.windowSize], ['PT1H', 'P1D'])
    const { query, threshold } = rule.criteria.allOf[0]
    assert.equal(
      query,
      'Usage | where IsBillable | summarize megabytes = sum(Quantity) | where megabytes > 800',
    )
    assert.equal(threshold, 0)
  })

  it('have logs with a limit in days and in size', async () => {
    const workspace = await onlyOne('defaults', 'Microsoft.OperationalInsights/workspaces', anything)
    assert.deepEqual([workspace.retentionInDays, workspace.workspaceCapping], [30, { dailyQuotaGb: 1 }])
  })
})

describe('On lines that the server wrote, the alerts', () => {
  const serverName = 'ca-abcdefghijklm'
  const time = new Date('2026-11-21T13:59:12.207Z')
  const row = (line: object, changes: object = {}): Row =>
    rowOfLine(serverName, JSON.stringify({ ...line, ...changes }), time)
  const many = (kind: string, times: number, changes: object = {}) => {
    const line = recorded[kind]
    assert.ok(line, kind)
    return Array.from({ length: times }, () => row(line, changes))
  }
  /** What a quarter of an hour looks like in which nothing is wrong; another app writes to the same table. */
  const quiet = [
    ...many('done', 100),
    ...many('signed out', 5),
    ...many('not an admin', 5),
    ...many('sign-in ended', 10),
    row({ level: 'info', message: 'Listening on port 8080' }),
    rowOfLine(serverName, 'no JSON', time),
    ...many('store away', 50).map((other) => ({ ...other, ContainerAppName: 'ca-other' })),
  ]
  const firing = async (rows: readonly Row[]) => {
    const rules = await alertRules()
    return rules
      .filter(({ query, threshold }) => {
        const ours = query.replaceAll(/ca-[a-z0-9]{13}/g, serverName)
        return evaluate(ours, rows).length > threshold
      })
      .map(({ name }) => name)
      .toSorted()
  }

  it('are silent while nothing is wrong', async () => {
    assert.deepEqual(await firing(quiet), [])
    assert.deepEqual(await firing([]), [])
  })

  const troubles: [trouble: string, rows: () => Row[], alerts: string[]][] = [
    ['Cosmos is away', () => many('store away', 6), ['store-refusals']],
    ['the server has lost its right to the data', () => many('store forbidden', 6), ['store-refusals']],
    ['Graph refuses the server', () => many('Graph refuses', 10), ['server-errors']],
    ['the credential is refused', () => many('credential refused', 10), ['obo-failures', 'server-errors']],
    ['Entra is away', () => many('Entra away', 10), ['obo-failures', 'server-errors']],
    ['there are no signing keys', () => many('no signing keys', 10), ['server-errors']],
    ['somebody tries tokens', () => many('signed out', 60), ['refusals']],
    ['somebody tries admin tools', () => many('not an admin', 60), ['refusals']],
    ['answers are slow', () => many('done', 100, { duration_ms: 2_500 }), ['slow-requests']],
  ]
  for (const [trouble, rows, alerts] of troubles) {
    it(`fire when ${trouble}: ${alerts.join(', ')}`, async () => {
      assert.deepEqual(await firing([...quiet, ...rows()]), alerts)
    })
  }

  it('are joined by views of the workbook that read the same lines and spans', async () => {
    const shown = await workbookQueries()
    const { range } = readWorkbook()
    const view = (name: string, rows: readonly Row[]) => {
      const query = queryOf({ query: shown.get(name) ?? '' }, serverName, range)
      return evaluate(query.replaceAll(/ca-[a-z0-9]{13}/g, serverName), rows)
    }
    const outcomes = view('outcomes', [...quiet, ...many('store away', 2)])
    assert.deepEqual(
      outcomes.map(({ outcome, requests }) => [outcome, requests]),
      [
        ['done', 100],
        ['refused', 20],
        ['refused_by_store', 2],
      ],
    )
    const span = {
      ...{ TimeGenerated: time, AppRoleName: 'expenses', OperationId: 'a' },
      ...{ Target: 'Azure Cosmos DB', Name: 'query', Properties: {} },
    }
    const dependencies = [
      { ...span, DurationMs: 10, Success: true, ResultCode: '200' },
      { ...span, DurationMs: 30, Success: false, ResultCode: '403' },
      { ...span, AppRoleName: 'another', DurationMs: 9_000, Success: false, ResultCode: '403' },
    ]
    assert.deepEqual(view('dependencies', dependencies), [
      { Target: 'Azure Cosmos DB', Name: 'query', calls: 2, p50: 10, p95: 30, p99: 30, failed: 1 },
    ])
    const [failure, ...others] = view('failures', dependencies)
    assert.deepEqual([failure?.Target, failure?.status, failure?.times], ['Azure Cosmos DB', '403', 1])
    assert.deepEqual(others, [])
    const requests = [
      { AppRoleName: 'expenses', DurationMs: 5, Success: true, Properties: { tool: 'get_user_expenses' } },
      { AppRoleName: 'expenses', DurationMs: 7, Success: false, Properties: { tool: 'get_user_expenses' } },
      { AppRoleName: 'expenses', DurationMs: 1, Success: false, Properties: {} },
    ]
    assert.deepEqual(view('latency', requests), [
      { tool: 'get_user_expenses', calls: 2, p50: 5, p95: 7, p99: 7, failed: 1 },
    ])
  })
})
