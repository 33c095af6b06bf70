import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import {
  DOCUMENTS_INDEX,
  find,
  openIndex,
  openService,
  SEARCH_RESOURCE,
} from '../../../app/documents/search.ts'
import { fillDocuments } from '../../../scripts/documents/fill.ts'
import type { Readers } from '../../../scripts/documents/samples.ts'
import { type Contoso, startContoso } from './contoso.ts'

const Page = z.object({ value: z.array(z.looseObject({ id: z.string() })) })
const ALL = { search: '*', select: 'id', top: 50 }

describe('Azure AI Search', () => {
  let contoso: Contoso
  let readers: Readers
  before(async () => {
    contoso = await startContoso()
    readers = { ...contoso.seed, deployerId: oidOf('Olivia') }
  })
  beforeEach(async () => {
    contoso.tenant.search.indexes.clear()
    await fillDocuments(contoso.tenant.searchUrl, as('Olivia'), readers)
  })
  after(() => contoso.tenant.close())

  const oidOf = (name: string) => {
    const { users, operators, managedIdentity } = contoso.seed
    if (name === 'server') return managedIdentity.principalId
    const person = [...users, ...operators].find((one) => one.name === name)
    assert.ok(person)
    return person.oid
  }
  const tokenOf = (name: string, changes: Record<string, unknown> = {}) => {
    const now = Math.floor(Date.now() / 1000)
    return contoso.tenant.sign({
      iss: `${contoso.tenant.url}/${contoso.seed.tenantId}/`,
      aud: SEARCH_RESOURCE,
      oid: oidOf(name),
      exp: now + 600,
      ...(name === 'server' ? { idtyp: 'app' } : { scp: 'user_impersonation' }),
      ...changes,
    })
  }
  const as = (name: string) => ({
    getToken: async () => ({ token: await tokenOf(name), expiresOnTimestamp: Date.now() + 600_000 }),
  })
  const signal = AbortSignal.timeout(30_000)
  const foundBy = async (name: string, query = '*', top = 50) => {
    const index = openIndex(contoso.tenant.searchUrl, as('server'))
    const found = await find(index, { query, top, userToken: await tokenOf(name), signal })
    return found.map(({ id }) => id).toSorted()
  }
  /** One query as it is on the wire; `undefined` leaves a header out. */
  const ask = (headers: Record<string, string | undefined> = {}, body: unknown = ALL, version?: string) =>
    fetch(
      `${contoso.tenant.searchUrl}/indexes('${DOCUMENTS_INDEX}')/docs/search.post.search?api-version=${version ?? '2025-11-01-preview'}`,
      {
        method: 'POST',
        headers: Object.entries({ 'content-type': 'application/json', ...headers }).flatMap(
          ([header, value]): [string, string][] => (value === undefined ? [] : [[header, value]]),
        ),
        body: JSON.stringify(body),
      },
    )
  const bearer = async (name = 'server', changes = {}) => `Bearer ${await tokenOf(name, changes)}`

  it("finds what the user's token may read, by user and by group, also through a nested one", async () => {
    assert.deepEqual(await foundBy('Alice'), [
      'approval-limits',
      'audit-checklist',
      'expense-guide',
      'travel-policy',
    ])
    assert.deepEqual(await foundBy('Bob'), ['expense-guide', 'travel-policy'])
    assert.deepEqual(await foundBy('Dave'), ['expense-guide', 'travel-policy'])
    assert.deepEqual(await foundBy('Olivia'), ['deployment-notes'])
    assert.deepEqual(await foundBy('Peter'), [])
  })

  it('asks the directory anew for the groups of each query', async () => {
    const group = contoso.seed.directory.groups.find(({ id }) => id === contoso.seed.usersGroupId)
    assert.ok(group)
    const members = group.members.splice(0)
    assert.deepEqual(await foundBy('Bob'), [])
    group.members.push(...members)
    assert.deepEqual(await foundBy('Bob'), ['expense-guide', 'travel-policy'])
  })

  it('finds by words, the best first, and at most so many', async () => {
    assert.deepEqual(await foundBy('Alice', 'receipt audit'), [
      'audit-checklist',
      'expense-guide',
      'travel-policy',
    ])
    assert.deepEqual(await foundBy('Alice', 'receipt audit', 1), ['audit-checklist'])
    assert.deepEqual(await foundBy('Alice', 'unicorns'), [])
  })

  it("finds only what everybody may read without a user's token", async () => {
    const authorization = await bearer()
    assert.deepEqual(Page.parse(await (await ask({ authorization })).json()).value, [])
    const everybody = {
      id: 'canteen',
      title: 'Canteen',
      content: 'Open',
      reader_users: ['all'],
      reader_groups: [],
    }
    await openIndex(contoso.tenant.searchUrl, as('Olivia')).uploadDocuments([everybody])
    assert.deepEqual(Page.parse(await (await ask({ authorization })).json()).value, [
      { '@search.score': 1, id: 'canteen' },
    ])
  })

  it('finds everything for everybody when the permission filter is off', async () => {
    const service = openService(contoso.tenant.searchUrl, as('Olivia'))
    const definition = await service.getIndex(DOCUMENTS_INDEX)
    await service.createOrUpdateIndex({ ...definition, permissionFilterOption: 'disabled' })
    assert.equal((await foundBy('Peter')).length, 5)
  })

  it('takes a token in the header for the user raw, of a user, and for this API only', async () => {
    const authorization = await bearer()
    const refused: [name: string, token: string][] = [
      ['with a scheme', await bearer('Alice')],
      ['of another API', await tokenOf('Alice', { aud: 'https://graph.microsoft.com' })],
      ['expired', await tokenOf('Alice', { exp: Math.floor(Date.now() / 1000) - 600 })],
      ['of an app', await tokenOf('server')],
      ['of nobody', await tokenOf('Alice', { oid: '11111111-2222-4333-8444-555555555555' })],
      ['without the permission', await tokenOf('Alice', { scp: 'other' })],
      ['that is none', 'Alice'],
    ]
    for (const [name, token] of refused) {
      const response = await ask({ authorization, 'x-ms-query-source-authorization': token })
      assert.equal(response.status, 400, name)
    }
  })

  it('asks of the caller a token for this API and a role', async () => {
    const user = { 'x-ms-query-source-authorization': await tokenOf('Alice') }
    const answers: [authorization: string | undefined, status: number][] = [
      [undefined, 401],
      ['Bearer nonsense', 401],
      [await bearer('server', { aud: 'https://management.azure.com' }), 401],
      [await bearer('server', { iss: 'https://sts.windows.net/elsewhere/' }), 401],
      [await bearer('server', { exp: Math.floor(Date.now() / 1000) - 600 }), 401],
      [await bearer('Alice'), 403],
      [await bearer('Olivia'), 200],
      [await bearer('server'), 200],
    ]
    for (const [authorization, status] of answers)
      assert.equal((await ask({ ...user, authorization })).status, status)
  })

  it('takes no API key and gives no elevated read', async () => {
    assert.equal((await ask({ 'api-key': 'key' })).status, 401)
    const authorization = await bearer()
    assert.equal((await ask({ authorization, 'x-ms-enable-elevated-read': 'true' })).status, 403)
  })

  it('gives each role what it is for', async () => {
    const { searchUrl } = contoso.tenant
    const document = { id: 'x', title: '', content: '', reader_users: [], reader_groups: [] }
    await assert.rejects(openService(searchUrl, as('server')).getIndex(DOCUMENTS_INDEX), { statusCode: 403 })
    await assert.rejects(openIndex(searchUrl, as('server')).uploadDocuments([document]), { statusCode: 403 })
    await assert.rejects(fillDocuments(searchUrl, as('server'), readers), { statusCode: 403 })
    await assert.rejects(fillDocuments(searchUrl, as('Alice'), readers), { statusCode: 403 })
    const { roles } = contoso.tenant.search
    const [contributor] = roles.splice(1, 1)
    assert.ok(contributor)
    await assert.rejects(fillDocuments(searchUrl, as('Olivia'), readers), { statusCode: 403 })
    await openIndex(searchUrl, as('Olivia')).uploadDocuments([document])
    roles.splice(1, 1, contributor)
    const authorization = await bearer('Olivia')
    assert.equal(
      (await ask({ authorization, 'x-ms-query-source-authorization': await tokenOf('Alice') })).status,
      403,
    )
    roles.push({ principalId: oidOf('Olivia'), role: 'Search Index Data Contributor' })
  })

  it('never shows who the readers are', async () => {
    const authorization = await bearer()
    const response = await ask({ authorization }, { ...ALL, select: 'id,reader_users' })
    assert.equal(response.status, 400)
    assert.match(await response.text(), /reader_users/)
  })

  it('refuses a definition that would not guard', async () => {
    const service = openService(contoso.tenant.searchUrl, as('Olivia'))
    const definition = await service.getIndex(DOCUMENTS_INDEX)
    const [key, title, content, users, groups] = definition.fields
    assert.ok(key && title && content && users && groups)
    const refused: [fields: typeof definition.fields, why: RegExp][] = [
      [[key, title, content, users], /reader_groups' cannot be changed/],
      [[key, { ...title, searchable: false }, content, users, groups], /title' cannot be changed/],
      [[key, title, content, users, groups, { ...users, name: 'more' }], /Only one field of each/],
      [[key, title, content, { ...users, filterable: false }, groups], /should be a filterable/],
      [[title, content, users, groups], /one key field/],
      [[key, title, title, content, users, groups], /defined twice/],
    ]
    for (const [fields, why] of refused)
      await assert.rejects(service.createOrUpdateIndex({ ...definition, fields }), {
        statusCode: 400,
        message: why,
      })
  })

  it('stores the right documents of a batch and says which were wrong', async () => {
    const index = openIndex(contoso.tenant.searchUrl, as('Olivia'))
    const right = { id: 'right', title: '', content: '', reader_users: [], reader_groups: [] }
    const wrong = { ...right, id: 'wrong', reader_users: ['alice@contoso.example'] }
    const { results } = await index.uploadDocuments([right, wrong])
    assert.deepEqual(
      results.map(({ key, succeeded, statusCode }) => [key, succeeded, statusCode]),
      [
        ['right', true, 201],
        ['wrong', false, 400],
      ],
    )
  })

  it('refuses versions without document permissions, unknown indexes and what it does not play', async () => {
    const authorization = await bearer()
    assert.equal((await ask({ authorization }, ALL, '2026-04-01')).status, 400)
    assert.equal((await ask({ authorization }, { ...ALL, filter: "id eq 'x'" })).status, 400)
    assert.equal((await ask({ authorization }, { ...ALL, queryType: 'full' })).status, 400)
    assert.equal((await ask({ authorization }, { ...ALL, searchMode: 'all' })).status, 400)
    const index = openIndex(contoso.tenant.searchUrl, as('Olivia'))
    await assert.rejects(index.deleteDocuments('id', ['right']), { statusCode: 400 })
    contoso.tenant.search.indexes.clear()
    assert.equal((await ask({ authorization })).status, 404)
    assert.equal((await fetch(`${contoso.tenant.searchUrl}/servicestats`)).status, 404)
  })
})

describe('The samples', () => {
  it('are filled again without a change, beside documents of others', async () => {
    const contoso = await startContoso()
    try {
      const { tenant, seed } = contoso
      const olivia = seed.operators.find(({ name }) => name === 'Olivia')
      assert.ok(olivia)
      const token = await tenant.sign({
        iss: `${tenant.url}/${seed.tenantId}/`,
        aud: SEARCH_RESOURCE,
        oid: olivia.oid,
        exp: Math.floor(Date.now() / 1000) + 600,
      })
      const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 600_000 }) }
      const readers = { ...seed, deployerId: olivia.oid }
      const samples = await fillDocuments(tenant.searchUrl, credential, readers)
      const state = () => structuredClone(tenant.search.indexes.get(DOCUMENTS_INDEX))
      const before = state()
      assert.equal(before?.documents.size, 5)
      await fillDocuments(tenant.searchUrl, credential, readers)
      assert.deepEqual(state(), before)
      const other = { ...samples[0], id: 'other' }
      before?.documents.set('other', JSON.parse(JSON.stringify(other)))
      tenant.search.indexes.get(DOCUMENTS_INDEX)?.documents.set('other', JSON.parse(JSON.stringify(other)))
      await fillDocuments(tenant.searchUrl, credential, readers)
      assert.deepEqual(state(), before)
    } finally {
      await contoso.tenant.close()
    }
  })
})
