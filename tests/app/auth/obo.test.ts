import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it, mock } from 'node:test'
import type { Credential } from '../../../app/auth/credential.ts'
import {
  AssertionRefused,
  ConsentMissing,
  DownstreamUnavailable,
  StepUpRequired,
} from '../../../app/auth/downstream.ts'
import { AdminGroup } from '../../../app/auth/groups.ts'
import { SigningKeys } from '../../../app/auth/keys.ts'
import { OnBehalfOf } from '../../../app/auth/obo.ts'
import { type Caller, isService, Verifier } from '../../../app/auth/verifier.ts'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { selfSigned } from '../../certificate.ts'
import { startTenant, type Tenant } from '../../scripts/emulators/tenant.ts'

const mcp = 'http://localhost:8080/mcp'
const permissions = loadPermissions()
const [graph] = permissions.downstreamApis
assert.ok(graph)

let tenant: Tenant
let seed: ReturnType<typeof seedDirectory>
let verifier: Verifier
before(async () => {
  seed = seedDirectory({ mcpUrls: [mcp], permissions })
  tenant = await startTenant({ ...seed, port: 0 })
  process.env.IDENTITY_ENDPOINT = tenant.identityEndpoint
  process.env.IDENTITY_HEADER = tenant.identityHeader
  verifier = verifierOf()
})
function verifierOf() {
  const config = {
    tenantId: seed.tenantId,
    clientId: seed.apiAppId,
    authorityHost: tenant.url,
    serverUrl: mcp,
    tokenMaxAgeHours: 24,
  }
  return new Verifier(config, new SigningKeys(tenant.url, seed.tenantId))
}
afterEach(() => {
  tenant.faults.clear()
  tenant.faults.resetCounters()
  mock.timers.reset()
})
after(() => tenant.close())

const managedIdentity = (): Credential => ({
  kind: 'managed-identity',
  clientId: seed.managedIdentity.clientId,
})

function oboWith(credential: Credential = managedIdentity(), oboCacheSeconds = 1800, maxEntries?: number) {
  const config = {
    tenantId: seed.tenantId,
    clientId: seed.apiAppId,
    authorityHost: tenant.url,
    credential,
    oboCacheSeconds,
  }
  return new OnBehalfOf(config, maxEntries === undefined ? {} : { maxEntries })
}

/** A new certificate that the API app in the directory knows. */
async function certificate(): Promise<Credential> {
  const { credential, forMsal } = await selfSigned()
  seed.directory.application(seed.apiAppId)?.keyCredentials.push(credential)
  const current = { ...forMsal, certificate: forMsal.x5c, notAfter: new Date(credential.endDateTime) }
  return { kind: 'certificate', file: { current, watch: () => () => undefined } }
}

/** A caller with a token of their own, as the server would see them. */
async function caller(user: string, claims?: string): Promise<Caller> {
  const request = { user, clientId: seed.clientId, scope: `${mcp}/user_impersonation`, resource: mcp }
  const bearer = await verifier.verify(await tenant.tokenFor(claims ? { ...request, claims } : request))
  assert.ok(!isService(bearer))
  return bearer
}

