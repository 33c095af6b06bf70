import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DEFAULT_ACCESS } from '../../../scripts/emulators/directory.ts'
import { GRAPH_APP_ID } from '../../../scripts/emulators/microsoft-apps.ts'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { type GraphCalls, graphCalls, of, refusedWith } from './graph-calls.ts'

describe('service principals of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  let appId: string
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    appId = String((await graph.create('/applications', { displayName: 'App' })).appId)
  })
  afterEach(() => directory.close())

  const principal = () => graph.create('/servicePrincipals', { appId })
  const graphId = () => directory.directory.servicePrincipal(GRAPH_APP_ID)?.id ?? ''

  it('are created once for an app, also by upsert', async () => {
    const path = `/servicePrincipals(appId='${appId}')`
    const first = await graph.upsert(path, { appRoleAssignmentRequired: true })
    assert.deepEqual([first.status, of(first, 'appRoleAssignmentRequired')], [201, true])
    assert.equal((await graph.upsert(path, { tags: ['ours'] })).status, 204)
    assert.deepEqual(of(await graph.get(path), 'tags'), ['ours'])
    refusedWith(
      await graph.post('/servicePrincipals', { appId }),
      409,
      'Request_MultipleObjectsWithSameKeyValue',
      `The service principal cannot be created, updated, or restored because the service principal name ${appId} is already in use.`,
    )
    const nobody = '11111111-2222-4333-8444-555555555555'
    refusedWith(
      await graph.post('/servicePrincipals', { appId: nobody }),
      400,
      'NoBackingApplicationObject',
      `The appId '${nobody}' of the service principal does not reference a valid application object.`,
    )
  })

  it('show the scopes of their app', async () => {
    const answer = await graph.get(
      `/servicePrincipals(appId='${GRAPH_APP_ID}')?$select=id,oauth2PermissionScopes`,
    )
    assert.match(JSON.stringify(of(answer, 'oauth2PermissionScopes')), /"value":"User.Read"/)
  })

  it('are assigned to people and groups, each once', async () => {
    const { id } = await principal()
    const path = `/servicePrincipals/${id}/appRoleAssignedTo`
    const alice = directory.users[0]?.oid ?? ''
    const wanted = { principalId: alice, resourceId: id, appRoleId: DEFAULT_ACCESS }
    const assignment = await graph.create(path, wanted)
    assert.equal(assignment.principalType, 'User')
    assert.deepEqual(directory.directory.assignments(alice, id).length, 1)
    const code = 'Request_BadRequest'
    refusedWith(
      await graph.post(path, wanted),
      400,
      code,
      'Permission being assigned already exists on the object',
    )
    const nobody = { ...wanted, principalId: '11111111-2222-4333-8444-555555555555' }
    refusedWith(await graph.post(path, nobody), 400, code, 'Not a valid reference update.')
    const norole = { ...wanted, appRoleId: '11111111-2222-4333-8444-555555555555' }
    refusedWith(
      await graph.post(path, norole),
      400,
      code,
      'Permission being assigned was not found on application.',
    )
    assert.equal((await graph.list(path)).value.length, 1)
    assert.equal((await graph.remove(`${path}/${assignment.id}`)).status, 204)
    assert.deepEqual(directory.directory.assignments(alice, id), [])
  })

  it('are granted permissions with one object for each client, resource and kind', async () => {
    const { id: clientId } = await principal()
    const grant = { clientId, consentType: 'AllPrincipals', resourceId: graphId(), scope: 'User.Read' }
    const { id } = await graph.create('/oauth2PermissionGrants', grant)
    refusedWith(
      await graph.post('/oauth2PermissionGrants', { ...grant, scope: 'Group.Read.All' }),
      409,
      'Request_MultipleObjectsWithSameKeyValue',
      'Permission entry already exists.',
    )
    assert.equal(
      (await graph.patch(`/oauth2PermissionGrants/${id}`, { scope: 'User.Read Group.Read.All' })).status,
      204,
    )
    const filter = `$filter=clientId eq '${clientId}' and consentType eq 'AllPrincipals'`
    const { value } = await graph.list(`/oauth2PermissionGrants?${filter}`)
    assert.deepEqual(
      value.map(({ scope }) => scope),
      ['User.Read Group.Read.All'],
    )
    refusedWith(
      await graph.patch(`/oauth2PermissionGrants/${id}`, { clientId }),
      400,
      'Request_BadRequest',
      "Property 'clientId' is read-only and cannot be set.",
    )
    refusedWith(
      await graph.post('/oauth2PermissionGrants', { ...grant, consentType: 'Principal' }),
      400,
      'Request_BadRequest',
      /principalId/,
    )
    assert.equal((await graph.remove(`/oauth2PermissionGrants/${id}`)).status, 204)
    assert.deepEqual(directory.directory.oauth2PermissionGrants, [])
  })
})
