import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import { type Contoso, SCOPE, startContoso } from './contoso.ts'

const Keys = z.object({ keys: z.array(z.record(z.string(), z.unknown())) })

describe('discovery', () => {
  let contoso: Contoso
  const at = (path: string) => `${contoso.tenant.url}/${path}`
  const keys = async () => {
    const response = await fetch(at(`${contoso.seed.tenantId}/discovery/v2.0/keys`))
    return Keys.parse(await response.json()).keys
  }
  const token = () =>
    contoso.tenant.tokenFor({ user: 'Alice', clientId: contoso.seed.clientId, scope: SCOPE })

  before(async () => {
    contoso = await startContoso()
  })
  after(() => contoso.tenant.close())

  it('describes a tenant like Entra: no registration, no list of PKCE methods', async () => {
    const { seed, tenant } = contoso
    const response = await fetch(at(`${seed.tenantId}/v2.0/.well-known/openid-configuration`))
    const configuration = z.record(z.string(), z.unknown()).parse(await response.json())
    assert.equal(configuration.issuer, `${tenant.url}/${seed.tenantId}/v2.0`)
    assert.equal(configuration.token_endpoint, `${tenant.url}/${seed.tenantId}/oauth2/v2.0/token`)
    assert.equal(
      configuration.device_authorization_endpoint,
      `${tenant.url}/${seed.tenantId}/oauth2/v2.0/devicecode`,
    )
    assert.ok(!('registration_endpoint' in configuration))
    assert.ok(!('code_challenge_methods_supported' in configuration))
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
  })

  it('has none of the RFC 8414 documents', async () => {
    const { tenantId } = contoso.seed
    for (const path of [
      `.well-known/oauth-authorization-server/${tenantId}/v2.0`,
      `.well-known/openid-configuration/${tenantId}/v2.0`,
      `${tenantId}/v2.0/.well-known/oauth-authorization-server`,
      '.well-known/oauth-authorization-server',
    ]) {
      assert.equal((await fetch(at(path))).status, 404, path)
    }
  })

  it('knows no other tenant and is no multi-tenant app', async () => {
    for (const [tenant, code] of [
      ['11111111-2222-4333-8444-555555555555', 90002],
      ['common', 50194],
      ['organizations', 50194],
    ]) {
      const response = await fetch(at(`${tenant}/v2.0/.well-known/openid-configuration`))
      assert.equal(response.status, 400)
      const body = z
        .object({ error_codes: z.array(z.number()), error_description: z.string() })
        .parse(await response.json())
      assert.deepEqual(body.error_codes, [code])
      assert.ok(body.error_description.startsWith(`AADSTS${code}: `))
    }
  })

  it('publishes keys that verify its tokens, without alg as Entra does', async () => {
    const [key] = await keys()
    assert.deepEqual(Object.keys(key ?? {}).sort(), ['e', 'issuer', 'kid', 'kty', 'n', 'use'])
    const remote = createRemoteJWKSet(new URL(at(`${contoso.seed.tenantId}/discovery/v2.0/keys`)))
    await jwtVerify(await token(), remote, { algorithms: ['RS256'], audience: contoso.seed.apiAppId })
  })

  it('signs with a new key after rotation and keeps publishing the old one', async () => {
    const [old] = await keys()
    await contoso.tenant.rotateKeys()
    const both = await keys()
    assert.equal(both.length, 2)
    assert.deepEqual(both[1], old)
    await contoso.tenant.rotateKeys({ retire: true })
    const [only, ...others] = await keys()
    assert.deepEqual(others, [])
    assert.equal(only?.kid, contoso.tenant.publicJwk().kid)
    assert.notEqual(only?.kid, both[0]?.kid)
  })

  it('can lose its key endpoint, be slow about it, or hang up', async () => {
    const { faults, counters } = contoso.tenant
    const url = at(`${contoso.seed.tenantId}/discovery/v2.0/keys`)
    const before = counters.keys
    faults.on('keys', { status: 503, retryAfter: 7, times: 1 })
    const refused = await fetch(url)
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '7')
    faults.on('keys', { close: true, times: 1 })
    await assert.rejects(fetch(url))
    const slow = faults.on('keys', { hang: true })
    const answer = fetch(url)
    await slow.reached(1)
    slow.clear()
    assert.equal((await answer).status, 200)
    assert.equal(counters.keys, before + 3)
  })

  it('lets a caller hang up on a call that hangs', async () => {
    const hung = contoso.tenant.faults.on('keys', { hang: true, times: 1 })
    const deadline = new AbortController()
    const answer = fetch(at(`${contoso.seed.tenantId}/discovery/v2.0/keys`), { signal: deadline.signal })
    await hung.reached(1)
    deadline.abort()
    await assert.rejects(answer, { name: 'AbortError' })
    assert.equal((await keys()).length, 1)
  })
})
