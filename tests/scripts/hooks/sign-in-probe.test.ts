import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { startTenant, type Tenant } from '../../../scripts/emulators/tenant.ts'
import { probe } from '../../../scripts/hooks/postdeploy.ts'

const MCP = 'http://localhost:5000/mcp'

describe('sign-in probe', () => {
  let tenant: Tenant
  before(async () => {
    tenant = await startTenant({
      ...seedDirectory({ mcpUrls: [MCP], permissions: loadPermissions() }),
      port: 0,
    })
  })
  after(() => tenant.close())

  const ask = (changes: Partial<Parameters<typeof probe>[0]> = {}) =>
    probe({
      authorityHost: tenant.url,
      tenantId: tenant.tenantId,
      clientId: 'aebc6443-996d-45c2-90f0-388ff96faa56',
      redirectUri: 'http://127.0.0.1:33418/',
      scope: `${MCP}/user_impersonation`,
      resource: MCP,
      ...changes,
    })

  it('takes the sign-in page as acceptance', async () => {
    assert.equal(await ask(), undefined)
  })

  it('names the code of a refusal that comes as a redirect', async () => {
    assert.match((await ask({ resource: 'http://localhost:5000/other' })) ?? '', /^AADSTS9010010: [^\n]+$/)
  })

  it('names the code of a refusal that is shown as a page', async () => {
    assert.match((await ask({ redirectUri: 'https://elsewhere.example/' })) ?? '', /^AADSTS50011\b/)
    assert.match((await ask({ clientId: '99999999-9999-4999-8999-999999999999' })) ?? '', /^AADSTS700016\b/)
  })

  it('finds a bare scope, which would mean Microsoft Graph', async () => {
    assert.match((await ask({ scope: 'user_impersonation' })) ?? '', /^AADSTS650053\b/)
  })
})