describe('the on-behalf-of exchange', () => {
  it('signs in with the managed identity as federated assertion, and no secret', async () => {
    const { token, source } = await oboWith().tokenFor(await caller('Alice'), graph)
    assert.equal(source, 'fetched')
    const me = await fetch(`${tenant.graphUrl}/v1.0/me`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(me.status, 200)
    assert.ok(tenant.counters.managedIdentity > 0)
  })

  it('signs in with a certificate', async () => {
    const { token } = await oboWith(await certificate()).tokenFor(await caller('Alice'), graph)
    assert.ok(token)
  })

  it('fails with the AADSTS number, and nothing else of Entra’s text, for a wrong secret', async () => {
    const wrong = oboWith({ kind: 'secret', secret: 'wrong' })
    await assert.rejects(wrong.tokenFor(await caller('Alice'), graph), {
      message: 'The on-behalf-of exchange failed: AADSTS7000215.',
    })
  })

  it('asks the token endpoint once for 50 identical concurrent calls, and not again', async () => {
    const obo = oboWith()
    const alice = await caller('Alice')
    await Promise.all(Array.from({ length: 50 }, () => obo.tokenFor(alice, graph)))
    assert.equal((await obo.tokenFor(alice, graph)).source, 'cache')
    assert.equal(tenant.counters.obo, 1)
  })

  for (const [name, fault] of Object.entries({
    failing: { status: 503 },
    silent: { close: true },
  } as const)) {
    it(`says when to come back while the managed identity's endpoint is ${name}`, async () => {
      // MSAL keeps the identity's token for the process: another identity has none yet.
      const other = oboWith({ kind: 'managed-identity', clientId: crypto.randomUUID() })
      tenant.faults.on('managedIdentity', fault)
      await assert.rejects(other.tokenFor(await caller('Alice'), graph), DownstreamUnavailable)
    })
  }

  it('exchanges a new assertion of the same user anew, and keeps the first one', async () => {
    const obo = oboWith()
    const [first, second] = [await caller('Alice'), await caller('Alice')]
    await obo.tokenFor(first, graph)
    assert.equal((await obo.tokenFor(second, graph)).source, 'fetched')
    assert.equal((await obo.tokenFor(first, graph)).source, 'cache')
  })

  it('keeps no token beyond OBO_CACHE_SECONDS', async () => {
    const alice = await caller('Alice')
    const obo = oboWith(managedIdentity(), 60)
    await obo.tokenFor(alice, graph)
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
    assert.equal((await obo.tokenFor(alice, graph)).source, 'fetched')
  })

  it('holds no more tokens than its bound', async () => {
    const obo = oboWith(managedIdentity(), 1800, 2)
    const [alice, bob, again] = [await caller('Alice'), await caller('Bob'), await caller('Alice')]
    for (const who of [alice, bob, again]) await obo.tokenFor(who, graph)
    assert.equal((await obo.tokenFor(again, graph)).source, 'cache')
    assert.equal((await obo.tokenFor(alice, graph)).source, 'fetched')
  })

  it('passes the claims of Conditional Access on, and takes the step-up', async () => {
    const obo = oboWith()
    const error: unknown = await obo
      .tokenFor(await caller('Carol'), graph)
      .catch((failure: unknown) => failure)
    assert.ok(error instanceof StepUpRequired)
    assert.ok(JSON.parse(error.claims).access_token)
    assert.ok((await obo.tokenFor(await caller('Carol', error.claims), graph)).token)
  })

  it('tells missing consent from other refusals', async () => {
    const grants = seed.directory.oauth2PermissionGrants.splice(0)
    try {
      await assert.rejects(oboWith().tokenFor(await caller('Alice'), graph), ConsentMissing)
    } finally {
      seed.directory.oauth2PermissionGrants.push(...grants)
    }
  })

  it('rests one user after a 429 for as long as Entra says, and nobody else', async () => {
    const obo = oboWith()
    const [alice, bob] = [await caller('Alice'), await caller('Bob')]
    tenant.faults.on('obo', { status: 429, retryAfter: 30, times: 1 })
    await assert.rejects(
      obo.tokenFor(alice, graph),
      (error) => error instanceof DownstreamUnavailable && error.retryAfterSeconds === 30,
    )
    await assert.rejects(obo.tokenFor(alice, graph), DownstreamUnavailable)
    assert.equal(tenant.counters.obo, 1)
    assert.ok((await obo.tokenFor(bob, graph)).token)
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 })
    assert.ok((await obo.tokenFor(alice, graph)).token)
  })

  it('tries a 5xx once more, then gives up; a failure is not kept', async () => {
    const obo = oboWith()
    const alice = await caller('Alice')
    tenant.faults.on('obo', { status: 503, times: 1 })
    assert.ok((await obo.tokenFor(alice, graph)).token)
    const second = await caller('Alice')
    tenant.faults.on('obo', { status: 500, times: 2 })
    await assert.rejects(obo.tokenFor(second, graph), DownstreamUnavailable)
    assert.ok((await obo.tokenFor(second, graph)).token)
  })
})

