import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { onlyOne, resourcesOf } from './deployments.ts'

const anything = z.looseObject({})

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

  it('watch errors, refusals, downstream tokens, latency and restarts', async () => {
    const names = (await rulesOf('defaults')).map(({ name }) => name)
    assert.deepEqual(names.toSorted(), [
      'log-quota',
      'obo-failures',
      'refusals',
      'server-errors',
      'slow-requests',
    ])
    const shape = z.object({ criteria: z.object({ allOf: z.array(z.object({ metricName: z.string() })) }) })
    const { criteria } = await onlyOne('defaults', 'Microsoft.Insights/metricAlerts', shape)
    assert.deepEqual(
      criteria.allOf.map(({ metricName }) => metricName),
      ['RestartCount'],
    )
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

  it('and the workbook read the lines of this server from the table that Azure Monitor fills', async () => {
    const rules = await resourcesOf('defaults', 'Microsoft.Insights/scheduledQueryRules')
    const Query = z.object({ criteria: z.object({ allOf: z.tuple([z.object({ query: z.string() })]) }) })
    const queries = rules
      .filter(({ name }) => !name?.endsWith('-log-quota'))
      .map(({ properties }) => Query.parse(properties).criteria.allOf[0].query)
    const shape = z.object({ serializedData: z.string() })
    const workbook = (await onlyOne('defaults', 'Microsoft.Insights/workbooks', shape)).serializedData
    const Item = z.object({ content: z.looseObject({ query: z.string().optional() }) })
    const { items } = z.object({ items: z.array(Item) }).parse(JSON.parse(workbook))
    const shown = items.flatMap(({ content }) => (content.query ? [content.query] : []))
    assert.equal(shown.length, 5)
    for (const query of [...queries, ...shown]) {
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
