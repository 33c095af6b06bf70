import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { parse } from 'yaml'
import { z } from 'zod'

const schema = new URL('../../../shared/schemas/azure.yaml.json', import.meta.url)
const withoutSchema = existsSync(schema) ? false : 'no schema of azure.yaml beside this repository'
if (withoutSchema) console.log(`# ${withoutSchema}`)

const AzureYaml = z.object({
  requiredVersions: z.object({ azd: z.string() }),
  infra: z.object({ provider: z.string(), path: z.string(), module: z.string() }),
  services: z.record(
    z.string(),
    z.object({
      host: z.string(),
      project: z.string(),
      resourceGroup: z.string(),
      docker: z.object({ path: z.string(), context: z.string(), remoteBuild: z.boolean() }),
    }),
  ),
})
const read = async () => parse(await readFile(new URL('../../azure.yaml', import.meta.url), 'utf8'))

describe('azure.yaml', () => {
  it("is valid by azd's own schema", { skip: withoutSchema }, async () => {
    const text = await readFile(schema, 'utf8')
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false })
    // Schemas of azd extensions, which are elsewhere and about services that we do not have.
    const elsewhere = new Set(
      Array.from(text.matchAll(/"\$ref":\s*"(https:[^"#]+)"/g), ([, url = '']) => url),
    )
    for (const url of elsewhere) ajv.addSchema({}, url)
    const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(text)))
    assert.ok(validate(await read()), JSON.stringify(validate.errors, undefined, 2))
    assert.ok(!validate({ services: 7 }), 'a wrong file should be refused')
  })

  it('asks for the azd that runs TypeScript hooks', async () => {
    assert.equal(AzureYaml.parse(await read()).requiredVersions.azd, '>= 1.23.15')
  })

  it('has one service, built by the registry from files that are there', async () => {
    const { infra, services } = AzureYaml.parse(await read())
    assert.deepEqual(Object.keys(services), ['server'])
    const root = new URL('../../', import.meta.url)
    assert.ok(existsSync(new URL(services.server?.docker.path ?? 'missing', root)))
    assert.equal(services.server?.docker.remoteBuild, true)
    assert.ok(existsSync(new URL(`${infra.path}/${infra.module}.bicepparam`, root)))
  })

  it('names the resource group that the template makes, so that azd does not look for one by its tag', async () => {
    const { services } = AzureYaml.parse(await read())
    const template = await readFile(new URL('../../infra/main.bicep', import.meta.url), 'utf8')
    const [, name = ''] = /resourceGroups@[^{]+\{\n {2}name: '([^']+)'/.exec(template) ?? []
    assert.equal(services.server?.resourceGroup, name.replace('environmentName', 'AZURE_ENV_NAME'))
  })

  it('leaves the container app to azd provision: with parameters of its own, azd deploy would deploy it anew', () => {
    for (const file of ['server.bicepparam', 'server.parameters.json']) {
      assert.ok(!existsSync(new URL(`../../infra/${file}`, import.meta.url)), file)
    }
  })
})
