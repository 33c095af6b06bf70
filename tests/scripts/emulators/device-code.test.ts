import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type INetworkModule, PublicClientApplication } from '@azure/msal-node'
import { z } from 'zod'
import { AZURE_CLI, type Contoso, claimsOf, MCP, rerouted, SCOPE, startContoso, VS_CODE } from './contoso.ts'

const Started = z.object({
  user_code: z.string().length(9),
  device_code: z.string(),
  verification_uri: z.string(),
  expires_in: z.literal(900),
  interval: z.literal(5),
  message: z.string(),
})

/** MSAL waits real seconds between polls; here it waits for the user instead. */
const impatient = (client: INetworkModule, user: () => Promise<unknown>): INetworkModule => ({
  ...client,
  sendPostRequestAsync: async (url, options) => {
    if (url.endsWith('/token')) await user()
    const answer = await client.sendPostRequestAsync<object>(url, options)
    return JSON.parse(JSON.stringify({ ...answer, body: { ...answer.body, interval: 0 } }))
  },
})

describe('device code', () => {
  let contoso: Contoso
  beforeEach(async () => {
    contoso = await startContoso()
  })
  afterEach(() => contoso.tenant.close())

  const start = async (form: Record<string, string> = {}) => {
    const response = await contoso.post({ client_id: AZURE_CLI, scope: SCOPE, ...form }, 'devicecode')
    return Started.parse(await response.json())
  }
  const poll = (device_code: string, client_id = AZURE_CLI) => ({
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id,
    device_code,
  })
  const refusedAs = async (code: number, error: string, form: Record<string, string>) => {
    const refusal = await contoso.refusal(form)
    assert.deepEqual([refusal.error_codes, refusal.error, refusal.status], [[code], error, 400])
  }
  const page = async (form: Record<string, string>) => {
    const address = `${contoso.tenant.url}/${contoso.seed.tenantId}/oauth2/deviceauth`
    const response = await fetch(address, { method: 'POST', body: new URLSearchParams(form) })
    return { status: response.status, text: await response.text() }
  }

  it('waits until somebody signs in on the page, then gives tokens once', async () => {
    const { user_code, device_code, verification_uri } = await start()
    assert.match(await (await fetch(verification_uri)).text(), /<label for="code">/)
    await refusedAs(70016, 'authorization_pending', poll(device_code))
    const picker = await page({ user_code: ` ${user_code.toLowerCase()} ` })
    assert.match(picker.text, /Microsoft|Azure CLI/)
    assert.match(
      (await page({ user_code, user: 'bob@contoso.example' })).text,
      /You have signed in on your device/,
    )
    const { access_token } = await contoso.tokens(poll(device_code))
    assert.equal(claimsOf(access_token).preferred_username, 'bob@contoso.example')
    await refusedAs(70000, 'bad_verification_code', poll(device_code))
    assert.equal((await page({ user_code })).status, 400)
  })

  it('tells an impatient client to slow down', async () => {
    const { device_code } = await start()
    await refusedAs(70016, 'authorization_pending', poll(device_code))
    contoso.pass(4)
    await refusedAs(70016, 'slow_down', poll(device_code))
    contoso.pass(5)
    await refusedAs(70016, 'authorization_pending', poll(device_code))
  })

  it('ends after a quarter of an hour, or when the user declines', async () => {
    const late = await start()
    contoso.pass(900)
    await refusedAs(70020, 'expired_token', poll(late.device_code))
    assert.equal((await page({ user_code: late.user_code })).status, 400)
    const declined = await start()
    await page({ user_code: declined.user_code, decline: '1' })
    await refusedAs(70018, 'authorization_declined', poll(declined.device_code))
  })

  it("refuses another client's code, a made-up one, and a wrong one on the page", async () => {
    const { device_code } = await start()
    await refusedAs(70000, 'bad_verification_code', poll(device_code, VS_CODE))
    await refusedAs(70000, 'bad_verification_code', poll('1.made-up'))
    const wrong = await page({ user_code: '<b>' })
    assert.equal(wrong.status, 400)
    assert.match(wrong.text, /role="alert"/)
  })

  it('checks scope and resource at the start and the user at the end', async () => {
    const refusal = async (form: Record<string, string>) =>
      (await contoso.refusal({ client_id: AZURE_CLI, scope: SCOPE, ...form }, 'devicecode')).error_codes
    assert.deepEqual(await refusal({ resource: `${MCP}/` }), [9010010])
    assert.deepEqual(await refusal({ scope: 'user_impersonation' }), [650053])
    assert.deepEqual(await refusal({ scope: '' }), [900144])
    assert.deepEqual(await refusal({ client_id: '11111111-2222-4333-8444-555555555555' }), [700016])
    const { user_code, device_code } = await start({ resource: MCP })
    await page({ user_code, user: 'dave@contoso.example' })
    await refusedAs(50105, 'access_denied', poll(device_code))
  })

  it('steps up where the claims were asked for with the code', async () => {
    const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'c1' } } })
    for (const [form, acrs] of [
      [{ claims }, ['c1']],
      [{}, undefined],
    ] as const) {
      const { user_code, device_code } = await start(form)
      await page({ user_code, user: 'carol@contoso.example' })
      assert.deepEqual(claimsOf((await contoso.tokens(poll(device_code))).access_token).acrs, acrs)
    }
    assert.deepEqual(
      (await contoso.refusal({ client_id: AZURE_CLI, scope: SCOPE, claims: '{' }, 'devicecode')).error_codes,
      [90100],
    )
  })

  it('wants proof from a client that is not public', async () => {
    const { device_code } = await start({ client_id: contoso.seed.apiAppId })
    const refusal = await contoso.refusal(poll(device_code, contoso.seed.apiAppId))
    assert.deepEqual(refusal.error_codes, [7000218])
  })

  it('serves MSAL', async () => {
    const signedIn: Promise<unknown>[] = []
    const application = new PublicClientApplication({
      auth: { clientId: AZURE_CLI, authority: `https://login.microsoftonline.com/${contoso.seed.tenantId}` },
      system: { networkClient: impatient(rerouted(contoso.tenant), () => Promise.all(signedIn)) },
    })
    const answer = await application.acquireTokenByDeviceCode({
      scopes: [SCOPE],
      deviceCodeCallback: ({ userCode }) => {
        signedIn.push(page({ user_code: userCode, user: 'alice@contoso.example' }))
      },
    })
    assert.equal(answer?.account?.username, 'alice@contoso.example')
    const silent = await application.acquireTokenSilent({
      scopes: [SCOPE],
      account: answer?.account ?? assert.fail('no account'),
      forceRefresh: true,
    })
    assert.equal(claimsOf(silent.accessToken).oid, claimsOf(answer?.accessToken).oid)
  })
})
