import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import {
  AZURE_CLI,
  type Contoso,
  claimsOf,
  codeOf,
  GRAPH_SCOPE,
  MCP,
  SCOPE,
  startContoso,
  TIMESTAMP,
  VERIFIER,
} from './contoso.ts'

describe('token', () => {
  let contoso: Contoso
  beforeEach(async () => {
    contoso = await startContoso()
  })
  afterEach(() => contoso.tenant.close())

  const redemption = (code: string) => ({
    grant_type: 'authorization_code',
    client_id: contoso.seed.clientId,
    redirect_uri: 'http://localhost:5000/callback',
    code,
    code_verifier: VERIFIER,
  })
  const signIn = async (form: Record<string, string> = {}) => {
    const scope = `${SCOPE} openid profile email offline_access`
    return contoso.tokens(redemption(codeOf(await contoso.authorize({ scope, ...form }))))
  }
  it('says what the client can do where the API has asked for it, and nowhere else', async () => {
    const claims = JSON.stringify({ access_token: { xms_cc: { values: ['cp1'] } } })
    const api = contoso.seed.directory.application(contoso.seed.apiAppId)
    const capabilities = async () => {
      const scope = `${SCOPE} openid profile email offline_access`
      const form = { ...redemption(codeOf(await contoso.authorize({ scope, claims }))), claims }
      return claimsOf((await contoso.tokens(form)).access_token).xms_cc
    }
    assert.deepEqual(await capabilities(), ['cp1'])
    assert.equal(claimsOf((await signIn()).access_token).xms_cc, undefined)
    if (api) api.optionalClaims = null
    assert.equal(await capabilities(), undefined)
  })

  const refresh = (token: string | undefined, form: Record<string, string> = {}) => ({
    grant_type: 'refresh_token',
    client_id: contoso.seed.clientId,
    refresh_token: token ?? '',
    ...form,
  })
  const refusedAs = async (code: number, error: string, form: Record<string, string>, status = 400) => {
    const refusal = await contoso.refusal(form)
    assert.deepEqual([refusal.error_codes, refusal.error, refusal.status], [[code], error, status])
    return refusal
  }

  it('issues v2 access tokens with the GUID of the API as audience', async () => {
    const { seed, tenant, clock } = contoso
    const answer = await signIn({ nonce: 'n' })
    const claims = claimsOf(answer.access_token)
    const seconds = Math.floor(clock.now / 1000)
    const alice = seed.users.find(({ name }) => name === 'Alice')
    assert.equal(claims.aud, seed.apiAppId)
    assert.equal(claims.iss, `${tenant.url}/${seed.tenantId}/v2.0`)
    assert.deepEqual([claims.iat, claims.nbf, claims.exp], [seconds - 300, seconds - 300, seconds + 4500])
    assert.deepEqual(
      [claims.azp, claims.azpacr, claims.ver, claims.tid],
      [seed.clientId, '0', '2.0', seed.tenantId],
    )
    assert.deepEqual(
      [claims.oid, claims.scp, claims.preferred_username],
      [alice?.oid, 'user_impersonation', alice?.upn],
    )
    assert.ok(!('roles' in claims || 'idtyp' in claims || 'acrs' in claims || 'nonce' in claims))
    assert.equal(answer.scope, SCOPE)
  })

  it('adds an id token for openid, a refresh token for offline_access, and neither unasked', async () => {
    const full = await signIn({ nonce: 'n' })
    const claims = claimsOf(full.id_token)
    assert.deepEqual(
      [claims.aud, claims.nonce, claims.email],
      [contoso.seed.clientId, 'n', 'alice@contoso.example'],
    )
    assert.ok(full.refresh_token)
    const bare = await signIn({ scope: SCOPE })
    assert.deepEqual([bare.id_token, bare.refresh_token], [undefined, undefined])
  })

  it('gives a user another sub at every app and the same oid', async () => {
    const { access_token, id_token } = await signIn()
    const again = await signIn()
    assert.notEqual(claimsOf(access_token).sub, claimsOf(id_token).sub)
    assert.equal(claimsOf(access_token).sub, claimsOf(again.access_token).sub)
    assert.equal(claimsOf(access_token).oid, claimsOf(id_token).oid)
  })

  it('issues v1 tokens for an app that did not ask for version 2', async () => {
    const app = contoso.application(contoso.seed.apiAppId)
    app.api.requestedAccessTokenVersion = null
    const claims = claimsOf((await signIn()).access_token)
    assert.deepEqual([claims.aud, claims.ver, claims.appid], [MCP, '1.0', contoso.seed.clientId])
    assert.equal(claims.iss, `${contoso.tenant.url}/${contoso.seed.tenantId}/`)
    assert.equal(claims.azp, undefined)
  })

  it('issues v1 tokens for Microsoft Graph', async () => {
    const cli = { client_id: AZURE_CLI, redirect_uri: 'http://localhost:5000' }
    const code = codeOf(await contoso.authorize({ ...cli, scope: 'User.Read openid' }))
    const answer = await contoso.tokens({ ...redemption(code), ...cli })
    const claims = claimsOf(answer.access_token)
    assert.deepEqual(
      [claims.aud, claims.ver, claims.scp],
      ['https://graph.microsoft.com', '1.0', 'User.Read openid'],
    )
    assert.equal(answer.scope, `${GRAPH_SCOPE} openid`)
  })

  it('puts app roles into tokens, from direct assignment and direct groups only', async () => {
    const app = contoso.application(contoso.seed.apiAppId)
    const { directory, users, adminGroupId } = contoso.seed
    const resourceId = directory.servicePrincipal(app.appId)?.id ?? ''
    const id = '0d6a4e0b-58d2-4d8e-9a53-8f5f8b6f3c11'
    app.appRoles.push({
      id,
      value: 'Report.Read',
      displayName: 'r',
      description: 'r',
      isEnabled: true,
      allowedMemberTypes: ['User'],
    })
    const assign = (principalId: string, principalType: 'User' | 'Group') =>
      directory.appRoleAssignments.push({
        id: principalId,
        appRoleId: id,
        principalId,
        principalType,
        resourceId,
      })
    assign(adminGroupId, 'Group')
    assert.equal(claimsOf((await signIn()).access_token).roles, undefined)
    assign(users[0]?.oid ?? '', 'User')
    assert.deepEqual(claimsOf((await signIn()).access_token).roles, ['Report.Read'])
  })

  it('adds what else was granted on the resource to what was asked for', async () => {
    const { directory, clientId, apiAppId } = contoso.seed
    const app = contoso.application(apiAppId)
    const [scope] = app.api.oauth2PermissionScopes
    assert.ok(scope)
    app.api.oauth2PermissionScopes.push({ ...scope, id: 'x', value: 'Extra.Read' })
    directory.oauth2PermissionGrants.push({
      id: 'g',
      clientId: directory.servicePrincipal(clientId)?.id ?? '',
      consentType: 'Principal',
      principalId: contoso.seed.users[0]?.oid ?? '',
      resourceId: directory.servicePrincipal(apiAppId)?.id ?? '',
      scope: 'Extra.Read',
    })
    assert.equal(claimsOf((await signIn()).access_token).scp, 'user_impersonation Extra.Read')
    assert.equal(
      claimsOf((await signIn({ login_hint: 'bob@contoso.example' })).access_token).scp,
      'user_impersonation',
    )
  })

  it('redeems a code once', async () => {
    const code = codeOf(await contoso.authorize())
    await contoso.tokens(redemption(code))
    await refusedAs(54005, 'invalid_grant', redemption(code))
  })

  it('refuses a code that is late, made up, or of another client or redirect URI', async () => {
    const code = codeOf(await contoso.authorize())
    await refusedAs(70000, 'invalid_grant', { ...redemption(code), client_id: AZURE_CLI })
    await refusedAs(
      500112,
      'invalid_client',
      { ...redemption(code), redirect_uri: 'http://localhost:5001/callback' },
      401,
    )
    await refusedAs(9002313, 'invalid_grant', redemption('1.made-up'))
    contoso.pass(600)
    await refusedAs(70008, 'invalid_grant', redemption(code))
  })

  it('refuses a wrong or missing PKCE verifier and keeps the code for the rightful client', async () => {
    const code = codeOf(await contoso.authorize())
    await refusedAs(501481, 'invalid_grant', { ...redemption(code), code_verifier: `${VERIFIER}x` })
    await refusedAs(501481, 'invalid_grant', { ...redemption(code), code_verifier: '' })
    assert.ok(await contoso.tokens(redemption(code)))
  })

  it('refuses proof from a public client', async () => {
    const code = codeOf(await contoso.authorize())
    await refusedAs(700025, 'invalid_client', { ...redemption(code), client_secret: 's' }, 401)
  })

  it('wants a secret where the redirect URI belongs to the web, and then no PKCE', async () => {
    const web = { client_id: contoso.seed.apiAppId, redirect_uri: 'https://contoso.example/callback' }
    const app = contoso.application(web.client_id)
    app.web.redirectUris = [web.redirect_uri]
    app.api.preAuthorizedApplications.push({
      appId: app.appId,
      delegatedPermissionIds: app.api.oauth2PermissionScopes.map(({ id }) => id),
    })
    const noPkce = { code_challenge: '', code_challenge_method: '' }
    const redeem = async (form: Record<string, string>) => ({
      ...redemption(codeOf(await contoso.authorize({ ...web, ...noPkce }))),
      ...web,
      code_verifier: '',
      ...form,
    })
    await refusedAs(7000218, 'invalid_client', await redeem({}), 401)
    const client_secret = contoso.secretOf(app.appId)
    assert.equal(claimsOf((await contoso.tokens(await redeem({ client_secret }))).access_token).azpacr, '1')
    // A verifier for a code without a challenge: somebody stripped the challenge.
    await refusedAs(501481, 'invalid_grant', await redeem({ client_secret, code_verifier: VERIFIER }))
  })

  it('checks resource again when a code is redeemed', async () => {
    const code = codeOf(await contoso.authorize({ resource: MCP }))
    await refusedAs(9010010, 'invalid_target', { ...redemption(code), resource: `${MCP}/` })
  })

  it('refreshes: new tokens, a new refresh token, the old one still good', async () => {
    const { refresh_token: first } = await signIn()
    const next = await contoso.tokens(refresh(first, { resource: MCP }))
    assert.ok(next.refresh_token)
    assert.notEqual(next.refresh_token, first)
    assert.equal(claimsOf(next.access_token).scp, 'user_impersonation')
    assert.equal(claimsOf(next.id_token).nonce, undefined)
    assert.ok(await contoso.tokens(refresh(first)))
    assert.ok(await contoso.tokens(refresh(next.refresh_token, { scope: SCOPE })))
  })

  it('checks resource, scope, consent and assignment again at every refresh', async () => {
    const { refresh_token: token } = await signIn()
    await refusedAs(9010010, 'invalid_target', refresh(token, { resource: 'http://localhost:9999/mcp' }))
    await refusedAs(650053, 'invalid_client', refresh(token, { scope: 'user_impersonation' }))
    const refusal = await refusedAs(65001, 'invalid_grant', refresh(token, { scope: GRAPH_SCOPE }))
    assert.equal(refusal.suberror, 'consent_required')
    contoso.seed.directory.appRoleAssignments.length = 0
    await refusedAs(50105, 'access_denied', refresh(token))
    contoso.seed.directory.users.length = 0
    await refusedAs(500341, 'invalid_grant', refresh(token))
  })

  it('refuses a refresh token that is late, made up, or of another client', async () => {
    const { refresh_token: token } = await signIn()
    await refusedAs(70000, 'invalid_grant', { ...refresh(token), client_id: AZURE_CLI })
    await refusedAs(9002313, 'invalid_grant', refresh('1.made-up'))
    contoso.pass(90 * 24 * 3600)
    await refusedAs(70008, 'invalid_grant', refresh(token))
  })

  it('gives an app a token of its own, marked as such', async () => {
    const { apiAppId, directory } = contoso.seed
    const form = {
      grant_type: 'client_credentials',
      client_id: apiAppId,
      client_secret: contoso.secretOf(apiAppId),
    }
    const claims = claimsOf((await contoso.tokens({ ...form, scope: `${MCP}/.default` })).access_token)
    assert.deepEqual([claims.idtyp, claims.aud, claims.scp], ['app', apiAppId, undefined])
    assert.equal(claims.oid, directory.servicePrincipal(apiAppId)?.id)
    assert.equal(claims.sub, claims.oid)
    await refusedAs(1002012, 'invalid_scope', { ...form, scope: SCOPE })
    await refusedAs(9010010, 'invalid_target', {
      ...form,
      scope: `${MCP}/.default`,
      resource: 'https://other',
    })
  })

  it('keeps an app out that is not assigned where assignment is required', async () => {
    const client_id = contoso.seed.clientId
    const client_secret = contoso.secretOf(client_id)
    const form = { grant_type: 'client_credentials', client_id, client_secret, scope: `${MCP}/.default` }
    await refusedAs(501051, 'invalid_grant', form)
  })

  it('answers in the body exactly as Entra does', async () => {
    const response = await fetch(`${contoso.oauth}/token`, {
      method: 'POST',
      headers: { 'client-request-id': '0af1c2d3-1111-4222-8333-444455556666' },
      body: new URLSearchParams({ grant_type: 'refresh_token', client_id: AZURE_CLI, refresh_token: 'x' }),
    })
    const body = z.record(z.string(), z.unknown()).parse(await response.json())
    assert.deepEqual(Object.keys(body), [
      'error',
      'error_description',
      'error_codes',
      'timestamp',
      'trace_id',
      'correlation_id',
      'error_uri',
    ])
    assert.equal(body.correlation_id, '0af1c2d3-1111-4222-8333-444455556666')
    assert.match(String(body.timestamp), TIMESTAMP)
    assert.ok(
      String(body.error_description).includes(
        `Trace ID: ${body.trace_id} Correlation ID: ${body.correlation_id}`,
      ),
    )
    assert.equal(body.error_uri, 'https://login.microsoftonline.com/error?code=9002313')
    assert.equal(response.headers.get('cache-control'), 'no-store')
    assert.equal(response.headers.get('x-powered-by'), null)
  })

  it('refuses what is no token request', async () => {
    await refusedAs(900144, 'invalid_request', { client_id: AZURE_CLI })
    await refusedAs(70003, 'unsupported_grant_type', { grant_type: 'password', client_id: AZURE_CLI })
    await refusedAs(900144, 'invalid_request', { grant_type: 'refresh_token' })
    const unknown = { ...refresh('x'), client_id: '11111111-2222-4333-8444-555555555555' }
    await refusedAs(700016, 'unauthorized_client', unknown)
    assert.match(await (await fetch(`${contoso.oauth}/token`)).text(), /AADSTS900561/)
    const json = await fetch(`${contoso.oauth}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(redemption('x')),
    })
    assert.match(await json.text(), /AADSTS900144: .*grant_type/)
    const twice = await fetch(`${contoso.oauth}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'grant_type=refresh_token&grant_type=password',
    })
    assert.match(await twice.text(), /AADSTS9000411/)
  })

  it('refuses an app that was switched off', async () => {
    const principal = contoso.seed.directory.servicePrincipal(contoso.seed.clientId)
    assert.ok(principal)
    principal.accountEnabled = false
    await refusedAs(7000112, 'invalid_client', refresh('x'), 401)
  })

  it('can be throttled, broken or cut off', async () => {
    const { faults, counters } = contoso.tenant
    faults.on('token', { status: 429, retryAfter: 3, times: 1 })
    const throttled = await contoso.post(refresh('x'))
    assert.equal(throttled.status, 429)
    assert.equal(throttled.headers.get('retry-after'), '3')
    assert.match(await throttled.text(), /temporarily_unavailable.*AADSTS90055/)
    const broken = faults.on('token', { status: 500 })
    await refusedAs(90033, 'temporarily_unavailable', refresh('x'), 500)
    await refusedAs(90033, 'temporarily_unavailable', refresh('x'), 500)
    broken.clear()
    faults.on('token', { close: true, times: 1 })
    await assert.rejects(contoso.post(refresh('x')))
    await refusedAs(9002313, 'invalid_grant', refresh('x'))
    assert.deepEqual([counters.token, counters.obo], [5, 0])
  })
})
