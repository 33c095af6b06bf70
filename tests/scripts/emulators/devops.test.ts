import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { loadPermissions } from '../../../app/permissions.ts'
import { DEVOPS_APP_ID } from '../../../scripts/emulators/devops.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { startTenant, type Tenant } from './tenant.ts'

const Body = z.object({
  id: z.string().optional(),
  displayName: z.string().optional(),
  emailAddress: z.string().optional(),
  publicAlias: z.string().optional(),
  value: z.array(z.object({ accountName: z.string() })).optional(),
})

const PROFILE = '/_apis/profile/profiles/me?api-version=7.1-preview.3'

describe('the emulator of Azure DevOps', () => {
  let tenant: Tenant
  let own: Record<string, unknown>
  before(async () => {
    const permissions = loadPermissions('profile,devops')
    const seed = seedDirectory({ mcpUrls: ['http://localhost:1/mcp'], permissions })
    tenant = await startTenant({ ...seed, port: 0 })
    const alice = seed.users.find(({ name }) => name === 'Alice')
    const graph = await tenant.tokenFor({
      user: alice?.upn ?? '',
      clientId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      scope: 'https://graph.microsoft.com/User.Read',
    })
    own = { ...decodeJwt(graph), aud: DEVOPS_APP_ID, scp: 'vso.profile' }
  })
  after(() => tenant.close())

  const get = async (path: string, token?: string) => {
    const response = await fetch(`${tenant.downstreamUrls.devops}${path}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
    return { status: response.status, body: Body.parse(await response.json()) }
  }
  const asAlice = async (path: string, changes: Record<string, unknown> = {}) =>
    get(path, await tenant.sign({ ...own, ...changes }))

  it('says who the user of the token is, and where they work', async () => {
    const { status, body } = await asAlice(PROFILE)
    assert.deepEqual(
      [status, body.displayName, body.emailAddress],
      [200, 'Alice Adams', 'alice@contoso.example'],
    )
    assert.notEqual(body.id, own.oid)
    const accounts = await asAlice(`/_apis/accounts?memberId=${body.publicAlias}&api-version=7.1-preview.1`)
    assert.deepEqual(
      accounts.body.value?.map(({ accountName }) => accountName),
      ['fabrikam', 'contoso'],
    )
  })

  it('refuses tokens that are missing, for another API, over, of another tenant, of an app, or without the scope', async () => {
    assert.equal((await get(PROFILE)).status, 401)
    assert.equal((await get(PROFILE, 'not.a.token')).status, 401)
    for (const changes of [
      { aud: 'https://graph.microsoft.com' },
      { aud: `${DEVOPS_APP_ID}/` },
      { exp: 1 },
      { iss: 'http://localhost/other/' },
      { oid: crypto.randomUUID() },
      { scp: undefined, idtyp: 'app' },
      { scp: 'User.Read' },
      { scp: 'vso.profile_write' },
    ])
      assert.equal((await asAlice(PROFILE, changes)).status, 401, JSON.stringify(changes))
  })

  it('refuses to list the organisations of others, or of nobody', async () => {
    const others = `/_apis/accounts?memberId=${crypto.randomUUID()}&api-version=7.1-preview.1`
    assert.equal((await asAlice(others)).status, 403)
    assert.equal((await asAlice('/_apis/accounts?api-version=7.1-preview.1')).status, 400)
  })

  it('wants the version that is documented, and knows no other path', async () => {
    for (const path of ['/_apis/profile/profiles/me', '/_apis/profile/profiles/me?api-version=7.1'])
      assert.equal((await asAlice(path)).status, 400)
    assert.equal((await asAlice('/_apis/projects?api-version=7.1')).status, 404)
  })
})

describe('a tenant that has never met Azure DevOps', () => {
  it('gives no token for it', async () => {
    const seed = seedDirectory({
      mcpUrls: ['http://localhost:1/mcp'],
      permissions: loadPermissions('profile'),
    })
    assert.equal(seed.directory.servicePrincipal(DEVOPS_APP_ID), undefined)
    assert.equal(seed.directory.resource(DEVOPS_APP_ID), undefined)
    // Microsoft knows the app all the same: a service principal can be made for it.
    assert.ok(seed.directory.application(DEVOPS_APP_ID))
  })
})
