import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DownstreamUnavailable } from '../../app/auth/downstream.ts'
import { AdminGroup } from '../../app/auth/groups.ts'
import { KeysUnavailable, SigningKeys } from '../../app/auth/keys.ts'
import { ManagedIdentity } from '../../app/auth/managed-identity.ts'
import { OnBehalfOf } from '../../app/auth/obo.ts'
import type { Caller, UserId } from '../../app/auth/verifier.ts'
import { DeadlineExceeded, within } from '../../app/deadline.ts'
import { DocumentIndex } from '../../app/documents/document-index.ts'
import { loadPermissions } from '../../app/permissions.ts'
import { openContainer } from '../../app/store/cosmos.ts'
import { ExpenseStore, StoreUnavailable } from '../../app/store/expenses.ts'
import { STALLS, type Stalling, startStalling } from './stalling.ts'
import { admin, lunch, notOnRealCosmos, noWaiting, openStore, someUser } from './store.ts'

/** Short, so that the tests are; nothing that stalls would ever answer. */
const DEADLINE = 50

const [graph] = loadPermissions().downstreamApis
assert.ok(graph)

const caller = (token: string): Caller => ({
  userId: 'user' as UserId,
  token,
  scopes: new Set(),
  roles: new Set(),
  client: undefined,
})

const never = new Promise<never>(() => {})

for (const stall of STALLS) {
  describe(`when a service stalls in its ${stall}, our own deadline ends`, () => {
    let service: Stalling
    before(async () => {
      service = await startStalling(stall)
    })
    after(() => service.close())

    const exchanges = () =>
      new OnBehalfOf(
        {
          tenantId: crypto.randomUUID(),
          clientId: crypto.randomUUID(),
          authorityHost: service.url,
          credential: { kind: 'secret', secret: 'secret' },
          oboCacheSeconds: 1800,
        },
        { deadlineMs: DEADLINE },
      )

    it('the fetch of the signing keys, for everybody who waits for it', async () => {
      const keys = new SigningKeys(service.url, 'tenant', { deadlineMs: DEADLINE })
      await Promise.all([1, 2, 3].map(() => assert.rejects(keys.ready(), KeysUnavailable)))
    })

    it('the exchange', async () => {
      const obo = exchanges()
      await Promise.all([1, 2].map(() => assert.rejects(obo.tokenFor(caller('a'), graph), isUnavailable)))
    })

    it('the question for the admin group', async () => {
      const group = new AdminGroup(service.url, crypto.randomUUID(), DEADLINE)
      await assert.rejects(
        group.admin(caller('a'), async () => 'token'),
        isUnavailable,
      )
    })

    it('the question for a token of the managed identity, and what waits for it', async () => {
      process.env.IDENTITY_ENDPOINT = service.url
      process.env.IDENTITY_HEADER = 'header'
      const clientId = crypto.randomUUID()
      const identity = new ManagedIdentity(clientId, DEADLINE)
      await assert.rejects(identity.token('https://example.com'), isUnavailable)
      // Any https address: it is never reached, because there is no token for it.
      const address = { endpoint: 'https://127.0.0.1:1', database: 'db', container: 'c' }
      const store = new ExpenseStore(
        openContainer({ ...address, credential: identity.credential }),
        noWaiting(),
      )
      await assert.rejects(store.list(someUser(), { limit: 1 }), StoreUnavailable)
      await assert.rejects(store.add(someUser(), lunch), StoreUnavailable)
    })

    it('the question for documents, and the one for the token that it needs', async () => {
      const question = { query: 'x', top: 1, userToken: 'a.b.c' }
      const granted = { token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }
      for (const getToken of [async () => granted, () => never]) {
        const documents = new DocumentIndex(service.url, async () => ({ getToken }))
        await assert.rejects(documents.find(question, DEADLINE), DeadlineExceeded)
      }
    })

    it('every use of the store, and the look at it', async () => {
      const address = { endpoint: service.url, key: 'a2V5', database: 'db', container: 'c' }
      const store = new ExpenseStore(openContainer(address), noWaiting(DEADLINE))
      await assert.rejects(store.list(someUser(), { limit: 1 }), StoreUnavailable)
      await assert.rejects(store.add(someUser(), lunch), StoreUnavailable)
      await assert.rejects(store.stats(admin), StoreUnavailable)
      await assert.rejects(store.reachable(DEADLINE), DeadlineExceeded)
    })
  })
}

describe('a credential that gives no token and heeds no signal', () => {
  let asked = 0
  const credential = {
    getToken: () => {
      asked++
      return never
    },
  }
  const address = { endpoint: 'https://127.0.0.1:1', database: 'db', container: 'c' }

  it('ends with our deadline for the token, for all who wait, and is asked again by the next', async () => {
    const container = openContainer({ ...address, credential, tokenDeadlineMs: DEADLINE })
    const store = new ExpenseStore(container, noWaiting())
    const list = () => assert.rejects(store.list(someUser(), { limit: 1 }), StoreUnavailable)
    await Promise.all([list(), list(), list()])
    const before = asked
    await list()
    assert.ok(asked > before)
  })

  it('ends with our deadline for the use of the store', async () => {
    const store = new ExpenseStore(openContainer({ ...address, credential }), noWaiting(DEADLINE))
    await assert.rejects(store.list(someUser(), { limit: 1 }), StoreUnavailable)
    await assert.rejects(store.reachable(DEADLINE), DeadlineExceeded)
  })
})

describe('the store after a stall', { skip: notOnRealCosmos }, () => {
  it('answers again', async () => {
    const open = await openStore()
    try {
      const store = open.storeWith(noWaiting(DEADLINE))
      open.cosmos.faults.inject('account', 'hang')
      open.cosmos.faults.inject('query', 'hang')
      await assert.rejects(store.list(someUser(), { limit: 1 }), StoreUnavailable)
      open.cosmos.faults.clear()
      assert.deepEqual(await open.store.list(someUser(), { limit: 1 }), { expenses: [] })
    } finally {
      await open.close()
    }
  })

  it('gives all pages of one list one deadline, not one each', async () => {
    const open = await openStore({ pageSize: 1 })
    try {
      const user = someUser()
      for (const amount of [1, 2, 3]) await open.store.add(user, { ...lunch, amount })
      open.cosmos.faults.inject('query', 'none')
      open.cosmos.faults.inject('query', 'hang')
      await assert.rejects(open.storeWith(noWaiting(1_000)).list(user, { limit: 3 }), StoreUnavailable)
    } finally {
      await open.close()
    }
  })
})

describe('a deadline', () => {
  it('tells the call, and passes its answer and its error on', async () => {
    let signal: AbortSignal | undefined
    const late = within(DEADLINE, (given) => {
      signal = given
      return never
    })
    await assert.rejects(late, { code: 'deadline_exceeded' })
    assert.equal(signal?.aborted, true)
    assert.equal(await within(60_000, async () => 'answer'), 'answer')
    await assert.rejects(
      within(60_000, () => Promise.reject(new Error('own'))),
      { message: 'own' },
    )
  })

  it('that is over starts nothing', async () => {
    await assert.rejects(
      within(0, () => assert.fail('started')),
      DeadlineExceeded,
    )
  })
})

const isUnavailable = (error: unknown) => error instanceof DownstreamUnavailable
