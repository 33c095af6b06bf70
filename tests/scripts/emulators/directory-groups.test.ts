import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { type GraphCalls, graphCalls, of, refusedWith } from './graph-calls.ts'

const plain = { mailEnabled: false, securityEnabled: true }
const team = (name: string) => ({ ...plain, displayName: name, mailNickname: name, uniqueName: name })
const reference = (id: string) => ({ '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${id}` })

describe('groups of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
  })
  afterEach(() => directory.close())

  const ids = async (path: string) => (await graph.list(path)).value.map(({ id }) => id)

  it('are created once under a unique name, owned by whoever did it', async () => {
    const path = "/groups(uniqueName='admins')"
    const { uniqueName: _, ...body } = team('admins')
    const first = await graph.upsert(path, body)
    assert.equal(first.status, 201)
    assert.equal((await graph.upsert(path, { description: 'Said later' })).status, 204)
    const seen = await graph.get(path)
    assert.deepEqual([of(seen, 'id'), of(seen, 'description')], [of(first, 'id'), 'Said later'])
    assert.deepEqual(await ids(`/groups/${of(first, 'id')}/owners`), [directory.operator('Olivia').oid])
    refusedWith(
      await graph.post('/groups', { ...team('others'), 'owners@odata.bind': [] }),
      400,
      'Request_BadRequest',
      "Invalid property 'owners@odata.bind'.",
    )
  })

  it('have members, each once', async () => {
    const { id } = await graph.create('/groups', team('admins'))
    const inner = await graph.create('/groups', team('inner'))
    const members = `/groups/${id}/members`
    assert.equal((await graph.post(`${members}/$ref`, reference(inner.id))).status, 204)
    refusedWith(
      await graph.post(`${members}/$ref`, reference(inner.id)),
      400,
      'Request_BadRequest',
      "One or more added object references already exist for the following modified properties: 'members'.",
    )
    const nobody = '11111111-2222-4333-8444-555555555555'
    refusedWith(
      await graph.post(`${members}/$ref`, reference(nobody)),
      404,
      'Request_ResourceNotFound',
      `Resource '${nobody}' does not exist or one of its queried reference-property objects are not present.`,
    )
    assert.deepEqual(await ids(members), [inner.id])
    assert.equal((await graph.remove(`${members}/${inner.id}/$ref`)).status, 204)
    refusedWith(
      await graph.remove(`${members}/${inner.id}/$ref`),
      404,
      'Request_ResourceNotFound',
      /does not exist/,
    )
  })

  it('count at sign-in: what is a member here is one for the server', async () => {
    const { id } = await graph.create('/groups', team('admins'))
    await graph.post(`/groups/${id}/members/$ref`, reference(directory.operator('Quinn').oid))
    const quinn = graphCalls(directory, await directory.operatorToken('Quinn'))
    const { value } = await quinn.list('/me/transitiveMemberOf')
    assert.ok(value.some((group) => group.id === id))
  })

  it('are plain security groups with a name of their own', async () => {
    refusedWith(
      await graph.post('/groups', { ...team('admins'), isAssignableToRole: true }),
      403,
      'Authorization_RequestDenied',
      'Insufficient privileges to complete the operation.',
    )
    refusedWith(
      await graph.post('/groups', { ...team('admins'), groupTypes: ['Unified'] }),
      400,
      'Request_BadRequest',
      /groupTypes/,
    )
    refusedWith(
      await graph.post('/groups', { ...plain, displayName: 'admins' }),
      400,
      'Request_BadRequest',
      "A value is required for property 'mailNickname' of resource 'Group'.",
    )
    const { id } = await graph.create('/groups', team('admins'))
    const taken = 'Another object with the same value for property uniqueName already exists.'
    refusedWith(await graph.post('/groups', team('admins')), 400, 'Request_BadRequest', taken)
    refusedWith(
      await graph.patch(`/groups/${id}`, { uniqueName: 'other' }),
      400,
      'Request_BadRequest',
      "Property 'uniqueName' is immutable and cannot be changed once it is set.",
    )
    const { uniqueName, ...unnamed } = team('admins')
    const later = await graph.create('/groups', unnamed)
    refusedWith(await graph.patch(`/groups/${later.id}`, { uniqueName }), 400, 'Request_BadRequest', taken)
    await graph.remove(`/groups/${id}`)
    refusedWith(await graph.post('/groups', team('admins')), 400, 'Request_BadRequest', taken)
  })
})
