import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Contoso, GRAPH_SCOPE, MCP, returned, SCOPE, startContoso } from './contoso.ts'

describe('the admin consent page', () => {
  let contoso: Contoso
  before(async () => {
    contoso = await startContoso()
    const [api] = contoso.seed.directory.applications
    api?.api.oauth2PermissionScopes.push(
      ...['a.admin', 'b.admin'].map((value, index) => ({
        ...{
          id: `7f2c5b0e-64d1-4e0a-9d55-0a1b2c3d4e0${index}`,
          value,
          type: 'Admin' as const,
          isEnabled: true,
        },
        ...{ adminConsentDisplayName: value, adminConsentDescription: value },
        ...{ userConsentDisplayName: value, userConsentDescription: value },
      })),
    )
  })
  after(() => contoso.tenant.close())

  const open = (form: Record<string, string> = {}) => {
    const { seed, tenant } = contoso
    const usual = {
      client_id: seed.clientId,
      redirect_uri: tenant.url,
      scope: `${MCP}/a.admin`,
      state: 'xyz',
    }
    const given = Object.entries({ ...usual, ...form }).filter(([, value]) => value !== '')
    const address = `${tenant.url}/${seed.tenantId}/v2.0/adminconsent?${new URLSearchParams(given)}`
    return fetch(address, { redirect: 'manual' })
  }
  const choose = async (name: string, form: Record<string, string> = {}) => {
    const [, ticket = ''] = /name="ticket" value="([^"]+)"/.exec(await (await open(form)).text()) ?? []
    return contoso
      .post({ ticket, user: `${name}@contoso.example` }, 'signin')
      .catch(() => assert.fail('nobody listens at the redirect URI'))
  }
  const grants = () => contoso.seed.directory.oauth2PermissionGrants
  const refusedAs = (answer: Response, code: string) =>
    assert.match(returned(answer).get('error_description') ?? '', new RegExp(`^AADSTS${code}: `))

  it('names the client and what it asks for, and lists people', async () => {
    const page = await (await open()).text()
    assert.match(
      page,
      /to allow <strong>Expenses client<\/strong> to use http:\/\/localhost:8080\/mcp\/a\.admin for every user/,
    )
    assert.match(page, /Olivia Owens/)
  })

  it('gives nothing by anybody who may not consent', async () => {
    const before = structuredClone(grants())
    for (const name of ['alice', 'peter', 'quinn']) {
      const { searchParams } = new URL((await choose(name)).url)
      assert.match(searchParams.get('error_description') ?? '', /^AADSTS90094: /)
      assert.deepEqual(
        ['error', 'admin_consent', 'tenant', 'state'].map((key) => searchParams.get(key)),
        ['consent_required', 'True', contoso.seed.tenantId, 'xyz'],
      )
    }
    assert.deepEqual(grants(), before)
  })

  it('gives nothing by an administrator whose account is disabled', async () => {
    const before = structuredClone(grants())
    const olivia = contoso.seed.directory.user('olivia@contoso.example')
    assert.ok(olivia)
    olivia.accountEnabled = false
    try {
      const { searchParams } = new URL((await choose('olivia')).url)
      assert.match(searchParams.get('error_description') ?? '', /^AADSTS50057: /)
    } finally {
      olivia.accountEnabled = true
    }
    assert.deepEqual(grants(), before)
  })

  it('gives everybody the scope by a Cloud Application Administrator, and another one beside it', async () => {
    const before = grants().length
    const { searchParams } = new URL((await choose('olivia')).url)
    assert.deepEqual(Object.fromEntries(searchParams), {
      ...{ admin_consent: 'True', tenant: contoso.seed.tenantId, scope: `${MCP}/a.admin`, state: 'xyz' },
    })
    await choose('olivia', { scope: `${MCP}/b.admin ${MCP}/a.admin` })
    assert.equal(grants().length, before + 1)
    assert.deepEqual(
      [grants().at(-1)?.consentType, grants().at(-1)?.scope],
      ['AllPrincipals', 'a.admin b.admin'],
    )
    // Alice gets it now, without a page.
    assert.ok(returned(await contoso.authorize({ scope: `${SCOPE} ${MCP}/b.admin` })).get('code'))
  })

  it('refuses a scope that is none, of two APIs, of OpenID Connect or .default', async () => {
    refusedAs(await open({ scope: '' }), '900144')
    refusedAs(await open({ scope: `${MCP}/c.admin` }), '650053')
    refusedAs(await open({ scope: `${MCP}/a.admin ${GRAPH_SCOPE}` }), '28000')
    refusedAs(await open({ scope: `${MCP}/.default` }), '90100')
    refusedAs(await open({ scope: `${MCP}/a.admin openid` }), '90100')
  })

  it('takes no response_mode', async () => {
    assert.equal((await open({ response_mode: 'fragment' })).status, 400)
  })

  it('redirects nowhere that is not registered, and takes a ticket once', async () => {
    for (const redirect_uri of ['', 'https://elsewhere.example/', `${contoso.tenant.url}/other`]) {
      const answer = await open({ redirect_uri })
      assert.deepEqual([answer.status, answer.headers.get('location')], [400, null])
    }
    const [, ticket = ''] = /name="ticket" value="([^"]+)"/.exec(await (await open()).text()) ?? []
    const form = { ticket, user: 'olivia@contoso.example' }
    await contoso.post(form, 'signin')
    assert.equal((await contoso.post(form, 'signin')).status, 400)
  })
})
