import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { loadDeclaration } from '../../app/declaration.ts'
import { readable } from '../scripts/bicep/deployed-values.ts'
import { compileChanged } from './changed-files.ts'
import { environmentOf, onlyOne, resourcesOf, sets, withoutCompiler } from './deployments.ts'
import { target } from './snapshots.ts'

const INFRA = fileURLToPath(new URL('../../infra/', import.meta.url))

const Probe = z.object({ type: z.string(), httpGet: z.object({ path: z.string(), port: z.number() }) })
const Server = z.object({
  configuration: z.object({
    ingress: z.looseObject({ allowInsecure: z.boolean(), external: z.boolean(), targetPort: z.number() }),
    registries: z.array(z.object({ server: z.string(), identity: z.string() })),
    secrets: z.undefined().optional(),
  }),
  template: z.object({
    containers: z.tuple([
      z.object({
        image: z.string(),
        env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
        probes: z.array(Probe),
      }),
    ]),
    scale: z.object({ minReplicas: z.number(), maxReplicas: z.number() }),
  }),
})
const serverOf = (set: string) => onlyOne(set, 'Microsoft.App/containerApps', Server)
const probesOf = async (set: string) =>
  (await serverOf(set)).template.containers[0].probes.map(({ type, httpGet }) => [
    type,
    readable(httpGet.path),
    httpGet.port,
  ])

describe('The server', () => {
  it('is reached over HTTPS only', async () => {
    for (const set of sets) {
      const { ingress } = (await serverOf(set)).configuration
      assert.deepEqual(
        [ingress.external, ingress.allowInsecure, ingress.targetPort],
        [true, false, 8080],
        set,
      )
    }
  })

  it('pulls its image with the managed identity and has no secret', async () => {
    const { registries } = (await serverOf('defaults')).configuration
    assert.deepEqual(
      registries.map(({ server }) => readable(server).replace(/(?<=cr)[a-z0-9]{13}/, '*')),
      ['{cr*.loginServer}'],
    )
    assert.match(registries[0]?.identity ?? '', /userAssignedIdentities\/id-[a-z0-9]{13}$/)
  })

  it('is told everything that it asks for and no secret', async () => {
    const { env } = (await serverOf('defaults')).template.containers[0]
    assert.deepEqual(
      Object.fromEntries(env.map(({ name, value }) => [name, readable(value).replace(/[a-z0-9]{13}/, '*')])),
      {
        AZURE_TENANT_ID: '22222222-2222-4222-8222-222222222222',
        AZURE_CLIENT_ID: '{id.clientId}',
        ENTRA_CLIENT_ID: '{api.appId}',
        ENTRA_ADMIN_GROUP_ID: '{admins.id}',
        SERVER_URL: 'https://ca-*.{cae.defaultDomain}/mcp',
        TOOL_SETS: 'expenses,profile',
        COSMOS_ENDPOINT: '{cosmos.documentEndpoint}',
        COSMOS_DATABASE: 'expenses',
        COSMOS_CONTAINER: 'expenses',
        APPLICATIONINSIGHTS_CONNECTION_STRING: '{appi.ConnectionString}',
        PORT: '8080',
        TRUSTED_PROXIES: '1',
      },
    )
  })

  it('is told its custom domains', async () => {
    const { env } = (await serverOf('custom-domain')).template.containers[0]
    const extra = env.find(({ name }) => name === 'EXTRA_SERVER_URLS')
    assert.equal(extra?.value, 'https://mcp.contoso.com/mcp,https://expenses.contoso.com/mcp')
  })

  it('is told the origins of pages that may call, by default none', async () => {
    const { env } = (await serverOf('custom-domain')).template.containers[0]
    const origins = env.find(({ name }) => name === 'ALLOWED_ORIGINS')
    assert.equal(origins?.value, 'https://inspector.contoso.com,http://localhost:6274')
  })

  it('is told which clients may call, once permissions.json names some', {
    skip: withoutCompiler,
  }, async () => {
    const { env } = (await serverOf('defaults')).template.containers[0]
    assert.equal(
      env.find(({ name }) => name === 'ALLOWED_CLIENTS'),
      undefined,
    )
    const code = 'aebc6443-996d-45c2-90f0-388ff96faa56'
    const allowed = [
      { name: 'Visual Studio Code', appId: code },
      { name: 'Our own', appId: 'publicClient' },
    ]
    const { written } = await compileChanged({
      ...target,
      infra: INFRA,
      environment: environmentOf('defaults'),
      files: { 'permissions.json': JSON.stringify({ ...loadDeclaration(), allowedClients: allowed }) },
    })
    const value =
      /"name": ?"ALLOWED_CLIENTS","value": ?"((?:[^"\\\\]|\\\\.)*)"/.exec(
        JSON.stringify(written.snapshot),
      )?.[1] ?? ''
    assert.match(readable(JSON.parse(`"${value}"`)), new RegExp(`${code}.*publicClient\\.appId`))
  })

  it('is asked on /healthz and /readyz; the placeholder of the first deployment, which has no /readyz, is not', async () => {
    const [startup, liveness] = [
      ['Startup', '/healthz', 8080],
      ['Liveness', '/healthz', 8080],
    ]
    assert.deepEqual(await probesOf('defaults'), [startup, liveness, ['Readiness', '/healthz', 8080]])
    const image = 'coalesce({ca.template.containers.0.image}, variables(placeholder))'
    const onceOurs = `if(equals(${image}, mcr.microsoft.com/dotnet/samples:aspnetapp), /healthz, /readyz)`
    assert.deepEqual(await probesOf('existing-server'), [startup, liveness, ['Readiness', onceOurs, 8080]])
  })

  it('keeps its image and custom domains when it is there already', async () => {
    const { template, configuration } = await serverOf('existing-server')
    const image = readable(template.containers[0].image)
    assert.equal(image, 'coalesce({ca.template.containers.0.image}, variables(placeholder))')
    const domains = readable(configuration.ingress.customDomains)
    assert.equal(domains, 'coalesce(tryGet({ca.configuration.ingress}, customDomains), [])')
    assert.equal(
      (await serverOf('defaults')).template.containers[0].image,
      'mcr.microsoft.com/dotnet/samples:aspnetapp',
    )
  })

  it('scales from zero to ten unless told otherwise', async () => {
    const { scale } = (await serverOf('defaults')).template
    assert.deepEqual([scale.minReplicas, scale.maxReplicas], [0, 10])
    const told = (await serverOf('custom-domain')).template.scale
    assert.deepEqual([told.minReplicas, told.maxReplicas], [1, 3])
  })

  it('is found by azd', async () => {
    const [server] = await resourcesOf('defaults', 'Microsoft.App/containerApps')
    assert.equal(server?.tags?.['azd-service-name'], 'server')
  })
})
