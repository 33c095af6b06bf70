import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { runBicep } from './bicep.ts'
import {
  committed,
  deploymentOf,
  type Environment,
  environmentOf,
  fresh,
  sets,
  withoutCompiler,
} from './deployments.ts'
import { asText, parameterSets, pipelineSets, target } from './snapshots.ts'

const infra = fileURLToPath(new URL('../../infra/', import.meta.url))
/** Most type errors of resources are warnings only, so any word counts. */
const said = async (args: string[], cwd: string, env: Environment = {}) => {
  const { code, stdout, stderr } = await runBicep(args, { cwd, env })
  return {
    code,
    findings: `${stdout}${stderr}`.split('\n').filter((line) => / (Error|Warning|Info) /.test(line)),
  }
}
const nothing = { code: 0, findings: [] }

describe('The compiler', { skip: withoutCompiler }, () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'infra-'))
    await cp(infra, folder, { recursive: true })
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const file of readdirSync(infra).filter((name) => name.endsWith('.bicep'))) {
    it(`finds nothing to say about ${file}`, async () => {
      assert.deepEqual(await said(['lint', file], folder), nothing)
      assert.deepEqual(await said(['build', file, '--stdout'], folder), nothing)
    })
  }

  for (const [name, all] of Object.entries({ main: parameterSets, pipeline: pipelineSets })) {
    for (const [set, env] of Object.entries(all)) {
      it(`finds nothing to say about ${name}.bicepparam with the parameters "${set}"`, async () => {
        const file = `${name}.bicepparam`
        assert.deepEqual(await said(['lint', file], folder, env), nothing)
        assert.deepEqual(await said(['build-params', file, '--stdout'], folder, env), nothing)
        const ids = ['--subscription-id', target.subscriptionId, '--tenant-id', target.tenantId]
        const place = ['--location', env.AZURE_LOCATION ?? '']
        assert.deepEqual(await said(['snapshot', file, ...ids, ...place], folder, env), nothing)
      })
    }
  }
})

describe("The linter's configuration", () => {
  it('has every rule at error but the two that are said not to apply', async () => {
    const text = await readFile(new URL('../../infra/bicepconfig.json', import.meta.url), 'utf8')
    const withoutComments = text.replace(/^\s*\/\/.*$/gm, '')
    const Config = z.object({
      analyzers: z.object({
        core: z.object({
          enabled: z.literal(true),
          rules: z.record(z.string(), z.object({ level: z.string() })),
        }),
      }),
    })
    const { rules } = Config.parse(JSON.parse(withoutComments)).analyzers.core
    const off = Object.entries(rules).filter(([, { level }]) => level !== 'error')
    assert.deepEqual(Object.fromEntries(off), {
      'use-recent-api-versions': { level: 'off' },
      'use-description-vars': { level: 'off' },
    })
  })
})

describe('The committed snapshots', { skip: withoutCompiler }, () => {
  for (const set of sets) {
    it(`"${set}" is what the template predicts today`, async () => {
      const [today, then] = [asText(await deploymentOf(set)), asText(await committed(set))]
      assert.ok(
        today === then,
        `tests/infra/${set}.snapshot.json is stale. Run: npm run snapshots, and read the diff.`,
      )
    })
  }
})

describe('Names', { skip: withoutCompiler }, () => {
  it('are the same when the template is compiled twice', async () => {
    const environment = environmentOf('defaults')
    assert.equal(asText(await fresh(environment)), asText(await fresh(environment)))
  })

  it("of every identity object and every Azure resource change with the environment's name", async () => {
    const namesIn = async (name: string) => {
      const { predictedResources } = await fresh({ ...environmentOf('custom-domain'), AZURE_ENV_NAME: name })
      return predictedResources.flatMap(({ id, properties }) =>
        [id, properties?.uniqueName].filter((key) => typeof key === 'string'),
      )
    }
    const [dev, test] = [new Set(await namesIn('dev')), await namesIn('test')]
    assert.ok(test.length > 15)
    assert.deepEqual(
      test.filter((name) => dev.has(name)),
      [],
    )
  })

  it('of identity objects stay the same in another region', async () => {
    const { predictedResources } = await fresh({
      ...environmentOf('defaults'),
      AZURE_LOCATION: 'swedencentral',
    })
    const uniqueNames = (resources: typeof predictedResources) =>
      resources.flatMap(({ properties }) => properties?.uniqueName ?? [])
    const { predictedResources: before } = await deploymentOf('defaults')
    assert.deepEqual(uniqueNames(predictedResources).toSorted(), uniqueNames(before).toSorted())
  })
})

/** Outputs and parameters of a template and of the templates inside it, by type. */
const typesIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap(typesIn)
  const Declared = z.object({ outputs: z.record(z.string(), z.object({ type: z.string().optional() })) })
  const declared = Declared.safeParse(value)
  return declared.success
    ? [...inner, ...Object.values(declared.data.outputs).map(({ type }) => type ?? '')]
    : inner
}

describe('Outputs', { skip: withoutCompiler }, () => {
  it('hold no secret, neither of the template nor of a module', async () => {
    const { code, stdout, stderr } = await runBicep(['build', 'main.bicep', '--stdout'], { cwd: infra })
    assert.equal(code, 0, stderr)
    const types = typesIn(JSON.parse(stdout))
    assert.ok(types.length > 30)
    assert.deepEqual(
      types.filter((type) => /secure/i.test(type)),
      [],
    )
  })
})

describe('Output names', () => {
  it('are the ones that azd and the hooks ask for', async () => {
    const { outputs = {} } = await deploymentOf('defaults')
    const wanted = [
      'AZURE_CONTAINER_APPS_ENVIRONMENT_ID',
      'AZURE_CONTAINER_REGISTRY_ENDPOINT',
      'AZURE_RESOURCE_GROUP',
      'AZURE_TENANT_ID',
      'COSMOS_CONTAINER',
      'COSMOS_DATABASE',
      'COSMOS_ENDPOINT',
      'ENTRA_ADMIN_GROUP_ID',
      'ENTRA_API_APP_OBJECT_ID',
      'ENTRA_API_APP_UNIQUE_NAME',
      'ENTRA_API_PRINCIPAL_ID',
      'ENTRA_CLIENT_ID',
      'ENTRA_DEV_APP_OBJECT_ID',
      'ENTRA_DEV_CLIENT_ID',
      'ENTRA_DEV_PRINCIPAL_ID',
      'ENTRA_PUBLIC_CLIENT_ID',
      'ENTRA_USERS_GROUP_ID',
      'LOCAL_DEVELOPMENT_URL',
      'SERVER_IDENTITY_CLIENT_ID',
      'SERVER_IDENTITY_PRINCIPAL_ID',
      'SERVER_URL',
      'SERVICE_SERVER_NAME',
    ]
    assert.deepEqual(
      wanted.filter((name) => !(name in outputs)),
      [],
    )
    for (const name of Object.keys(outputs)) assert.match(name, /^[A-Z][A-Z0-9_]+$/)
  })
})
