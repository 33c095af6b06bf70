import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DEFAULT_ACCESS } from '../../../scripts/emulators/directory.ts'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { type GraphCalls, graphCalls, of, refusedWith } from './graph-calls.ts'

const team = { displayName: 'T', mailEnabled: false, mailNickname: 't', securityEnabled: true }

describe('replication of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
  })
  afterEach(() => directory.close())

  const names = async (path: string) => (await graph.list(path)).value.map(({ displayName }) => displayName)

  it('hides a fresh object from so many looks', async () => {
    directory.replication.slow('application', { reads: 2 })
    const { id } = await graph.create('/applications', { displayName: 'App', uniqueName: 'ours' })
    refusedWith(await graph.get(`/applications/${id}`), 404, 'Request_ResourceNotFound', /does not exist/)
    refusedWith(
      await graph.patch(`/applications/${id}`, { displayName: 'Soon' }),
      404,
      'Request_ResourceNotFound',
      /does not exist/,
    )
    assert.equal((await graph.get(`/applications/${id}`)).status, 200)
  })

  it('finds the unique name at once: its index is one', async () => {
    directory.replication.slow('application', { reads: 99 })
    const path = "/applications(uniqueName='ours')"
    assert.equal((await graph.upsert(path, { displayName: 'Ours' })).status, 201)
    assert.equal((await graph.get(path)).status, 404)
    assert.equal((await graph.upsert(path, { displayName: 'Ours' })).status, 204)
    directory.replication.catchUp()
    assert.equal((await graph.get(path)).status, 200)
  })

  it('may also go by the clock, which nobody waits for', async () => {
    directory.replication.slow('group', { milliseconds: 60_000 })
    const { id } = await graph.create('/groups', team)
    for (let look = 0; look < 3; look += 1) assert.equal((await graph.get(`/groups/${id}`)).status, 404)
    directory.pass(60)
    assert.equal((await graph.get(`/groups/${id}`)).status, 200)
  })

  it('lets references to what is not there yet fail in the way of each', async () => {
    directory.replication.slow('application', { reads: 1 })
    const { appId } = await graph.create('/applications', { displayName: 'App' })
    refusedWith(
      await graph.post('/servicePrincipals', { appId }),
      400,
      'NoBackingApplicationObject',
      /does not reference a valid application object/,
    )
    const { id } = await graph.create('/servicePrincipals', { appId })
    directory.replication.slow('group', { reads: 1 })
    const group = await graph.create('/groups', team)
    const assignment = { principalId: group.id, resourceId: id, appRoleId: DEFAULT_ACCESS }
    const path = `/servicePrincipals/${id}/appRoleAssignedTo`
    refusedWith(
      await graph.post(path, assignment),
      400,
      'Request_BadRequest',
      'Not a valid reference update.',
    )
    assert.equal((await graph.post(path, assignment)).status, 201)
    const outer = await graph.create('/groups', team)
    await graph.get(`/groups/${outer.id}`)
    const inner = await graph.create('/groups', team)
    const body = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${inner.id}` }
    refusedWith(
      await graph.post(`/groups/${outer.id}/members/$ref`, body),
      404,
      'Request_ResourceNotFound',
      /does not exist/,
    )
    assert.equal((await graph.post(`/groups/${outer.id}/members/$ref`, body)).status, 204)
  })

  it('shows a new managed identity late, and grants and credentials too', async () => {
    directory.replication.slow('servicePrincipal', { reads: 1 })
    const { principalId } = directory.recreateIdentity('server')
    assert.equal((await graph.get(`/servicePrincipals/${principalId}`)).status, 404)
    assert.equal((await graph.get(`/servicePrincipals/${principalId}`)).status, 200)
    directory.replication.slow('federatedIdentityCredential', { reads: 1, lists: 1 })
    const { id } = await graph.create('/applications', { displayName: 'App' })
    const path = `/applications/${id}/federatedIdentityCredentials`
    const audiences = ['api://AzureADTokenExchange']
    await graph.create(path, { name: 'mi', issuer: 'https://example.com', subject: 's', audiences })
    assert.deepEqual((await graph.list(path)).value, [])
    assert.equal((await graph.get(`${path}/mi`)).status, 404)
    assert.equal((await graph.get(`${path}/mi`)).status, 200)
    assert.equal((await graph.list(path)).value.length, 1)
  })

  it('lets lists lag behind creation, change and deletion', async () => {
    const old = await graph.create('/applications', { displayName: 'Old' })
    const gone = await graph.create('/applications', { displayName: 'Gone' })
    directory.replication.slow('application', { lists: 2 })
    await graph.create('/applications', { displayName: 'New' })
    await graph.patch(`/applications/${old.id}`, { displayName: 'Renamed' })
    await graph.remove(`/applications/${gone.id}`)
    for (let look = 0; look < 2; look += 1)
      assert.deepEqual((await names('/applications')).toSorted(), ['Gone', 'Old'])
    assert.deepEqual((await names('/applications')).toSorted(), ['New', 'Renamed'])
    // One object is read where it was written.
    assert.equal(of(await graph.get(`/applications/${old.id}`), 'displayName'), 'Renamed')
  })

  it('brings a deleted object into the recycle bin late', async () => {
    directory.replication.slow('deletedItem', { reads: 1 })
    const { id } = await graph.create('/groups', team)
    await graph.remove(`/groups/${id}`)
    assert.equal((await graph.remove(`/directory/deletedItems/${id}`)).status, 404)
    assert.equal((await graph.remove(`/directory/deletedItems/${id}`)).status, 204)
  })
})

describe('faults and journal of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    directory.resetWrites()
  })
  afterEach(() => directory.close())

  it('throttle the call that is chosen by its number', async () => {
    directory.faults.on('graph', { status: 429, retryAfter: 7, at: 2 })
    assert.equal((await graph.get('/applications')).status, 200)
    const throttled = await graph.get('/applications')
    refusedWith(throttled, 429, 'TooManyRequests', 'Too many requests.')
    assert.equal(throttled.headers.get('retry-after'), '7')
    assert.equal((await graph.get('/applications')).status, 200)
  })

  it('lose the answer of a write that was done', async () => {
    directory.faults.on('graph', {
      status: 503,
      late: true,
      times: 1,
      only: ({ method }) => method === 'POST',
    })
    const lost = await graph.post('/applications', { displayName: 'App' })
    refusedWith(lost, 503, 'ServiceUnavailable', 'The service failed.')
    assert.equal(directory.directory.applications.length, 1)
    assert.deepEqual(directory.writes(), [
      { method: 'POST', path: '/applications', status: 503, changed: true },
    ])
  })

  it('keep a journal of every write, refused ones and those without effect included', async () => {
    const path = "/applications(uniqueName='ours')"
    await graph.upsert(path, { displayName: 'Ours' })
    await graph.upsert(path, { displayName: 'Ours' })
    await graph.upsert(path, { colour: 'red' })
    await graph.get(path)
    await graph.post('/$batch', { requests: [{ id: '1', method: 'DELETE', url: path }] })
    const write = (method: string, status: number, changed: boolean) => ({ method, path, status, changed })
    assert.deepEqual(directory.writes(), [
      write('PATCH', 201, true),
      write('PATCH', 204, false),
      write('PATCH', 400, false),
      write('DELETE', 204, true),
    ])
    directory.resetWrites()
    assert.deepEqual(directory.writes(), [])
  })
})