describe('the admin group', () => {
  const groupOf = () => new AdminGroup(tenant.graphUrl, seed.adminGroupId)
  const graphToken = (who: Caller) => async () => (await oboWith().tokenFor(who, graph)).token

  it('finds Alice through a nested group, and not Bob', async () => {
    const [alice, bob] = [await caller('Alice'), await caller('Bob')]
    assert.equal(await groupOf().admin(alice, graphToken(alice)), alice.userId)
    assert.equal(await groupOf().admin(bob, graphToken(bob)), undefined)
  })

  it('is asked once for many concurrent requests and at most every five minutes', async () => {
    const group = groupOf()
    const alice = await caller('Alice')
    const ask = () => group.admin(alice, graphToken(alice))
    await Promise.all(Array.from({ length: 20 }, ask))
    assert.equal(tenant.counters.graph, 1)
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 299_000 })
    await ask()
    assert.equal(tenant.counters.graph, 1)
    mock.timers.setTime(Date.now() + 2_000)
    await ask()
    assert.equal(tenant.counters.graph, 2)
  })

  it('follows page links past an empty first page', async () => {
    tenant.graph.emptyFirstPage = true
    try {
      const alice = await caller('Alice')
      assert.equal(await groupOf().admin(alice, graphToken(alice)), alice.userId)
    } finally {
      tenant.graph.emptyFirstPage = false
    }
  })

  it('retries 429 and 5xx within its deadline', async () => {
    const alice = await caller('Alice')
    tenant.faults.on('graph', { status: 503, times: 1 })
    tenant.faults.on('graph', { status: 429, retryAfter: 0, times: 1 })
    assert.equal(await groupOf().admin(alice, graphToken(alice)), alice.userId)
    assert.equal(tenant.counters.graph, 3)
  })

  it('fails at once, and says when to come back, when Graph asks for more patience than there is', async () => {
    const alice = await caller('Alice')
    tenant.faults.on('graph', { status: 429, retryAfter: 60 })
    await assert.rejects(
      groupOf().admin(alice, graphToken(alice)),
      (error) => error instanceof DownstreamUnavailable && error.retryAfterSeconds === 60,
    )
    assert.equal(tenant.counters.graph, 1)
  })

  it('gives the failure of an older token to nobody who asks with a newer one meanwhile', async () => {
    const group = groupOf()
    const [older, newer] = [await caller('Alice'), await caller('Alice')]
    const fault = tenant.faults.on('graph', { hang: true, times: 1 })
    const failing = group.admin(older, async () => {
      await graphToken(newer)()
      throw new AssertionRefused('ended')
    })
    const asking = group.admin(older, graphToken(older)).catch((error: unknown) => error)
    const answer = group.admin(newer, graphToken(newer))
    await assert.rejects(failing, AssertionRefused)
    assert.ok((await asking) instanceof AssertionRefused)
    await fault.reached(1)
    fault.release()
    assert.equal(await answer, newer.userId)
    assert.equal(await group.admin(older, graphToken(older)), older.userId)
  })

  it('does not remember a failure', async () => {
    const group = groupOf()
    const alice = await caller('Alice')
    tenant.faults.on('graph', { status: 429, retryAfter: 60, times: 1 })
    await assert.rejects(group.admin(alice, graphToken(alice)), DownstreamUnavailable)
    assert.equal(await group.admin(alice, graphToken(alice)), alice.userId)
  })
})

// Last, because the managed identity's assertion, which MSAL keeps, dies with the old key too.
describe('after the tenant has withdrawn a signing key, the exchange', () => {
  it('asks for a new sign-in when Entra no longer takes the assertion', async () => {
    const stale = await caller('Alice')
    await tenant.rotateKeys({ retire: true })
    verifier = verifierOf()
    await assert.rejects(oboWith(await certificate()).tokenFor(stale, graph), AssertionRefused)
  })
})
