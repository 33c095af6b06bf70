import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import { KeysUnavailable, SigningKeys } from '../../../app/auth/keys.ts'

const MINUTE = 60_000
const BROKEN = [
  '{"keys":[]}',
  'nonsense',
  '{"keys":[{',
  '{}',
  '{"x":{"keys":[{"a":1}]}}',
  '{"keys":[{},"x"]}',
  '{"keys":[{"kty":"RSA","kid":"a"}]}',
]

describe('the signing keys', () => {
  let published: JWK[]
  let status: number
  let body: string | undefined
  let fetches: number
  let endpoint: Awaited<ReturnType<typeof keyEndpoint>>
  let keys: SigningKeys

  /** A JWKS endpoint whose answer the test decides. */
  async function keyEndpoint() {
    const server = createServer((_request, response) => {
      fetches++
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(body ?? JSON.stringify({ keys: published }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() }
  }

  async function signer(kid: string) {
    const { publicKey, privateKey } = await generateKeyPair('RS256')
    published.push({ ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' })
    return () => new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey)
  }
  const verify = async (token: string) => jwtVerify(token, keys.get, { algorithms: ['RS256'] })

  beforeEach(async () => {
    mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
    published = []
    status = 200
    body = undefined
    fetches = 0
    endpoint = await keyEndpoint()
    keys = new SigningKeys(endpoint.url, 'tenant')
  })
  afterEach(() => {
    mock.timers.reset()
    endpoint.close()
  })

  it('are fetched once for many concurrent requests', async () => {
    const sign = await signer('a')
    const token = await sign()
    await Promise.all(Array.from({ length: 50 }, () => verify(token)))
    assert.equal(fetches, 1)
  })

  it('are fetched again for an unknown key id, at once but only once per 30 seconds', async () => {
    await verify(await (await signer('a'))())
    const rotated = await (await signer('b'))()
    await Promise.all(Array.from({ length: 50 }, () => verify(rotated)))
    assert.equal(fetches, 2)
    const stranger = await (await signer('c'))()
    published.pop()
    const refuse = () => assert.rejects(verify(stranger), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
    for (let attempt = 0; attempt < 5; attempt++) await refuse()
    assert.equal(fetches, 2)
    mock.timers.setTime(Date.now() + 31_000)
    for (let attempt = 0; attempt < 5; attempt++) await refuse()
    assert.equal(fetches, 3)
  })

  it('survive an outage of the key endpoint on the last good keys, for a day', async () => {
    const token = await (await signer('a'))()
    await verify(token)
    status = 503
    for (const later of [11 * MINUTE, 60 * MINUTE, 11 * 60 * MINUTE, 11 * 60 * MINUTE]) {
      mock.timers.setTime(Date.now() + later)
      await verify(token)
    }
    mock.timers.setTime(Date.now() + 120 * MINUTE)
    await assert.rejects(verify(token), KeysUnavailable)
    status = 200
    mock.timers.setTime(Date.now() + 6_000)
    await verify(token)
  })

  it('are not asked for again and again while the endpoint fails', async () => {
    const token = await (await signer('a'))()
    status = 500
    for (let attempt = 0; attempt < 5; attempt++) await assert.rejects(verify(token), KeysUnavailable)
    assert.equal(fetches, 1)
    status = 200
    mock.timers.setTime(Date.now() + 6_000)
    await verify(token)
    assert.equal(fetches, 2)
  })

  it('are not replaced by an empty or broken answer', async () => {
    const token = await (await signer('a'))()
    await verify(token)
    for (const broken of BROKEN) {
      body = broken
      mock.timers.setTime(Date.now() + 11 * MINUTE)
      await verify(token)
    }
  })

  for (const broken of BROKEN) {
    it(`are missing, which is our fault, when a cold start gets ${broken}`, async () => {
      const token = await (await signer('a'))()
      body = broken
      await assert.rejects(verify(token), KeysUnavailable)
    })
  }

  it('are used without one that is unusable', async () => {
    const token = await (await signer('a'))()
    published.push({ kty: 'RSA', kid: 'broken' }, { kty: 'EC', kid: 'other' })
    await verify(token)
  })

  it('are no longer trusted once withdrawn, even by the first request of the day', async () => {
    const token = await (await signer('a'))()
    await verify(token)
    published = []
    await signer('b')
    mock.timers.setTime(Date.now() + 12 * 60 * MINUTE)
    await assert.rejects(verify(token), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
  })

  it('make a cold start without them our fault, not the caller’s', async () => {
    const token = await (await signer('a'))()
    endpoint.close()
    await assert.rejects(
      verify(token),
      (error) => error instanceof KeysUnavailable && error.retryAfterSeconds === 5,
    )
    await assert.rejects(keys.ready(), KeysUnavailable)
  })
})
