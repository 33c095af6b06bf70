import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { type Contoso, claimsOf, startContoso } from './contoso.ts'

const Token = z.strictObject({
  access_token: z.string(),
  expires_on: z.string().regex(/^\d+$/),
  resource: z.string(),
  token_type: z.literal('Bearer'),
  client_id: z.string(),
})
const Refusal = z.strictObject({ statusCode: z.number(), message: z.string() })

describe('managed identity', () => {
  let contoso: Contoso
  before(async () => {
    contoso = await startContoso()
  })
  after(() => contoso.tenant.close())

  const get = (query: Record<string, string> = {}, header = contoso.tenant.identityHeader) => {
    const usual = {
      'api-version': '2019-08-01',
      resource: 'api://AzureADTokenExchange',
      client_id: contoso.seed.managedIdentity.clientId,
    }
    const parameters = new URLSearchParams({ ...usual, ...query })
    return fetch(`${contoso.tenant.identityEndpoint}?${parameters}`, {
      headers: { 'x-identity-header': header },
    })
  }
  const refusedAs = async (
    status: number,
    message: RegExp,
    query: Record<string, string>,
    header?: string,
  ) => {
    const response = await get(query, header)
    assert.equal(response.status, status)
    const body = Refusal.parse(await response.json())
    assert.equal(body.statusCode, status)
    assert.match(body.message, message)
  }

  it('gives the identity a token whose subject is its principal and whose audience is the exchange', async () => {
    const { managedIdentity, tenantId } = contoso.seed
    const answer = Token.parse(await (await get()).json())
    const claims = claimsOf(answer.access_token)
    assert.deepEqual(
      [answer.client_id, answer.resource],
      [managedIdentity.clientId, 'api://AzureADTokenExchange'],
    )
    assert.equal(Number(answer.expires_on), claims.exp)
    assert.deepEqual(
      [claims.sub, claims.oid, claims.idtyp],
      [managedIdentity.principalId, managedIdentity.principalId, 'app'],
    )
    assert.equal(claims.iss, `${contoso.tenant.url}/${tenantId}/v2.0`)
    assert.equal(claims.aud, 'fb60f99c-7a34-4190-8149-302f77469936')
  })

  it('gives v1 tokens for resources that take those', async () => {
    const answer = Token.parse(await (await get({ resource: 'https://graph.microsoft.com' })).json())
    assert.equal(claimsOf(answer.access_token).aud, 'https://graph.microsoft.com')
  })

  it('answers only to the header that the platform gave to the app', async () => {
    await refusedAs(401, /X-IDENTITY-HEADER/, {}, 'guess')
    assert.equal((await fetch(contoso.tenant.identityEndpoint)).status, 401)
  })

  it('refuses what it does not know', async () => {
    await refusedAs(400, /No User Assigned/, { client_id: contoso.seed.apiAppId })
    await refusedAs(400, /No User Assigned/, { client_id: '11111111-2222-4333-8444-555555555555' })
    await refusedAs(400, /'client_id'/, { client_id: '' })
    await refusedAs(400, /AADSTS500011/, { resource: 'https://nothing.example' })
    await refusedAs(400, /api-version/, { 'api-version': '2017-09-01' })
  })

  it('can be down', async () => {
    contoso.tenant.faults.on('managedIdentity', { status: 500, times: 2 })
    await refusedAs(500, /internal error/, {})
    await refusedAs(500, /internal error/, {})
    assert.equal((await get()).status, 200)
    assert.ok(contoso.tenant.counters.managedIdentity >= 3)
  })
})
