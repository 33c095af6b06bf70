import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import { namesOf } from '../../../scripts/identity/names.ts'
import { Prediction, predict } from '../../infra/prediction.ts'
import { parameterSets, snapshotFile, target } from '../../infra/snapshots.ts'

const compiler = findBicep()
const Named = z.object({ uniqueName: z.string(), tags: z.array(z.string()).optional() })

/** Unique names and tags that the template gives to objects in Entra. */
function declared({ predictedResources }: Prediction) {
  const all = predictedResources.flatMap(({ properties }) => {
    const named = Named.safeParse(properties)
    return named.success ? [named.data] : []
  })
  return {
    names: new Set(all.map(({ uniqueName }) => uniqueName)),
    tags: new Set(all.flatMap(({ tags = [] }) => tags)),
  }
}

const scripted = (environment: Record<string, string>, subscriptionId = target.subscriptionId) =>
  namesOf({
    AZURE_ENV_NAME: environment.AZURE_ENV_NAME ?? '',
    AZURE_SUBSCRIPTION_ID: subscriptionId,
    ENTRA_API_APP_UNIQUE_NAME: undefined,
  })

describe('names', () => {
  for (const [set, environment] of Object.entries(parameterSets)) {
    it(`are those of the committed snapshot "${set}"`, async () => {
      const { names, tags } = declared(
        Prediction.parse(JSON.parse(await readFile(snapshotFile(set), 'utf8'))),
      )
      const { api, client, dev, admins, users, tags: ours } = scripted(environment)
      const absent = [
        environment.LOCAL_DEVELOPMENT === 'false' ? dev : undefined,
        environment.EXISTING_ADMIN_GROUP_ID ? admins : undefined,
      ]
      const wanted = [api, client, dev, admins, users].filter((name) => !absent.includes(name))
      assert.deepEqual([...names].sort(), wanted.sort())
      assert.deepEqual([...tags].sort(), [...ours].sort())
    })
  }

  it('are those of the compiler for other subscriptions and environments', {
    skip: compiler ? false : 'no Bicep compiler here; name one with BICEP=/path/to/bicep',
  }, async () => {
    for (const [AZURE_ENV_NAME, subscriptionId] of [
      ['x', '00000000-0000-4000-8000-000000000000'],
      ['contoso-production-weu-0123456789-abcde', 'fedcba98-7654-4321-8fed-cba987654321'],
    ] as const) {
      const environment = { AZURE_ENV_NAME, AZURE_LOCATION: 'westeurope' }
      const { names } = declared(await predict(environment, { ...target, subscriptionId }))
      const { api, client, dev, admins, users } = scripted(environment, subscriptionId)
      // Without a deployer there are members to come, but the group is declared all the same.
      assert.deepEqual([...names].sort(), [api, client, dev, admins, users].sort())
    }
  })

  it('differ from those of another subscription with an environment of the same name', () => {
    const other = scripted({ AZURE_ENV_NAME: 'dev' }, '33333333-3333-4333-8333-333333333333')
    assert.notEqual(other.api, scripted({ AZURE_ENV_NAME: 'dev' }).api)
  })

  it('stop a script when the deployment says another name', () => {
    const known = {
      AZURE_ENV_NAME: 'dev',
      AZURE_SUBSCRIPTION_ID: target.subscriptionId,
      ENTRA_API_APP_UNIQUE_NAME: 'mcp-expenses-api-renamed',
    }
    assert.throws(() => namesOf(known), {
      name: 'Problem',
      message: /scripts look for mcp-expenses-api-dev-[\s\S]*fix: Make scripts\/identity\/names\.ts follow/,
    })
  })
})
