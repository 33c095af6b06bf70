import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  AZURE_CLI,
  type Contoso,
  claimsOf,
  codeOf,
  MCP,
  returned,
  SCOPE,
  startContoso,
  VERIFIER,
  VS_CODE,
} from './contoso.ts'

describe('authorize', () => {
  let contoso: Contoso
  before(async () => {
    contoso = await startContoso()
  })
  after(() => contoso.tenant.close())

  const refusedAs = async (code: number, error: string, form: Record<string, string>) => {
    const answer = returned(await contoso.authorize(form))
    assert.equal(answer.get('error'), error)
    assert.match(
      answer.get('error_description') ?? '',
      new RegExp(
        `^AADSTS${code}: .+\\r\\nTrace ID: [\\w-]{36} Correlation ID: [\\w-]{36} Timestamp: [\\d-]{10} [\\d:]{8}Z$`,
      ),
    )
    assert.equal(answer.get('state'), 'xyz')
    assert.equal(answer.get('code'), null)
  }
  const shownAs = async (code: number, form: Record<string, string>) => {
    const response = await contoso.authorize(form)
    assert.equal(response.status, 400)
    assert.equal(response.headers.get('location'), null)
    assert.match(await response.text(), new RegExp(`AADSTS${code}: `))
  }

  it('signs the hinted user in at once and returns code and state', async () => {
    const response = await contoso.authorize({ resource: MCP })
    assert.equal(response.status, 302)
    assert.ok(response.headers.get('location')?.startsWith('http://localhost:5000/callback?code='))
    assert.equal(returned(response).get('state'), 'xyz')
    assert.equal(response.headers.get('cache-control'), 'no-store')
  })

  it('ignores the port of a loopback redirect but not its path, host, scheme or letter case', async () => {
    for (const redirect of [
      'http://localhost:1',
      'http://localhost',
      'http://127.0.0.1:65000/',
      'http://localhost:9/oauth/callback',
    ]) {
      assert.ok(codeOf(await contoso.authorize({ redirect_uri: redirect })), redirect)
    }
    for (const redirect of [
      'http://localhost:1/other',
      'http://localhost:1/Callback',
      'http://localhost:1/callback/',
      'http://localhost:1/callback?x=1',
      'http://localhost:1/callback#x',
      'http://me@localhost:1/callback',
      'https://localhost/callback',
      'http://localhost.evil.example/callback',
      'http://[::1]:1/callback',
      'https://vscode.dev:444/redirect',
      'https://vscode.dev/redirect/',
      'not a url',
    ]) {
      await shownAs(50011, { redirect_uri: redirect })
    }
  })

  it('accepts the redirect URIs of the first-party clients', async () => {
    for (const [client_id, redirect_uri] of [
      [VS_CODE, 'http://127.0.0.1:33418/'],
      [VS_CODE, 'https://vscode.dev/redirect'],
      [VS_CODE, 'http://localhost:7'],
      [AZURE_CLI, 'http://localhost:8400'],
    ] as const) {
      assert.ok(codeOf(await contoso.authorize({ client_id, redirect_uri, resource: MCP })), redirect_uri)
    }
    await shownAs(50011, { client_id: AZURE_CLI, redirect_uri: 'http://127.0.0.1:8400' })
  })

  it('shows an unknown client or a missing parameter on a page instead of redirecting', async () => {
    await shownAs(700016, { client_id: '11111111-2222-4333-8444-555555555555' })
    await shownAs(900144, { client_id: '' })
    await shownAs(900144, { redirect_uri: '' })
    await shownAs(90100, { response_mode: 'telepathy' })
    const app = contoso.application(contoso.seed.apiAppId)
    await shownAs(500113, { client_id: app.appId })
  })

  it('escapes what it shows', async () => {
    const response = await contoso.authorize({ redirect_uri: 'http://x/<script>alert("1")</script>' })
    const page = await response.text()
    assert.ok(page.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;'))
    assert.ok(!page.includes('<script'))
  })

  it('refuses a repeated parameter', async () => {
    const response = await fetch(`${contoso.oauth}/authorize?client_id=a&client_id=b`)
    assert.match(await response.text(), /AADSTS9000411: .*client_id/)
  })

  it('wants PKCE with S256 from a public client', async () => {
    await refusedAs(9002325, 'invalid_request', { code_challenge: '', code_challenge_method: '' })
    await refusedAs(50149, 'invalid_request', { code_challenge_method: 'plain' })
    await refusedAs(50149, 'invalid_request', { code_challenge_method: '' })
    await refusedAs(501491, 'invalid_request', { code_challenge: 'short' })
  })

  it('gives codes only', async () => {
    await refusedAs(900144, 'invalid_request', { response_type: '' })
    await refusedAs(700051, 'unsupported_response_type', { response_type: 'token' })
    await refusedAs(700054, 'unsupported_response_type', { response_type: 'code id_token' })
  })

  it('takes a bare scope for one of Microsoft Graph', async () => {
    await refusedAs(650053, 'invalid_client', { scope: 'user_impersonation' })
    await refusedAs(650053, 'invalid_client', { scope: `${MCP}/admin` })
    await refusedAs(65001, 'consent_required', { scope: 'User.Read' })
  })

  it('knows only resources of the tenant, one per request', async () => {
    await refusedAs(500011, 'invalid_resource', { scope: 'api://nobody/user_impersonation' })
    await refusedAs(28000, 'invalid_request', { scope: `${SCOPE} https://graph.microsoft.com/User.Read` })
    await refusedAs(70011, 'invalid_scope', { scope: `${SCOPE} ${MCP}/.default` })
    await refusedAs(900144, 'invalid_request', { scope: '' })
  })

  it('refuses a resource that is not, character by character, an identifier URI of the app', async () => {
    for (const resource of [
      `${MCP}/`,
      'http://LOCALHOST:8080/mcp',
      'http://localhost:8080/',
      'http://127.0.0.1:8080/mcp',
      'https://graph.microsoft.com',
      contoso.seed.apiAppId,
    ]) {
      // Without a hint: the refusal comes before anybody signs in.
      await refusedAs(9010010, 'invalid_target', { resource, login_hint: '' })
    }
    for (const resource of [MCP, 'http://localhost:8080', `api://${contoso.seed.apiAppId}`]) {
      assert.ok(codeOf(await contoso.authorize({ resource })), resource)
    }
    await refusedAs(9010010, 'invalid_target', { scope: 'openid', resource: MCP })
  })

  it('refuses the classic set-up where only api:// is registered', async () => {
    const app = contoso.application(contoso.seed.apiAppId)
    const uris = app.identifierUris
    app.identifierUris = [`api://${app.appId}`]
    const scope = `api://${app.appId}/user_impersonation`
    await refusedAs(9010010, 'invalid_target', {
      client_id: VS_CODE,
      redirect_uri: 'http://localhost',
      scope,
      resource: MCP,
    })
    app.identifierUris = uris
  })

  it('blocks who is not assigned: a nested group does not count', async () => {
    await refusedAs(50105, 'access_denied', { login_hint: 'dave@contoso.example' })
    assert.ok(codeOf(await contoso.authorize({ login_hint: 'BOB@contoso.example' })))
  })

  it('blocks a disabled account', async () => {
    const bob = contoso.seed.directory.user('bob@contoso.example')
    assert.ok(bob)
    bob.accountEnabled = false
    await refusedAs(50057, 'access_denied', { login_hint: bob.userPrincipalName })
    bob.accountEnabled = true
  })

  it('wants an administrator where a scope of type Admin was not consented to: AADSTS90094', async () => {
    const { directory, apiAppId, clientId } = contoso.seed
    const { api } = contoso.application(apiAppId)
    const [usual] = api.oauth2PermissionScopes
    const [consenting] = directory.directoryRoles
    const [alice] = directory.users
    assert.ok(usual && consenting && alice)
    api.oauth2PermissionScopes.push({ ...usual, id: crypto.randomUUID(), value: 'export', type: 'Admin' })
    const scope = `${SCOPE} ${MCP}/export`
    await refusedAs(90094, 'consent_required', { scope })
    // Who may consent would be asked to: there is no such page here.
    consenting.members.push(alice.id)
    await refusedAs(65001, 'consent_required', { scope })
    consenting.members.pop()
    directory.oauth2PermissionGrants.push({
      ...{ id: 'export', consentType: 'AllPrincipals', principalId: null, scope: 'export' },
      clientId: directory.servicePrincipal(clientId)?.id ?? '',
      resourceId: directory.servicePrincipal(apiAppId)?.id ?? '',
    })
    assert.ok(codeOf(await contoso.authorize({ scope })))
    directory.oauth2PermissionGrants.pop()
    api.oauth2PermissionScopes.pop()
  })

  it('wants consent where a client is not pre-authorized', async () => {
    const { api } = contoso.application(contoso.seed.apiAppId)
    const all = api.preAuthorizedApplications
    api.preAuthorizedApplications = []
    await refusedAs(65001, 'consent_required', {})
    await refusedAs(65001, 'consent_required', { scope: `${MCP}/.default` })
    api.preAuthorizedApplications = all
    assert.ok(codeOf(await contoso.authorize({ scope: `${MCP}/.default` })))
  })

  it('lets Microsoft talk to Microsoft by pre-authorization only', async () => {
    const cli = { client_id: AZURE_CLI, redirect_uri: 'http://localhost:1' }
    assert.ok(codeOf(await contoso.authorize({ ...cli, scope: 'User.Read' })))
    const graph = contoso.application('00000003-0000-0000-c000-000000000000')
    graph.api.preAuthorizedApplications = graph.api.preAuthorizedApplications.filter(
      ({ appId }) => appId !== AZURE_CLI,
    )
    await refusedAs(65002, 'access_denied', { ...cli, scope: 'User.Read' })
  })

  it('answers prompt: none cannot ask, login always asks, nonsense is refused', async () => {
    await refusedAs(50058, 'login_required', { prompt: 'none', login_hint: '' })
    await refusedAs(90100, 'invalid_request', { prompt: 'please' })
    assert.equal((await contoso.authorize({ prompt: 'login' })).status, 200)
    assert.equal((await contoso.authorize({ prompt: 'select_account' })).status, 200)
    assert.ok(codeOf(await contoso.authorize({ prompt: 'none' })))
    assert.ok(codeOf(await contoso.authorize({ prompt: 'consent' })))
  })

  it('refuses a claims parameter that is no claims request', async () => {
    await refusedAs(90100, 'invalid_request', { claims: 'acrs' })
    await refusedAs(90100, 'invalid_request', { claims: '[]' })
  })

  it('asks on a page that nobody can frame or script, and that posts only home and to the client', async () => {
    const response = await contoso.authorize({ login_hint: '' })
    assert.equal(response.status, 200)
    const policy = response.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; style-src 'nonce-/)
    assert.ok(policy.includes("form-action 'self' http://localhost:5000;"))
    assert.ok(policy.includes("frame-ancestors 'none'"))
    const page = await response.text()
    assert.match(page, /<html lang="en">/)
    for (const name of ['Alice Adams', 'Bob Brown', 'Carol Clark', 'Dave Davis'])
      assert.ok(page.includes(name))
  })

  it('continues for the user who was picked, once', async () => {
    const page = await (await contoso.authorize({ login_hint: '' })).text()
    const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const bob = contoso.seed.users.find(({ name }) => name === 'Bob')?.oid ?? ''
    const pick = () =>
      fetch(`${contoso.oauth}/signin`, {
        method: 'POST',
        body: new URLSearchParams({ ticket, user: bob }),
        redirect: 'manual',
      })
    const code = codeOf(await pick())
    const tokens = await contoso.tokens({
      grant_type: 'authorization_code',
      client_id: contoso.seed.clientId,
      redirect_uri: 'http://localhost:5000/callback',
      code,
      code_verifier: VERIFIER,
    })
    assert.equal(claimsOf(tokens.access_token).oid, bob)
    assert.equal((await pick()).status, 400)
  })

  it('refuses a pick for a sign-in that was never asked for', async () => {
    const form = { ticket: '1.made-up', user: 'alice@contoso.example' }
    assert.equal((await contoso.post(form, 'signin')).status, 400)
  })

  it('delivers in the fragment or by form post when asked to', async () => {
    const fragment = await contoso.authorize({ response_mode: 'fragment' })
    assert.match(
      fragment.headers.get('location') ?? '',
      /^http:\/\/localhost:5000\/callback#code=.+&state=xyz$/,
    )
    const form = await contoso.authorize({ response_mode: 'form_post', state: '"><b>' })
    const page = await form.text()
    assert.match(page, /<form method="post" action="http:\/\/localhost:5000\/callback">/)
    assert.match(page, /name="code" value="1\.[\w-]+"/)
    assert.ok(page.includes('name="state" value="&quot;&gt;&lt;b&gt;"'))
  })

  it('takes the request by POST as well', async () => {
    const body = new URLSearchParams({
      client_id: contoso.seed.clientId,
      redirect_uri: 'http://localhost',
      state: 's',
    })
    const response = await fetch(`${contoso.oauth}/authorize`, { method: 'POST', body, redirect: 'manual' })
    assert.match(returned(response).get('error_description') ?? '', /^AADSTS900144: .*response_type/)
  })
})
