import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigurationError } from '../../app/auth/credential.ts'
import { loadConfig } from '../../app/config.ts'
import { loadDeclaration } from '../../app/declaration.ts'
import { selfSigned } from '../certificate.ts'

const declaration = loadDeclaration()
const guid = '11111111-2222-3333-4444-555555555555'
const good = {
  AZURE_TENANT_ID: guid,
  ENTRA_CLIENT_ID: guid,
  SERVER_URL: 'https://server.example.com/mcp',
  ENTRA_ADMIN_GROUP_ID: guid,
  COSMOS_ENDPOINT: 'https://account.documents.azure.com',
  COSMOS_DATABASE: 'expenses',
  COSMOS_CONTAINER: 'expenses',
  AZURE_CLIENT_ID: guid,
}
const load = (changes: Record<string, string | undefined> = {}) =>
  loadConfig({ ...good, ...changes }, declaration)

const refuses = (changes: Record<string, string | undefined>, message: RegExp) =>
  assert.throws(
    () => load(changes),
    (error) => error instanceof ConfigurationError && message.test(error.message),
  )

describe('the configuration', () => {
  it('has the defaults of production', () => {
    const config = load()
    assert.equal(config.port, 8080)
    assert.equal(config.address, 'localhost')
    assert.equal(config.trustedProxies, 0)
    assert.equal(config.authorityHost, 'https://login.microsoftonline.com')
    assert.deepEqual(config.endpoints, { graph: 'https://graph.microsoft.com' })
    assert.equal(config.tokenMaxAgeHours, 24)
    assert.equal(config.oboCacheSeconds, 1800)
    assert.deepEqual(config.credential, { kind: 'managed-identity', clientId: guid })
    assert.deepEqual(config.serverUrls, ['https://server.example.com/mcp'])
  })

  it('takes the usual tool sets, or exactly those that it is told', () => {
    assert.deepEqual(load().permissions.toolSets, ['expenses', 'profile'])
    assert.deepEqual(load({ TOOL_SETS: '' }).permissions.toolSets, ['expenses', 'profile'])
    const { permissions, endpoints } = load({ TOOL_SETS: ' profile ' })
    assert.deepEqual(permissions.toolSets, ['profile'])
    assert.deepEqual(Object.keys(endpoints), ['graph'])
    for (const wrong of ['spending', 'expenses,', 'expenses,,profile', ' ', 'Expenses', 'expenses profile'])
      refuses({ TOOL_SETS: wrong }, /TOOL_SETS is wrong: .*tool sets, separated by commas: expenses, profile/)
    // With everything else that is wrong, in one message.
    refuses({ TOOL_SETS: 'spending', PORT: 'x' }, /PORT is wrong[\s\S]*TOOL_SETS is wrong/)
  })

  it('does not guess where a service of our own is', () => {
    const documents = { TOOL_SETS: 'documents' }
    for (const missing of [undefined, ''])
      refuses(
        { ...documents, SEARCH_ENDPOINT: missing },
        /^SEARCH_ENDPOINT is missing: it should be an https URL/,
      )
    for (const wrong of ['http://srch.search.windows.net', 'srch', 'https://a:b@srch.search.windows.net'])
      refuses(
        { ...documents, SEARCH_ENDPOINT: wrong },
        /^SEARCH_ENDPOINT is wrong: it should be an https URL/,
      )
    const { endpoints } = load({ ...documents, SEARCH_ENDPOINT: 'https://srch.search.windows.net/' })
    assert.deepEqual(endpoints, { search: 'https://srch.search.windows.net' })
    assert.equal(load({ SEARCH_ENDPOINT: undefined }).endpoints.search, undefined)
  })

  for (const name of Object.keys(good).filter((variable) => variable !== 'AZURE_CLIENT_ID')) {
    it(`names ${name} when it is missing or empty`, () => {
      refuses({ [name]: undefined }, new RegExp(`^${name} is missing: it should be`))
      refuses({ [name]: '' }, new RegExp(`^${name} is missing: it should be`))
    })
  }

  it('lets every client call, or exactly those that it is told', () => {
    assert.equal(load().allowedClients, undefined)
    const upper = guid.replace('1', 'A')
    const { allowedClients } = load({ ALLOWED_CLIENTS: `${upper}, ${guid}` })
    assert.deepEqual(allowedClients, new Set([upper.toLowerCase(), guid]))
    for (const wrong of ['everybody', `${guid};${guid}`, `${guid},`])
      refuses({ ALLOWED_CLIENTS: wrong }, /ALLOWED_CLIENTS is wrong: it should be the app ids/)
  })

  it('does not start for every client where infra/declaration.json allows a few', () => {
    const restricted = { ...declaration, allowedClients: [{ name: 'One', appId: guid }] }
    assert.throws(() => loadConfig(good, restricted), /ALLOWED_CLIENTS is missing: it should be the app ids/)
    const { allowedClients } = loadConfig({ ...good, ALLOWED_CLIENTS: guid }, restricted)
    assert.deepEqual(allowedClients, new Set([guid]))
  })

  it('names every fault at once', () => {
    refuses({ AZURE_TENANT_ID: undefined, PORT: 'eighty' }, /AZURE_TENANT_ID is missing.*\n.*PORT is wrong/)
  })

  const bad: [string, string, RegExp][] = [
    [
      'AZURE_TENANT_ID',
      'common',
      /AZURE_TENANT_ID is wrong: it should be the id of the Entra tenant, a GUID/,
    ],
    ['ENTRA_CLIENT_ID', 'api://x', /ENTRA_CLIENT_ID is wrong/],
    ['SERVER_URL', 'http://server.example.com/mcp', /SERVER_URL is wrong.*no trailing slash/],
    ['SERVER_URL', 'https://server.example.com/mcp/', /SERVER_URL is wrong/],
    ['SERVER_URL', 'https://server.example.com/other', /SERVER_URL is wrong/],
    ['SERVER_URL', 'https://user:password@server.example.com/mcp', /SERVER_URL is wrong/],
    ['EXTRA_SERVER_URLS', 'https://a.example.com/mcp,nonsense', /EXTRA_SERVER_URLS is wrong/],
    ['COSMOS_ENDPOINT', 'http://account.documents.azure.com', /COSMOS_ENDPOINT is wrong/],
    ['ENTRA_AUTHORITY_HOST', 'http://login.example.com', /ENTRA_AUTHORITY_HOST is wrong/],
    ['GRAPH_ENDPOINT', 'http://graph.example.com', /GRAPH_ENDPOINT is wrong/],
    ['ALLOWED_ORIGINS', 'http://a.example.com', /ALLOWED_ORIGINS is wrong: it should be origins such as/],
    ['ALLOWED_ORIGINS', 'https://a.example.com/', /ALLOWED_ORIGINS is wrong/],
    ['ALLOWED_ORIGINS', 'https://a.example.com,*', /ALLOWED_ORIGINS is wrong/],
    ['PORT', '0', /PORT is wrong/],
    ['PORT', '65536', /PORT is wrong/],
    ['LISTEN_ADDRESS', 'example.com', /LISTEN_ADDRESS is wrong: it should be localhost or an IP address/],
    ['IN_FLIGHT_PER_USER', '0', /IN_FLIGHT_PER_USER is wrong/],
    ['IN_FLIGHT', 'many', /IN_FLIGHT is wrong/],
    ['TRUSTED_PROXIES', '-1', /TRUSTED_PROXIES is wrong/],
    ['TOKEN_MAX_AGE_HOURS', '25', /TOKEN_MAX_AGE_HOURS is wrong/],
    ['OBO_CACHE_SECONDS', '1801', /OBO_CACHE_SECONDS is wrong/],
    ['RATE_LIMIT_PER_MINUTE', '0', /RATE_LIMIT_PER_MINUTE is wrong/],
    ['LOG_LEVEL', 'chatty', /LOG_LEVEL is wrong: it should be error, warn or info/],
    ['COSMOS_KEY', 'a key', /COSMOS_KEY is refused/],
    ['ENTRA_CLIENT_SECRET', 'a secret', /ENTRA_CLIENT_SECRET is refused/],
    ['ENTRA_CLIENT_CERTIFICATE_PATH', '/nowhere.pem', /ENTRA_CLIENT_CERTIFICATE_PATH is wrong: it should be/],
  ]
  for (const [name, value, message] of bad)
    it(`refuses ${name}=${value}`, () => refuses({ [name]: value }, message))

  it('never repeats a bad value, which may be a secret', () => {
    assert.throws(
      () => load({ COSMOS_ENDPOINT: 'S3cret' }),
      (error) => error instanceof Error && !error.message.includes('S3cret'),
    )
  })

  it('takes plain http on loopback only', () => {
    for (const host of ['localhost:8081', '127.0.0.1:8081', '[::1]:8081']) {
      assert.equal(load({ ENTRA_AUTHORITY_HOST: `http://${host}/` }).authorityHost, `http://${host}`)
    }
    refuses({ ENTRA_AUTHORITY_HOST: 'http://localhost.example.com' }, /ENTRA_AUTHORITY_HOST/)
  })

  it('completes a server URL without a path and takes custom domains', () => {
    const config = load({
      SERVER_URL: 'https://a.example.com',
      EXTRA_SERVER_URLS: 'https://b.example.com/mcp, https://c.example.com',
    })
    assert.deepEqual(config.serverUrls, [
      'https://a.example.com/mcp',
      'https://b.example.com/mcp',
      'https://c.example.com/mcp',
    ])
  })

  it('takes origins of pages, by default none', () => {
    assert.deepEqual(load().allowedOrigins, [])
    const ALLOWED_ORIGINS = 'https://a.example.com, http://localhost:6274'
    assert.deepEqual(load({ ALLOWED_ORIGINS }).allowedOrigins, [
      'https://a.example.com',
      'http://localhost:6274',
    ])
  })

  it('takes the connection string of Application Insights, or none', () => {
    assert.equal(load().ingestion, undefined)
    assert.equal(load({ APPLICATIONINSIGHTS_CONNECTION_STRING: '' }).ingestion, undefined)
    const value = `InstrumentationKey=${guid.replace('1', 'A')};IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;LiveEndpoint=https://live.example.com/;ApplicationId=${guid}`
    const endpoint = 'https://westeurope-5.in.applicationinsights.azure.com'
    assert.deepEqual(load({ APPLICATIONINSIGHTS_CONNECTION_STRING: value }).ingestion, {
      connectionString: `InstrumentationKey=${guid.replace('1', 'a')};IngestionEndpoint=${endpoint}`,
      endpoint,
    })
    const local = `IngestionEndpoint=http://localhost:9000; instrumentationkey=${guid};`
    assert.equal(
      load({ APPLICATIONINSIGHTS_CONNECTION_STRING: local }).ingestion?.endpoint,
      'http://localhost:9000',
    )
  })

  for (const [what, value] of Object.entries({
    'is no connection string': 'S3cret',
    'is a bare key': guid,
    'has no endpoint': `InstrumentationKey=${guid}`,
    'has no key': 'IngestionEndpoint=https://in.example.com/',
    'has a key that is no GUID': 'InstrumentationKey=S3cret;IngestionEndpoint=https://in.example.com/',
    'has a plain http endpoint': `InstrumentationKey=${guid};IngestionEndpoint=http://in.example.com/`,
    'has an endpoint that is no URL': `InstrumentationKey=${guid};IngestionEndpoint=in.example.com`,
    'has an endpoint with a password': `InstrumentationKey=${guid};IngestionEndpoint=https://u:S3cret@in.example.com/`,
  })) {
    it(`refuses an APPLICATIONINSIGHTS_CONNECTION_STRING that ${what}, without repeating it`, () => {
      refuses(
        { APPLICATIONINSIGHTS_CONNECTION_STRING: value },
        /^APPLICATIONINSIGHTS_CONNECTION_STRING is wrong: it should be the connection string of an Application Insights component: InstrumentationKey=<GUID>;IngestionEndpoint=<https URL>;\.\.\. \(http on localhost only\)\.$/,
      )
    })
  }

  it('needs a key for an http Cosmos emulator', () => {
    refuses({ COSMOS_ENDPOINT: 'http://localhost:8082' }, /COSMOS_KEY is missing/)
    assert.equal(load({ COSMOS_ENDPOINT: 'http://localhost:8082', COSMOS_KEY: 'key' }).cosmos.key, 'key')
  })

  it('needs exactly one credential', () => {
    refuses({ AZURE_CLIENT_ID: undefined }, /^0 credentials are set: set exactly one of AZURE_CLIENT_ID/)
    const two = { ENTRA_CLIENT_SECRET: 'a secret', ENTRA_CLIENT_CERTIFICATE_PATH: '/any.pem' }
    refuses({ AZURE_CLIENT_ID: undefined, ...two }, /^2 credentials are set/)
    const secret = load({ AZURE_CLIENT_ID: undefined, ENTRA_CLIENT_SECRET: 'a secret' })
    assert.deepEqual(secret.credential, { kind: 'secret', secret: 'a secret' })
  })

  it('refuses a client secret where the platform offers a managed identity', () => {
    refuses(
      {
        AZURE_CLIENT_ID: undefined,
        ENTRA_CLIENT_SECRET: 'a secret',
        IDENTITY_ENDPOINT: 'http://169.254.255.2:8081/msi/token',
      },
      /ENTRA_CLIENT_SECRET is refused where a managed identity is present/,
    )
  })

  it('reads a certificate, and refuses a file that holds none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
    try {
      const path = join(folder, 'both.pem')
      const { forMsal } = await selfSigned()
      writeFileSync(path, `${forMsal.x5c}\n${forMsal.privateKey}`)
      const { credential } = load({ AZURE_CLIENT_ID: undefined, ENTRA_CLIENT_CERTIFICATE_PATH: path })
      assert.ok(credential.kind === 'certificate')
      assert.equal(credential.file.current.thumbprintSha256, forMsal.thumbprintSha256)
      // In Azure the managed identity is still what the server reads its data with.
      const inAzure = load({ ENTRA_CLIENT_CERTIFICATE_PATH: path })
      assert.deepEqual([inAzure.credential.kind, inAzure.azureIdentity], ['certificate', guid])
      for (const content of [forMsal.x5c, forMsal.privateKey, '']) {
        writeFileSync(path, content)
        refuses(
          { AZURE_CLIENT_ID: undefined, ENTRA_CLIENT_CERTIFICATE_PATH: path },
          /ENTRA_CLIENT_CERTIFICATE_PATH is wrong: it should be the path of a readable PEM file/,
        )
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  for (const [name, value, message] of [
    ['SERVER_URL', '', /^SERVER_URL is missing/],
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'S3cret', /^APPLICATIONINSIGHTS_CONNECTION_STRING is wrong/],
  ] as const) {
    it(`stops the process before it listens, naming ${name} on stderr`, () => {
      assert.throws(
        () =>
          execFileSync(process.execPath, ['app/server.ts'], {
            env: { ...good, [name]: value },
            stdio: 'pipe',
          }),
        (error) => {
          const { status, stderr, stdout } = error as { status: number; stderr: Buffer; stdout: Buffer }
          return status === 1 && stdout.length === 0 && message.test(stderr.toString())
        },
      )
    })
  }
})
