import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { SigningKeys } from '../../../app/auth/keys.ts'
import { TokenRefused, Verifier } from '../../../app/auth/verifier.ts'
import { loadPermissions } from '../../../app/permissions.ts'
import { Dashboard } from '../../../scripts/emulators/dashboard/dashboard.ts'
import { CHECKS } from '../../../scripts/emulators/dashboard/token-claims.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { startTenant, type Tenant } from './tenant.ts'

const mcp = 'http://localhost:8080/mcp'
const permissions = loadPermissions()
const seed = seedDirectory({ mcpUrls: [mcp], permissions })
const decision = {
  time: '2026-11-21T13:59:12.207Z',
  decision: 'accept',
  reason: 'tool',
  outcome: 'done',
  request_id: 'one',
  oid: seed.users[0]?.oid,
  client: seed.clientId,
  tool: 'get_user_expenses',
}

describe('The dashboard', () => {
  const dashboard = new Dashboard({ ...seed, permissions })
  let tenant: Tenant
  let verifier: Verifier
  before(async () => {
    tenant = await startTenant({ ...seed, dashboard, port: 0 })
    const { tenantId, apiAppId: clientId } = seed
    const config = { tenantId, clientId, authorityHost: tenant.url, serverUrl: mcp, tokenMaxAgeHours: 24 }
    verifier = new Verifier(config, new SigningKeys(tenant.url, tenantId))
  })
  after(() => tenant.close())

  const page = async () => (await fetch(tenant.url)).text()
  const claimsOf = async () => {
    await tenant.tokenFor({
      user: seed.users[0]?.upn ?? '',
      clientId: seed.clientId,
      scope: `${mcp}/user_impersonation`,
      resource: mcp,
    })
    dashboard.heard(JSON.stringify(decision))
    return dashboard.calls[0]?.token ?? {}
  }

  /** Of another kind, or from another time. */
  const other = (value: unknown) => (typeof value === 'number' ? value + (value > 2e9 ? -1e9 : 1e8) : 7)

  it('tells the truth about what is checked: no other value of such a claim is accepted', async () => {
    const claims = await claimsOf()
    for (const name of Object.keys(CHECKS).filter((one) => CHECKS[one]?.does === 'refuses')) {
      const changed = { ...claims, [name]: name === 'exp' ? 1 : other(claims[name]) }
      await assert.rejects(verifier.verify(await tenant.sign(changed)), TokenRefused, name)
    }
    const another = { azp: seed.apiAppId, roles: ['Boss'], xms_cc: ['cp2'] }
    assert.ok(await verifier.verify(await tenant.sign({ ...claims, ...another })))
    assert.deepEqual(
      Object.keys(another),
      Object.keys(CHECKS).filter((one) => CHECKS[one]?.does === 'reads'),
    )
  })

  it('tells the truth about what is not looked at: any value of it is accepted', async () => {
    const claims = await claimsOf()
    const ignored = Object.keys(claims).filter((name) => !(name in CHECKS))
    assert.ok(ignored.includes('preferred_username') && ignored.includes('sub'))
    for (const name of ignored)
      assert.ok(await verifier.verify(await tenant.sign({ ...claims, [name]: other(claims[name]) })), name)
  })

  it('names every claim that the verifier reads', async () => {
    const source = await readFile(new URL('../../../app/auth/verifier.ts', import.meta.url), 'utf8')
    const [, schemas = ''] = /const always = ([\s\S]*?)\n {2}\}\n/.exec(source) ?? []
    const read = Array.from(schemas.matchAll(/^ {6}(\w+): z/gm), ([, name = '']) => name)
    assert.ok(read.length > 8)
    for (const name of read) assert.ok(name in CHECKS, name)
  })

  it('escapes what comes from the directory and from the server', async () => {
    const evil = '<img src=x onerror=alert(1)>'
    const [user] = seed.directory.users
    assert.ok(user)
    const { displayName } = user
    user.displayName = evil
    dashboard.heard(
      JSON.stringify({ ...decision, reason: evil, outcome: `"${evil}`, tool: evil, request_id: evil }),
    )
    const text = await page()
    user.displayName = displayName
    assert.ok(text.includes('&lt;img src=x'))
    assert.ok(!text.includes('<img'))
    assert.ok(!text.includes('""'))
  })

  it('keeps the last thirty decisions and nothing else that the server writes', async () => {
    for (const line of ['', 'Killed', 'null', '[1]', '{"level":"warn","message":"slow"}'])
      dashboard.heard(line)
    for (let index = 0; index < 40; index++)
      dashboard.heard(JSON.stringify({ ...decision, request_id: `call-${index}` }))
    assert.equal(dashboard.calls.length, 30)
    assert.equal(dashboard.calls[0]?.decision.request_id, 'call-39')
  })

  it('shows the token of this user and this client, not of another', async () => {
    await claimsOf()
    dashboard.heard(JSON.stringify({ ...decision, oid: seed.users[1]?.oid }))
    assert.match(await page(), /The tenant has issued no token for this call/)
  })

  it('says of the admin group what the audit line says, and of a service nothing', async () => {
    const about = async (changes: Record<string, string>) => {
      dashboard.heard(JSON.stringify({ ...decision, tool: 'get_expense_stats', ...changes }))
      return /Admin group: <strong>([^<]*)/.exec(await page())?.[1]
    }
    assert.equal(await about({}), 'member, read from Microsoft Graph')
    const unknown = { decision: 'deny:group', reason: 'membership_unknown', outcome: 'failed' }
    assert.equal(await about(unknown), 'could not be read from Microsoft Graph')
    assert.equal(await about({ caller: 'service' }), undefined)
    assert.equal(await about({ decision: 'deny:claims', reason: 'insufficient_claims' }), undefined)
  })

  it('is not there where nobody asked for it', async () => {
    const plain = await startTenant({ ...seed, port: 0 })
    assert.equal((await fetch(plain.url)).status, 404)
    await plain.close()
  })
})
