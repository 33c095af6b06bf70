import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DEFAULT_ACCESS } from '../../../scripts/emulators/directory.ts'
import { GRAPH_APP_ID } from '../../../scripts/emulators/microsoft-apps.ts'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { ROLE_TEMPLATES } from './graph/permissions.ts'
import { type GraphCalls, graphCalls, of, type Reply, refusedWith } from './graph-calls.ts'

const BIN = '/directory/deletedItems'

describe('recycle bin of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  let app: string
  let principal: string
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    const created = await graph.create('/applications', {
      displayName: 'App',
      uniqueName: 'ours',
      tags: ['t'],
    })
    app = created.id
    principal = (await graph.create('/servicePrincipals', { appId: created.appId })).id
  })
  afterEach(() => directory.close())

  const names = async (kind: string, query = '') =>
    (await graph.list(`${BIN}/microsoft.graph.${kind}${query}`)).value.map(({ displayName }) => displayName)

  it('takes an app with its service principal', async () => {
    assert.equal((await graph.remove(`/applications/${app}`)).status, 204)
    refusedWith(await graph.get(`/applications/${app}`), 404, 'Request_ResourceNotFound', /does not exist/)
    refusedWith(
      await graph.get(`/servicePrincipals/${principal}`),
      404,
      'Request_ResourceNotFound',
      /does not exist/,
    )
    assert.deepEqual(await names('application'), ['App'])
    assert.deepEqual(await names('servicePrincipal'), ['App'])
    assert.deepEqual(await names('group'), [])
    const item = await graph.get(`${BIN}/${app}`)
    assert.deepEqual(
      [of(item, '@odata.type'), typeof of(item, 'deletedDateTime')],
      ['#microsoft.graph.application', 'string'],
    )
  })

  it('is searched by unique name and tag, with only what is asked for', async () => {
    await graph.remove(`/applications/${app}`)
    assert.deepEqual(await names('application', "?$filter=uniqueName eq 'ours'"), ['App'])
    assert.deepEqual(await names('application', "?$filter=uniqueName eq 'theirs'"), [])
    const { value } = await graph.list(
      `${BIN}/microsoft.graph.application?$filter=tags/any(t:t eq 't')&$select=id`,
    )
    assert.deepEqual(value, [{ '@odata.type': '#microsoft.graph.application', id: app }])
  })

  it('gives back an app and, separately, its service principal with all that hung on it', async () => {
    const graphId = directory.directory.servicePrincipal(GRAPH_APP_ID)?.id
    await graph.create('/oauth2PermissionGrants', {
      clientId: principal,
      consentType: 'AllPrincipals',
      resourceId: graphId,
      scope: 'User.Read',
    })
    await graph.create(`/servicePrincipals/${principal}/appRoleAssignedTo`, {
      principalId: directory.operator('Olivia').oid,
      resourceId: principal,
      appRoleId: DEFAULT_ACCESS,
    })
    await graph.remove(`/applications/${app}`)
    assert.deepEqual((await graph.list('/oauth2PermissionGrants')).value, [])
    assert.equal((await graph.post(`${BIN}/${app}/restore`)).status, 200)
    assert.equal(of(await graph.get("/applications(uniqueName='ours')"), 'id'), app)
    assert.equal((await graph.get(`/servicePrincipals/${principal}`)).status, 404)
    assert.equal((await graph.post(`${BIN}/${principal}/restore`)).status, 200)
    assert.equal((await graph.list('/oauth2PermissionGrants')).value.length, 1)
    assert.equal((await graph.list(`/servicePrincipals/${principal}/appRoleAssignedTo`)).value.length, 1)
    assert.deepEqual([await names('application'), await names('servicePrincipal')], [[], []])
  })

  it('loses what is purged for good', async () => {
    await graph.remove(`/applications/${app}`)
    for (const id of [app, principal]) assert.equal((await graph.remove(`${BIN}/${id}`)).status, 204)
    refusedWith(await graph.remove(`${BIN}/${app}`), 404, 'Request_ResourceNotFound', /does not exist/)
    assert.deepEqual([await names('application'), await names('servicePrincipal')], [[], []])
  })

  it('does not give back an app whose identifier URI another one has now', async () => {
    const api = { requestedAccessTokenVersion: 2 }
    const identifierUris = ['http://localhost:8080/mcp']
    await graph.patch(`/applications/${app}`, { api })
    await graph.patch(`/applications/${app}`, { identifierUris })
    await graph.remove(`/applications/${app}`)
    const other = await graph.create('/applications', { displayName: 'Other', api })
    assert.equal((await graph.patch(`/applications/${other.id}`, { identifierUris })).status, 204)
    refusedWith(
      await graph.post(`${BIN}/${app}/restore`),
      400,
      'Request_BadRequest',
      'Another object with the same value for property identifierUris already exists.',
    )
  })

  const denied = (reply: Reply) =>
    refusedWith(reply, 403, 'Authorization_RequestDenied', /Insufficient privileges/)

  it('is closed to a member without a directory role, also to the owner of what lies in it', async () => {
    const peter = graphCalls(directory, await directory.operatorToken('Peter'))
    const his = await peter.create('/applications', { displayName: 'His' })
    await peter.remove(`/applications/${his.id}`)
    denied(await peter.get(`${BIN}/${his.id}`))
    denied(await peter.remove(`${BIN}/${his.id}`))
    denied(await peter.post(`${BIN}/${his.id}/restore`))
    for (const kind of ['application', 'servicePrincipal', 'group'])
      denied(await peter.get(`${BIN}/microsoft.graph.${kind}`))
    assert.equal((await graph.remove(`${BIN}/${his.id}`)).status, 204)
  })

  it('shows each role its own part', async () => {
    const { directoryRoles } = directory.directory
    directoryRoles.splice(0)
    const held = async (displayName: keyof typeof ROLE_TEMPLATES) => {
      const members = [directory.operator('Olivia').oid]
      directoryRoles.splice(0, 1, {
        id: 'role',
        displayName,
        roleTemplateId: ROLE_TEMPLATES[displayName],
        members,
      })
      const seen = await Promise.all(
        ['application', 'servicePrincipal', 'group'].map((kind) =>
          graph.get(`${BIN}/microsoft.graph.${kind}`),
        ),
      )
      return seen.map(({ status }) => status)
    }
    assert.deepEqual(await held('Hybrid Identity Administrator'), [200, 200, 403])
    assert.deepEqual(await held('User Administrator'), [403, 403, 200])
    assert.deepEqual(await held('Application Developer'), [403, 403, 403])
  })

  it('is open to an app with the permission, which needs no role', async () => {
    await graph.remove(`/applications/${app}`)
    const reader = graphCalls(directory, await directory.appToken(['Application.Read.All']))
    assert.equal((await reader.get(`${BIN}/${app}`)).status, 200)
    denied(await reader.get(`${BIN}/microsoft.graph.group`))
    denied(await reader.remove(`${BIN}/${app}`))
    const writer = graphCalls(directory, await directory.appToken(['Application.ReadWrite.All']))
    assert.equal((await writer.remove(`${BIN}/${app}`)).status, 204)
  })
})
