import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ConfidentialClientApplication, type NodeAuthOptions } from '@azure/msal-node'
import { type JWTPayload, SignJWT } from 'jose'
import { z } from 'zod'
import { selfSigned } from '../../certificate.ts'
import { type Contoso, claimsOf, MCP, rerouted, startContoso } from './contoso.ts'

const EXCHANGE = 'api://AzureADTokenExchange'
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const Identity = z.object({ access_token: z.string() })

describe('client authentication', () => {
  let contoso: Contoso
  beforeEach(async () => {
    contoso = await startContoso()
  })
  afterEach(() => contoso.tenant.close())

  const client = () => contoso.application(contoso.seed.apiAppId)
  const form = (proof: Record<string, string>) => ({
    grant_type: 'client_credentials',
    client_id: contoso.seed.apiAppId,
    scope: `${MCP}/.default`,
    ...proof,
  })
  const asserted = (assertion: string) =>
    form({ client_assertion_type: ASSERTION, client_assertion: assertion })
  const refusedAs = async (code: number, proof: Record<string, string>) => {
    const refusal = await contoso.refusal(proof)
    assert.deepEqual([refusal.error_codes, refusal.error, refusal.status], [[code], 'invalid_client', 401])
    return refusal
  }
  const msal = (auth: Omit<NodeAuthOptions, 'clientId' | 'authority'>) => {
    const application = new ConfidentialClientApplication({
      auth: {
        clientId: contoso.seed.apiAppId,
        authority: `https://login.microsoftonline.com/${contoso.seed.tenantId}`,
        ...auth,
      },
      system: { networkClient: rerouted(contoso.tenant) },
    })
    return application.acquireTokenByClientCredential({ scopes: [`${MCP}/.default`] })
  }
  const identityToken = async () => {
    const { tenant, seed } = contoso
    const query = new URLSearchParams({
      'api-version': '2019-08-01',
      resource: EXCHANGE,
      client_id: seed.managedIdentity.clientId,
    })
    const headers = { 'x-identity-header': tenant.identityHeader }
    const response = await fetch(`${tenant.identityEndpoint}?${query}`, { headers })
    return Identity.parse(await response.json()).access_token
  }

  it('takes a secret from MSAL, in the body or in an Authorization header', async () => {
    const clientSecret = contoso.secretOf(contoso.seed.apiAppId)
    const answer = await msal({ clientSecret })
    assert.equal(claimsOf(answer?.accessToken).azpacr, '1')
    const { client_id, ...body } = form({})
    const response = await fetch(`${contoso.oauth}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${clientSecret}`)}` },
      body: new URLSearchParams(body),
    })
    assert.equal(response.status, 200)
  })

  it('refuses a missing, wrong or expired secret and never repeats one', async () => {
    const secret = contoso.secretOf(contoso.seed.apiAppId, 60)
    await refusedAs(7000218, form({}))
    const refusal = await refusedAs(7000215, form({ client_secret: 'guessed-secret' }))
    assert.ok(!JSON.stringify(refusal).includes('guessed-secret'))
    contoso.pass(60)
    await refusedAs(7000222, form({ client_secret: secret }))
  })

  it("refuses another app's secret, and keeps no secret in clear", async () => {
    const secret = contoso.secretOf(contoso.seed.clientId)
    await refusedAs(7000215, form({ client_secret: secret }))
    assert.ok(!JSON.stringify(contoso.seed.directory).includes(secret))
  })

  it('takes the certificate of MSAL, which signs PS256', async () => {
    const { credential, forMsal } = await selfSigned()
    client().keyCredentials.push(credential)
    const answer = await msal({ clientCertificate: forMsal })
    assert.equal(claimsOf(answer?.accessToken).azpacr, '2')
  })

  it('tells what is wrong with a certificate', async () => {
    const { credential, forMsal } = await selfSigned()
    await assert.rejects(msal({ clientCertificate: forMsal }), { errorNo: 700027 })
    client().keyCredentials.push({ ...credential, endDateTime: new Date(contoso.clock.now).toISOString() })
    await assert.rejects(msal({ clientCertificate: forMsal }), { errorNo: 700027 })
  })

  it('takes an RS256 assertion named by SHA-1 and refuses each wrong claim', async () => {
    const { credential, privateKey, thumbprintSha1, thumbprintSha256 } = await selfSigned()
    const stranger = await selfSigned()
    client().keyCredentials.push(credential)
    const { apiAppId: appId } = contoso.seed
    const seconds = Math.floor(contoso.clock.now / 1000)
    const claims = { iss: appId, sub: appId, aud: `${contoso.oauth}/token`, exp: seconds + 60 }
    const sign = (payload: JWTPayload, header: Record<string, string> = {}, key = privateKey) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: 'RS256', x5t: thumbprintSha1, ...header })
        .sign(createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })))
    assert.ok(await contoso.tokens(asserted(await sign(claims))))
    const real = {
      ...claims,
      aud: `https://login.microsoftonline.com/${contoso.seed.tenantId}/oauth2/v2.0/token`,
    }
    assert.ok(await contoso.tokens(asserted(await sign(real, { 'x5t#S256': thumbprintSha256 }))))
    await refusedAs(700027, asserted(await sign(claims, { x5t: stranger.thumbprintSha1 })))
    await refusedAs(700027, asserted(await sign(claims, {}, stranger.privateKey)))
    await refusedAs(700027, asserted(await sign(claims, { alg: 'RS512' })))
    await refusedAs(700023, asserted(await sign({ ...claims, aud: 'https://elsewhere' })))
    await refusedAs(700024, asserted(await sign({ ...claims, exp: seconds - 301 })))
    await refusedAs(700024, asserted(await sign({ ...claims, nbf: seconds + 301 })))
    await refusedAs(700024, asserted(await sign({ iss: appId, sub: appId, aud: claims.aud })))
    await refusedAs(700021, asserted(await sign({ ...claims, sub: 'somebody else' })))
    await refusedAs(50027, asserted('no.jwt'))
    const untyped = await contoso.refusal(form({ client_assertion: await sign(claims) }))
    assert.deepEqual(untyped.error_codes, [90100])
  })

  it("takes the managed identity's token as federated assertion, through MSAL", async () => {
    const answer = await msal({ clientAssertion: identityToken })
    assert.equal(claimsOf(answer?.accessToken).azpacr, '2')
  })

  it('names the part of a federated credential that does not match', async () => {
    const [credential] = client().federatedIdentityCredentials
    assert.ok(credential)
    const proof = asserted(await identityToken())
    const { subject, issuer, audiences } = credential
    credential.subject = subject.toUpperCase()
    await refusedAs(7002138, proof)
    credential.subject = contoso.seed.adminGroupId
    await refusedAs(700213, proof)
    credential.subject = subject
    credential.issuer = issuer.replace('v2.0', 'v2.0/')
    await refusedAs(700211, proof)
    credential.issuer = issuer
    credential.audiences = [EXCHANGE.toLowerCase()]
    await refusedAs(700212, proof)
    credential.audiences = audiences
    assert.ok(await contoso.tokens(proof))
    client().federatedIdentityCredentials = []
    await refusedAs(70025, proof)
  })

  it('accepts a federated credential that is written for the emulator itself', async () => {
    const [credential] = client().federatedIdentityCredentials
    assert.ok(credential)
    credential.issuer = `${contoso.tenant.url}/${contoso.seed.tenantId}/v2.0`
    assert.ok(await contoso.tokens(asserted(await identityToken())))
  })

  it('refuses a federated assertion that is expired, forged, or of an issuer it has no keys of', async () => {
    const [credential] = client().federatedIdentityCredentials
    assert.ok(credential)
    const token = await identityToken()
    const stranger = (await selfSigned()).privateKey
    const forged = new SignJWT(claimsOf(token)).setProtectedHeader({ alg: 'RS256' }).sign(stranger)
    await refusedAs(700027, asserted(await forged))
    contoso.pass(2 * 3600)
    await refusedAs(700024, asserted(token))
    credential.issuer = 'https://token.actions.githubusercontent.com'
    const foreign = await contoso.tenant.sign({ ...claimsOf(token), iss: credential.issuer })
    await refusedAs(700027, asserted(foreign))
  })
})
