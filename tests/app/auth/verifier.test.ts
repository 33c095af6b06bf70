import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it, mock } from 'node:test'
import { SigningKeys } from '../../../app/auth/keys.ts'
import { isService, TokenRefused, Verifier } from '../../../app/auth/verifier.ts'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { startTenant, type Tenant } from '../../scripts/emulators/tenant.ts'

const mcp = 'http://localhost:8080/mcp'
const seed = seedDirectory({ mcpUrls: [mcp], permissions: loadPermissions() })
const NOW = 1_800_000_000_000

// Every refusal of a token stands in tests/e2e/refusals.test.ts, over HTTP.
describe('the verifier', () => {
  let tenant: Tenant
  let verifier: Verifier
  before(async () => {
    tenant = await startTenant({ ...seed, port: 0 })
    const { tenantId, apiAppId: clientId } = seed
    const config = { tenantId, clientId, authorityHost: tenant.url, serverUrl: mcp, tokenMaxAgeHours: 24 }
    verifier = new Verifier(config, new SigningKeys(tenant.url, tenantId))
  })
  afterEach(() => mock.timers.reset())
  after(() => tenant.close())

  const issued = (changes: Record<string, unknown> = {}) => {
    const now = Math.floor(Date.now() / 1000)
    return tenant.sign({
      aud: seed.apiAppId,
      iss: `${tenant.url}/${seed.tenantId}/v2.0`,
      iat: now,
      nbf: now,
      exp: now + 3600,
      tid: seed.tenantId,
      oid: 'AAAAAAAA-1111-2222-3333-444444444444',
      ver: '2.0',
      scp: 'user_impersonation other',
      azp: seed.clientId,
      ...changes,
    })
  }
  const refusedFor = (reason: string) => (error: unknown) =>
    error instanceof TokenRefused && error.reason === reason

  it('says who calls: one spelling of the oid, and full scopes', async () => {
    const caller = await verifier.verify(await issued({ roles: ['Boss'] }))
    assert.ok(!isService(caller))
    assert.equal(caller.userId, 'aaaaaaaa-1111-2222-3333-444444444444')
    assert.deepEqual([...caller.scopes], [`${mcp}/user_impersonation`, `${mcp}/other`])
    assert.deepEqual([...caller.roles], ['Boss'])
    assert.equal(caller.client, seed.clientId)
  })

  it('remembers a token for a minute and no longer', async () => {
    mock.timers.enable({ apis: ['Date'], now: NOW })
    const token = await issued()
    const first = await verifier.verify(token)
    assert.equal(await verifier.verify(token), first)
    mock.timers.setTime(NOW + 61_000)
    assert.notEqual(await verifier.verify(token), first)
  })

  it('refuses a remembered token in the second in which it is no longer acceptable', async () => {
    mock.timers.enable({ apis: ['Date'], now: NOW })
    const expiring = await issued({ exp: NOW / 1000 - 290 })
    const ageing = await issued({ iat: NOW / 1000 - 24 * 3600 - 290 })
    await Promise.all([verifier.verify(expiring), verifier.verify(ageing)])
    mock.timers.setTime(NOW + 11_000)
    await assert.rejects(verifier.verify(expiring), refusedFor('expired'))
    await assert.rejects(verifier.verify(ageing), refusedFor('too_old'))
  })

  it('remembers no refusal', async () => {
    mock.timers.enable({ apis: ['Date'], now: NOW })
    const early = await issued({ nbf: NOW / 1000 + 400 })
    await assert.rejects(verifier.verify(early), refusedFor('nbf'))
    mock.timers.setTime(NOW + 200_000)
    assert.ok(await verifier.verify(early))
  })

  it('checks many copies of one token once', async () => {
    tenant.faults.resetCounters()
    const token = await issued()
    const callers = await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)))
    assert.equal(new Set(callers).size, 1)
  })
})
