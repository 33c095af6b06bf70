import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { deploymentOf, onlyOne, sets } from './deployments.ts'

const anything = z.looseObject({})

describe('Keys and passwords', () => {
  it('are switched off on Cosmos DB', async () => {
    const cosmos = await onlyOne('defaults', 'Microsoft.DocumentDB/databaseAccounts', anything)
    assert.equal(cosmos.disableLocalAuth, true)
    assert.equal(cosmos.disableKeyBasedMetadataWriteAccess, true)
  })

  it('are switched off on Application Insights and its workspace', async () => {
    assert.equal(
      (await onlyOne('defaults', 'Microsoft.Insights/components', anything)).DisableLocalAuth,
      true,
    )
    const shape = z.object({ features: z.object({ disableLocalAuth: z.literal(true) }) })
    await onlyOne('defaults', 'Microsoft.OperationalInsights/workspaces', shape)
  })

  it('are switched off on the registry, and nobody pulls anonymously', async () => {
    const registry = await onlyOne('defaults', 'Microsoft.ContainerRegistry/registries', anything)
    assert.equal(registry.adminUserEnabled, false)
    assert.equal(registry.anonymousPullEnabled, false)
  })

  it('are switched off on the search service', async () => {
    for (const set of ['documents', 'documents-pipeline']) {
      const search = await onlyOne(set, 'Microsoft.Search/searchServices', anything)
      assert.equal(search.disableLocalAuth, true)
      assert.equal(search.authOptions, undefined)
    }
  })

  it('are nowhere in the environment of the container apps: logs go through Azure Monitor', async () => {
    const environment = await onlyOne('defaults', 'Microsoft.App/managedEnvironments', anything)
    assert.deepEqual(environment.appLogsConfiguration, { destination: 'azure-monitor' })
    const shape = z.object({ logs: z.array(z.object({ category: z.string(), enabled: z.boolean() })) })
    const { logs } = await onlyOne('defaults', 'Microsoft.Insights/diagnosticSettings', shape)
    assert.deepEqual(logs, [
      { category: 'ContainerAppConsoleLogs', enabled: true },
      { category: 'ContainerAppSystemLogs', enabled: true },
    ])
  })

  it('are not read by any expression', async () => {
    for (const set of sets) {
      assert.doesNotMatch(
        JSON.stringify(await deploymentOf(set)),
        /list(Keys|Secrets|Credentials)|SharedKey/i,
      )
    }
  })
})

describe('The data', () => {
  it('is serverless, session consistent, TLS 1.2 and restorable', async () => {
    const cosmos = await onlyOne('defaults', 'Microsoft.DocumentDB/databaseAccounts', anything)
    assert.deepEqual(cosmos.capabilities, [{ name: 'EnableServerless' }])
    assert.deepEqual(cosmos.consistencyPolicy, { defaultConsistencyLevel: 'Session' })
    assert.equal(cosmos.minimalTlsVersion, 'Tls12')
    assert.deepEqual(cosmos.backupPolicy, {
      type: 'Continuous',
      continuousModeProperties: { tier: 'Continuous7Days' },
    })
  })

  it("is partitioned by the user and indexed for the store's queries and nothing else", async () => {
    const shape = z.object({ resource: anything })
    const { resource } = await onlyOne(
      'defaults',
      'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers',
      shape,
    )
    assert.deepEqual(resource.partitionKey, { kind: 'Hash', paths: ['/user_id'], version: 2 })
    assert.deepEqual(resource.indexingPolicy, {
      automatic: true,
      indexingMode: 'consistent',
      includedPaths: ['/user_id/?', '/type/?', '/sort_key/?', '/category/?'].map((path) => ({ path })),
      excludedPaths: [{ path: '/*' }, { path: '/"_etag"/?' }],
    })
  })
})

describe('The search service', () => {
  it('is not deployed without the tool set documents, and the server is not told of one', async () => {
    for (const set of sets.filter((name) => !name.startsWith('documents'))) {
      const { predictedResources } = await deploymentOf(set)
      assert.doesNotMatch(JSON.stringify(predictedResources), /Microsoft\.Search|SEARCH_ENDPOINT/, set)
    }
  })

  it('is the free one unless SEARCH_SKU says basic, and is told to the server', async () => {
    const skus = { documents: 'free', 'documents-pipeline': 'basic' }
    for (const [set, name] of Object.entries(skus)) {
      const { predictedResources } = await deploymentOf(set)
      const search = predictedResources.find(({ type }) => type.startsWith('Microsoft.Search/'))
      assert.deepEqual(search?.sku, { name })
      assert.match(JSON.stringify(predictedResources), /"name":"SEARCH_ENDPOINT"/)
    }
  })
})

describe('Every resource', () => {
  // These have no tags in Azure Resource Manager: they belong to a resource that has.
  const untagged = /roleAssignments$|sqlRoleAssignments$|diagnosticSettings$|sqlDatabases(\/containers)?$/

  it("that can have tags carries the environment's name", async () => {
    for (const set of sets) {
      const { predictedResources } = await deploymentOf(set)
      const azure = predictedResources.filter(({ type }) => !type.startsWith('Microsoft.Graph/'))
      for (const { type, tags } of azure) {
        if (!untagged.test(type)) assert.equal(tags?.['azd-env-name'], 'dev', type)
      }
    }
  })
})
