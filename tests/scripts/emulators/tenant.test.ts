import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { startTenant } from '../../../scripts/emulators/tenant.ts'
import { claimsOf, MCP, SCOPE, startContoso } from './contoso.ts'
import { SignInError } from './sign-in-client.ts'

const seed = () => seedDirectory({ mcpUrls: [MCP], permissions: loadPermissions() })

describe('tenant', () => {
  it('is reached as localhost and as 127.0.0.1', async () => {
    const { tenant, seed } = await startContoso()
    const path = `${seed.tenantId}/discovery/v2.0/keys`
    const { port } = new URL(tenant.url)
    assert.equal((await fetch(`${tenant.url}/${path}`)).status, 200)
    assert.equal((await fetch(`http://127.0.0.1:${port}/${path}`)).status, 200)
    assert.equal((await fetch(`http://127.0.0.1:${port}/favicon.ico`)).status, 404)
    await tenant.close()
  })

  it('names port and variable when the port is busy', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { directory, tenantId } = seed()
    await assert.rejects(startTenant({ port, directory, tenantId }), (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, new RegExp(`Port ${port} is busy.*TENANT_PORT`))
      return true
    })
    other.close()
  })

  it('closes at once, calls that hang included', async () => {
    const { tenant, seed } = await startContoso()
    const hung = tenant.faults.on('keys', { hang: true })
    const answer = fetch(`${tenant.url}/${seed.tenantId}/discovery/v2.0/keys`)
    await hung.reached(1)
    const outcome = Promise.allSettled([answer])
    await tenant.close()
    await outcome
    await assert.rejects(fetch(tenant.url))
  })

  it('signs people in for tests, and says why it does not', async () => {
    const { tenant, seed } = await startContoso()
    const request = { clientId: seed.clientId, scope: SCOPE, resource: MCP }
    const bob = await tenant.signIn({ ...request, user: 'Bob', scope: `${SCOPE} offline_access` })
    assert.ok(bob.refresh_token)
    assert.equal(claimsOf(bob.access_token).oid, seed.users[1]?.oid)
    const byId = await tenant.tokenFor({ ...request, user: seed.users[1]?.oid ?? '' })
    assert.equal(claimsOf(byId).oid, seed.users[1]?.oid)
    await assert.rejects(tenant.tokenFor({ ...request, user: 'Dave' }), (error) => {
      assert.ok(error instanceof SignInError)
      assert.equal(error.error, 'access_denied')
      assert.match(error.message, /^AADSTS50105/)
      return true
    })
    await assert.rejects(tenant.tokenFor({ ...request, user: 'Nobody' }), { error: 'interaction_required' })
    const unknown = { ...request, user: 'Bob', clientId: '11111111-2222-4333-8444-555555555555' }
    await assert.rejects(tenant.tokenFor(unknown), /^SignInError: AADSTS700016/)
    await tenant.close()
  })

  it('signs whatever a test wants signed, adding nothing', async () => {
    const { tenant } = await startContoso()
    const token = await tenant.sign({ oid: 'x' })
    assert.deepEqual(claimsOf(token), { oid: 'x' })
    await tenant.close()
  })

  it('logs nothing about a body it cannot read', async (t) => {
    const log = t.mock.method(console, 'error', () => undefined)
    const { tenant, seed } = await startContoso()
    const response = await fetch(`${tenant.url}/${seed.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'nonsense' },
      body: 'client_secret=s',
    })
    assert.equal(response.status, 415)
    assert.equal(log.mock.callCount(), 0)
    await tenant.close()
  })
})
