import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  ConfidentialClientApplication,
  InteractionRequiredAuthError,
  ManagedIdentityApplication,
  ServerError,
} from '@azure/msal-node'
import { generateKeyPair, UnsecuredJWT } from 'jose'
import { selfSigned } from '../../certificate.ts'
import {
  type Contoso,
  claimsOf,
  codeOf,
  GRAPH_SCOPE,
  MCP,
  rerouted,
  SCOPE,
  startContoso,
  VERIFIER,
} from './contoso.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

describe('on behalf of', () => {
  let contoso: Contoso
  let secret: string
  beforeEach(async () => {
    contoso = await startContoso()
    secret = contoso.secretOf(contoso.seed.apiAppId, 24 * 3600)
  })
  afterEach(() => contoso.tenant.close())

  const tokenOf = (user: string, more: { claims?: string } = {}) =>
    contoso.tenant.tokenFor({ user, clientId: contoso.seed.clientId, scope: SCOPE, resource: MCP, ...more })
  type Auth = ConstructorParameters<typeof ConfidentialClientApplication>[0]['auth']
  const msal = (oboAssertion: string, auth: Partial<Auth> = { clientSecret: secret }, scope = GRAPH_SCOPE) =>
    new ConfidentialClientApplication({
      auth: {
        clientId: contoso.seed.apiAppId,
        authority: `https://login.microsoftonline.com/${contoso.seed.tenantId}`,
        ...auth,
      },
      system: { networkClient: rerouted(contoso.tenant) },
    }).acquireTokenOnBehalfOf({ oboAssertion, scopes: [scope] })
  const form = (assertion: string, more: Record<string, string> = {}) => ({
    grant_type: JWT_BEARER,
    requested_token_use: 'on_behalf_of',
    client_id: contoso.seed.apiAppId,
    client_secret: secret,
    scope: GRAPH_SCOPE,
    assertion,
    ...more,
  })
  const refusedAs = async (code: number, error: string, body: Record<string, string>, status = 400) => {
    const refusal = await contoso.refusal(body)
    assert.deepEqual([refusal.error_codes, refusal.error, refusal.status], [[code], error, status])
    return refusal
  }

  it('exchanges a user token for a v1 Graph token of the same user', async () => {
    const answer = await msal(await tokenOf('Alice'))
    const claims = claimsOf(answer?.accessToken)
    assert.deepEqual([claims.aud, claims.ver], ['https://graph.microsoft.com', '1.0'])
    assert.equal(claims.oid, contoso.seed.users.find(({ name }) => name === 'Alice')?.oid)
    assert.equal(claims.appid, contoso.seed.apiAppId)
    assert.ok(String(claims.scp).split(' ').includes('User.Read'))
    assert.equal(contoso.tenant.counters.obo, 1)
  })

  it('takes secret, certificate and the managed identity as credential of the server', async (t) => {
    const { credential, forMsal } = await selfSigned()
    contoso.application(contoso.seed.apiAppId).keyCredentials.push(credential)
    const { identityEndpoint, identityHeader } = contoso.tenant
    // MSAL finds the managed identity through the environment only.
    Object.assign(process.env, { IDENTITY_ENDPOINT: identityEndpoint, IDENTITY_HEADER: identityHeader })
    t.after(() => {
      delete process.env.IDENTITY_ENDPOINT
      delete process.env.IDENTITY_HEADER
    })
    const identity = new ManagedIdentityApplication({
      managedIdentityIdParams: { userAssignedClientId: contoso.seed.managedIdentity.clientId },
    })
    const clientAssertion = async () =>
      (await identity.acquireToken({ resource: 'api://AzureADTokenExchange', forceRefresh: true }))
        .accessToken
    const assertion = await tokenOf('Alice')
    for (const auth of [{ clientSecret: secret }, { clientCertificate: forMsal }, { clientAssertion }]) {
      assert.ok((await msal(assertion, auth))?.accessToken, Object.keys(auth)[0])
    }
  })

  it('takes .default for all that was consented', async () => {
    const answer = await msal(
      await tokenOf('Bob'),
      { clientSecret: secret },
      'https://graph.microsoft.com/.default',
    )
    assert.match(String(claimsOf(answer?.accessToken).scp), /^User\.Read\b/)
  })

  it('wants consent: AADSTS65001 without the admin grant', async () => {
    contoso.seed.directory.oauth2PermissionGrants.length = 0
    const assertion = await tokenOf('Alice')
    for (const scope of [GRAPH_SCOPE, 'https://graph.microsoft.com/.default']) {
      await assert.rejects(msal(assertion, { clientSecret: secret }, scope), (error) => {
        assert.ok(error instanceof InteractionRequiredAuthError)
        assert.deepEqual([error.subError, error.claims], ['consent_required', ''])
        assert.match(error.message, /AADSTS65001/)
        return true
      })
    }
    const refusal = await refusedAs(65001, 'invalid_grant', form(assertion))
    assert.equal(refusal.suberror, 'consent_required')
  })

  it('asks Carol for a second factor, with the claims she has to bring', async () => {
    const before = await tokenOf('Carol')
    const claims = await msal(before).then(
      () => assert.fail('expected a step-up'),
      (error: unknown) => {
        assert.ok(error instanceof InteractionRequiredAuthError)
        assert.match(error.message, /AADSTS50076/)
        return error.claims
      },
    )
    const refusal = await refusedAs(50076, 'interaction_required', form(before))
    assert.equal(refusal.claims, claims)
    const after = await tokenOf('Carol', { claims })
    assert.deepEqual(claimsOf(after).acrs, ['c1'])
    const graph = claimsOf((await msal(after))?.accessToken)
    assert.deepEqual([graph.acrs, graph.amr], [['c1'], ['pwd', 'mfa']])
    await assert.rejects(msal(before), InteractionRequiredAuthError)
  })

  it('keeps the step-up through refreshes', async () => {
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, values: ['c1'] } } })
    const scope = `${SCOPE} offline_access`
    const { refresh_token } = await contoso.tenant.signIn({
      user: 'Carol',
      clientId: contoso.seed.clientId,
      scope,
      claims,
    })
    const fresh = await contoso.tokens({
      grant_type: 'refresh_token',
      client_id: contoso.seed.clientId,
      refresh_token: refresh_token ?? '',
    })
    assert.ok((await msal(fresh.access_token))?.accessToken)
  })

  it('refuses a token that was issued for another app', async () => {
    const graph = await msal(await tokenOf('Alice'))
    const refusal = await refusedAs(500131, 'invalid_grant', form(graph?.accessToken ?? ''))
    assert.match(refusal.error_description, /'https:\/\/graph\.microsoft\.com'.*expected audience/)
    await assert.rejects(msal(graph?.accessToken ?? ''), (error) => {
      assert.ok(error instanceof ServerError)
      assert.equal(error.errorNo, 500131)
      return true
    })
  })

  it('refuses a token it did not sign, or for another issuer, or none at all', async () => {
    const token = await tokenOf('Alice')
    const claims = claimsOf(token)
    const { privateKey } = await generateKeyPair('RS256')
    const { tenant } = contoso
    await refusedAs(50013, 'invalid_grant', form(await tenant.sign(claims, { key: privateKey })))
    await refusedAs(50013, 'invalid_grant', form(await tenant.sign(claims, { header: { kid: 'unknown' } })))
    await refusedAs(
      50013,
      'invalid_grant',
      form(await tenant.sign({ ...claims, iss: 'https://elsewhere/v2.0' })),
    )
    const hs256 = {
      header: { alg: 'HS256' },
      key: new TextEncoder().encode(JSON.stringify(tenant.publicJwk())),
    }
    await refusedAs(50013, 'invalid_grant', form(await tenant.sign(claims, hs256)))
    await refusedAs(50013, 'invalid_grant', form(new UnsecuredJWT(claims).encode()))
    await refusedAs(50027, 'invalid_request', form('rubbish'))
    await tenant.rotateKeys()
    assert.ok(await contoso.tokens(form(token)))
    await tenant.rotateKeys({ retire: true })
    await refusedAs(50013, 'invalid_grant', form(token))
  })

  it('refuses an expired token', async () => {
    const token = await tokenOf('Alice')
    contoso.pass(75 * 60 + 1)
    await refusedAs(500133, 'invalid_grant', form(token))
    const { exp: _, ...endless } = claimsOf(token)
    await refusedAs(50013, 'invalid_grant', form(await contoso.tenant.sign(endless)))
  })

  it('refuses an app-only token and an id token', async () => {
    const { access_token } = await contoso.tokens({
      grant_type: 'client_credentials',
      client_id: contoso.seed.apiAppId,
      client_secret: secret,
      scope: `${MCP}/.default`,
    })
    await refusedAs(7000114, 'unauthorized_client', form(access_token))
    const { scp: _, ...idToken } = claimsOf(await tokenOf('Alice'))
    await refusedAs(50013, 'invalid_grant', form(await contoso.tenant.sign(idToken)))
  })

  it('refuses an unknown scope or resource, and a request that is none', async () => {
    const token = await tokenOf('Alice')
    await refusedAs(
      650053,
      'invalid_client',
      form(token, { scope: 'https://graph.microsoft.com/Mail.Nonsense' }),
    )
    await refusedAs(
      500011,
      'invalid_resource',
      form(token, { scope: 'https://vault.azure.net/user_impersonation' }),
    )
    await refusedAs(900144, 'invalid_request', form(token, { requested_token_use: '' }))
    await refusedAs(90100, 'invalid_request', form(token, { requested_token_use: 'on_my_own' }))
    await refusedAs(900144, 'invalid_request', form(''))
    await refusedAs(900144, 'invalid_request', form(token, { scope: '' }))
    await refusedAs(7000218, 'invalid_client', form(token, { client_secret: '' }), 401)
    await refusedAs(7000215, 'invalid_client', form(token, { client_secret: 'wrong' }), 401)
  })

  it('refuses a user who has left, or lost the account', async () => {
    const token = await tokenOf('Alice')
    const alice = contoso.seed.directory.user('alice@contoso.example')
    assert.ok(alice)
    alice.accountEnabled = false
    await refusedAs(50057, 'invalid_grant', form(token))
    contoso.seed.directory.users.length = 0
    await refusedAs(500341, 'invalid_grant', form(token))
  })

  it('can fail for OBO alone, or for one caller alone, and counts the calls', async () => {
    const { faults, counters } = contoso.tenant
    const [alice, bob] = [await tokenOf('Alice'), await tokenOf('Bob')]
    faults.on('obo', { status: 429, retryAfter: 5, only: ({ body }) => body.assertion === alice })
    const throttled = await contoso.post(form(alice))
    assert.deepEqual([throttled.status, throttled.headers.get('retry-after')], [429, '5'])
    assert.ok(await contoso.tokens(form(bob)))
    assert.ok(await tokenOf('Alice'))
    assert.deepEqual([counters.obo, counters.token], [2, 5])
    faults.clear('obo')
    const slow = faults.on('obo', { hang: true })
    const answers = [contoso.tokens(form(alice)), contoso.tokens(form(bob))]
    await slow.reached(2)
    slow.release()
    assert.equal((await Promise.all(answers)).length, 2)
  })

  it('hangs for the time it is told to', async () => {
    contoso.tenant.faults.on('obo', { hang: 1, times: 1 })
    assert.ok(await contoso.tokens(form(await tokenOf('Alice'))))
  })

  it('lets the step-up also happen in the browser when Graph is asked for directly', async () => {
    const { directory, clientId, apiAppId } = contoso.seed
    const grant = directory.oauth2PermissionGrants.find(
      ({ clientId: id }) => id === directory.servicePrincipal(apiAppId)?.id,
    )
    assert.ok(grant)
    directory.oauth2PermissionGrants.push({
      ...grant,
      clientId: directory.servicePrincipal(clientId)?.id ?? '',
    })
    const code = codeOf(await contoso.authorize({ scope: GRAPH_SCOPE, login_hint: 'carol@contoso.example' }))
    const { access_token } = await contoso.tokens({
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: 'http://localhost:5000/callback',
      code,
      code_verifier: VERIFIER,
    })
    assert.deepEqual(claimsOf(access_token).amr, ['pwd', 'mfa'])
  })
})
