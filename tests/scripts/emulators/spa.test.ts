import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Contoso, codeOf, SCOPE, startContoso, VERIFIER } from './contoso.ts'

const PAGE = 'http://localhost:6274'

describe('a page as a client', () => {
  let contoso: Contoso
  before(async () => {
    contoso = await startContoso()
    contoso.application(contoso.seed.clientId).spa = { redirectUris: [`${PAGE}/page`] }
  })
  after(() => contoso.tenant.close())

  async function redeem(redirect_uri: string, origin?: string) {
    const code = codeOf(await contoso.authorize({ redirect_uri, scope: `${SCOPE} offline_access` }))
    return token({ grant_type: 'authorization_code', code, redirect_uri, code_verifier: VERIFIER }, origin)
  }
  async function token(form: Record<string, string>, origin?: string) {
    const response = await fetch(`${contoso.oauth}/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: contoso.seed.clientId, ...form }),
      headers: { ...(origin && { origin }) },
    })
    return { response, body: await response.text() }
  }

  it('redeems codes and refresh tokens of its own redirect URI, readable from its origin', async () => {
    const { response, body } = await redeem(`${PAGE}/page`, PAGE)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('access-control-allow-origin'), '*')
    const refresh = { grant_type: 'refresh_token', refresh_token: JSON.parse(body).refresh_token }
    assert.equal((await token(refresh, PAGE)).response.status, 200)
    assert.match((await token(refresh)).body, /AADSTS9002327/)
  })

  it('redeems nothing that was meant for another kind of client, and nobody else redeems its own', async () => {
    const foreign = await redeem('http://localhost:5000/callback', PAGE)
    assert.equal(foreign.response.status, 400)
    assert.equal(foreign.response.headers.get('access-control-allow-origin'), '*')
    assert.match(foreign.body, /AADSTS9002326: Cross-origin token redemption/)
    assert.match((await redeem(`${PAGE}/page`)).body, /AADSTS9002327/)
  })

  it('needs PKCE', async () => {
    const response = await contoso.authorize({
      redirect_uri: `${PAGE}/page`,
      code_challenge: '',
      code_challenge_method: '',
    })
    assert.match(response.headers.get('location') ?? '', /AADSTS9002325/)
  })
})
