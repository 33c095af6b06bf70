import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DOCUMENTS_INDEX, SEARCH_RESOURCE } from '../../../app/documents/search.ts'
import { environmentOf, type Surroundings } from '../../../scripts/cli/environment.ts'
import { documents } from '../../../scripts/documents.ts'
import { freePort } from '../../../scripts/emulators/loopback.ts'
import { type Contoso, MCP, startContoso } from '../emulators/contoso.ts'
import { ended, makeProject } from '../hooks.ts'

const GUID = '11111111-1111-4111-8111-111111111111'

describe('npm run documents', () => {
  let contoso: Contoso
  before(async () => {
    contoso = await startContoso()
  })
  after(() => contoso.tenant.close())

  /** What azd says after a deployment with the tool set. */
  const deployed = (changes: Record<string, string> = {}) => ({
    AZURE_ENV_NAME: 'dev',
    AZURE_SUBSCRIPTION_ID: GUID,
    AZURE_TENANT_ID: contoso.seed.tenantId,
    SERVER_URL: MCP,
    SERVER_IDENTITY_PRINCIPAL_ID: GUID,
    ENTRA_CLIENT_ID: GUID,
    ENTRA_API_APP_OBJECT_ID: GUID,
    ENTRA_API_APP_UNIQUE_NAME: 'api',
    ENTRA_API_PRINCIPAL_ID: GUID,
    ENTRA_PUBLIC_CLIENT_ID: GUID,
    ENTRA_ADMIN_GROUP_ID: contoso.seed.adminGroupId,
    ENTRA_USERS_GROUP_ID: contoso.seed.usersGroupId,
    COSMOS_ENDPOINT: 'https://cosmos.example',
    COSMOS_DATABASE: 'expenses',
    COSMOS_CONTAINER: 'expenses',
    SEARCH_ENDPOINT: contoso.tenant.searchUrl,
    ...changes,
  })
  const oidOf = (name: string) => contoso.seed.operators.find((one) => one.name === name)?.oid
  const tokenOf = (name: string) =>
    contoso.tenant.sign({
      iss: `${contoso.tenant.url}/${contoso.seed.tenantId}/`,
      aud: SEARCH_RESOURCE,
      oid: oidOf(name),
      exp: Math.floor(Date.now() / 1000) + 600,
    })
  const run = async (name: string, variables: Record<string, string> = deployed(), oid = oidOf(name)) => {
    const lines: string[] = []
    const surroundings: Surroundings = { environment: environmentOf(variables), variables }
    const operator = {
      token: () => tokenOf(name),
      claims: async () => ({ oid, roles: [] }),
    }
    await documents({ ...surroundings, print: (line) => void lines.push(line) }, operator)
    return lines
  }

  it('makes the index and says who finds which of the five documents; a second run changes nothing', async () => {
    const lines = await run('Olivia')
    assert.deepEqual(lines, [
      `✓ index documents at ${contoso.tenant.searchUrl}: its permission filter is on`,
      '✓ travel-policy: the users group, the admin group',
      '✓ expense-guide: the users group',
      '✓ approval-limits: the admin group',
      '✓ audit-checklist: the admin group',
      '✓ deployment-notes: you',
    ])
    const index = structuredClone(contoso.tenant.search.indexes.get(DOCUMENTS_INDEX))
    assert.equal(index?.definition.permissionFilterOption, 'enabled')
    assert.deepEqual(index?.documents.get('deployment-notes')?.reader_users, [oidOf('Olivia')])
    assert.deepEqual(await run('Olivia'), lines)
    assert.deepEqual(contoso.tenant.search.indexes.get(DOCUMENTS_INDEX), index)
  })

  it('switches the permission filter on again', async () => {
    await run('Olivia')
    const index = contoso.tenant.search.indexes.get(DOCUMENTS_INDEX)
    assert.ok(index)
    index.definition.permissionFilterOption = 'disabled'
    await run('Olivia')
    const { definition } = contoso.tenant.search.indexes.get(DOCUMENTS_INDEX) ?? {}
    assert.equal(definition?.permissionFilterOption, 'enabled')
  })

  const problems: [what: string, problem: () => Promise<unknown>, says: RegExp][] = [
    [
      'without the roles',
      () => run('Peter'),
      /refused with 403[\s\S]+Search Service Contributor and Search Index Data Contributor[\s\S]+fix: npm run documents/,
    ],
    [
      'without the tool set',
      () => run('Olivia', deployed({ SEARCH_ENDPOINT: '' })),
      /no search service[\s\S]+fix: azd env set TOOL_SETS/,
    ],
    [
      'for a service somewhere else, which would get a token',
      () => run('Olivia', deployed({ SEARCH_ENDPOINT: 'https://search.windows.net.example' })),
      /SEARCH_ENDPOINT should be https:\/\/<service>\.search\.windows\.net/,
    ],
    ['as nobody', () => run('Olivia', deployed(), ''), /names nobody[\s\S]+fix: azd auth login/],
    [
      'with a service that does not answer',
      async () => run('Olivia', deployed({ SEARCH_ENDPOINT: `http://localhost:${await freePort()}` })),
      /could not be used: ECONNREFUSED[\s\S]+fix: npm run documents/,
    ],
  ]
  for (const [what, problem, says] of problems)
    it(`says what to do ${what}`, () => assert.rejects(problem, { name: 'Problem', message: says }))

  it('says what to do while the service fails', async () => {
    contoso.tenant.faults.on('search', { status: 503, times: 1 })
    await assert.rejects(run('Olivia'), { name: 'Problem', message: /could not be used: 503/ })
  })

  it('runs alone, as whoever is signed in to azd', async () => {
    const project = await makeProject()
    try {
      await project.setAzd({ token: await tokenOf('Olivia'), values: deployed() })
      const { code, output } = await ended(project.startAlone('documents', {}))
      assert.equal(code, 0, output)
      assert.match(output, /✓ deployment-notes: you/)
      const calls = await project.azdCalls()
      assert.ok(
        calls.some((call) => call.includes('https://search.azure.com/.default')),
        calls.join('\n'),
      )
    } finally {
      await project.remove()
    }
  })
})
