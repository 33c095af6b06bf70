import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { DEFAULT_ACCESS } from '../../../scripts/emulators/directory.ts'
import { AZURE_CLI_APP_ID, GRAPH_APP_ID } from '../../../scripts/emulators/microsoft-apps.ts'
import { type DirectoryHarness, type OperatorName, startDirectory } from '../graph/directory-harness.ts'
import { claimsOf } from './contoso.ts'
import { roleId } from './graph/permissions.ts'
import { ADVANCED, graphCalls, type Reply, refusedWith } from './graph-calls.ts'

const Started = z.object({ device_code: z.string(), user_code: z.string() })

const denied = (reply: Reply) =>
  refusedWith(reply, 403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.')

describe('rights in the directory', () => {
  let directory: DirectoryHarness
  beforeEach(async () => {
    directory = await startDirectory()
  })
  afterEach(() => directory.close())

  const as = async (name: OperatorName) => graphCalls(directory, await directory.operatorToken(name))
  const graphId = () => directory.directory.servicePrincipal(GRAPH_APP_ID)?.id ?? ''

  const rolesOf = (oid: string) =>
    directory.directory.directoryRoles
      .filter(({ members }) => members.includes(oid))
      .map(({ displayName }) => displayName)

  it('are the same in every token of the Azure CLI: the role makes the difference', async () => {
    const scopes = async (name: OperatorName) => claimsOf(await directory.operatorToken(name)).scp
    assert.equal(await scopes('Olivia'), await scopes('Quinn'))
    assert.match(String(await scopes('Quinn')), /Application\.ReadWrite\.All .*Directory\.AccessAsUser\.All/)
    assert.deepEqual(
      directory.operators.map(({ name, oid }) => [name, ...rolesOf(oid)]),
      [
        ['Olivia', 'Cloud Application Administrator', 'Groups Administrator'],
        ['Peter', 'Application Developer'],
        ['Quinn'],
      ],
    )
  })

  it('also come with the device code of the Azure CLI', async () => {
    const { tenant, tenantId } = directory
    const oauth = `${tenant.url}/${tenantId}/oauth2`
    const post = async (path: string, form: Record<string, string>) =>
      fetch(oauth + path, { method: 'POST', body: new URLSearchParams(form) })
    const client = { client_id: AZURE_CLI_APP_ID, scope: 'https://graph.microsoft.com/.default' }
    const started = Started.parse(await (await post('/v2.0/devicecode', client)).json())
    await post('/deviceauth', { user_code: started.user_code, user: directory.operator('Peter').oid })
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
    const answer = await post('/v2.0/token', { ...client, grant_type, device_code: started.device_code })
    const { access_token: token } = z.object({ access_token: z.string() }).parse(await answer.json())
    await graphCalls(directory, token).create('/applications', { displayName: 'App' })
  })

  it('let an application developer create apps and change only his own', async () => {
    const [olivia, peter] = [await as('Olivia'), await as('Peter')]
    const hers = await olivia.create('/applications', { displayName: 'Hers' })
    const his = await peter.create('/applications', { displayName: 'His' })
    assert.equal((await peter.patch(`/applications/${his.id}`, { displayName: 'Mine' })).status, 204)
    denied(await peter.patch(`/applications/${hers.id}`, { displayName: 'Mine' }))
    denied(await peter.remove(`/applications/${hers.id}`))
    denied(await peter.post('/servicePrincipals', { appId: hers.appId }))
    const principal = await peter.create('/servicePrincipals', { appId: his.appId })
    const assignment = {
      principalId: directory.operator('Peter').oid,
      resourceId: principal.id,
      appRoleId: DEFAULT_ACCESS,
    }
    assert.equal(
      (await peter.post(`/servicePrincipals/${principal.id}/appRoleAssignedTo`, assignment)).status,
      201,
    )
    assert.equal((await olivia.patch(`/applications/${his.id}`, { displayName: 'Ours' })).status, 204)
  })

  it('keep consent to administrators of applications', async () => {
    const [olivia, peter] = [await as('Olivia'), await as('Peter')]
    const { appId } = await peter.create('/applications', { displayName: 'His' })
    const { id: clientId } = await peter.create('/servicePrincipals', { appId })
    const grant = { clientId, consentType: 'AllPrincipals', resourceId: graphId(), scope: 'User.Read' }
    denied(await peter.post('/oauth2PermissionGrants', grant))
    const { id } = await olivia.create('/oauth2PermissionGrants', grant)
    denied(await peter.patch(`/oauth2PermissionGrants/${id}`, { scope: '' }))
    denied(await peter.remove(`/oauth2PermissionGrants/${id}`))
    // Everybody may look.
    assert.equal((await peter.list('/oauth2PermissionGrants')).value.length, 1)
  })

  it('let a member without a role read, and make security groups where the tenant allows it', async () => {
    const quinn = await as('Quinn')
    denied(await quinn.post('/applications', { displayName: 'App' }))
    assert.equal((await quinn.get('/applications')).status, 200)
    const team = { displayName: 'T', mailEnabled: false, mailNickname: 't', securityEnabled: true }
    const { id } = await quinn.create('/groups', team)
    assert.equal((await quinn.patch(`/groups/${id}`, { description: 'Mine' })).status, 204)
    directory.directory.authorizationPolicy.allowedToCreateSecurityGroups = false
    denied(await quinn.post('/groups', team))
    directory.directory.authorizationPolicy.allowedToCreateApps = true
    assert.equal((await quinn.post('/applications', { displayName: 'App' })).status, 201)
  })

  it('show a user their roles, and the policy only to whoever has the permission for it', async () => {
    const path = '/me/transitiveMemberOf/microsoft.graph.directoryRole?$count=true&$select=roleTemplateId'
    const roles = await (await as('Olivia')).list(path, ADVANCED)
    assert.deepEqual(
      roles.value.map(({ roleTemplateId }) => roleTemplateId),
      ['158c047a-c907-4556-b7ef-446551a6b5f7', 'fdd7a751-b60b-444a-984c-02652fe8fa1c'],
    )
    assert.deepEqual((await (await as('Quinn')).list(path, ADVANCED)).value, [])
    denied(await (await as('Olivia')).get('/policies/authorizationPolicy'))
  })

  it('need the permission in the token as well as the role', async () => {
    const claims = claimsOf(await directory.operatorToken('Olivia'))
    const token = await directory.tenant.sign({ ...claims, scp: 'User.Read' })
    const olivia = graphCalls(directory, token)
    denied(await olivia.post('/applications', { displayName: 'App' }))
    denied(await olivia.get('/applications'))
    assert.equal((await olivia.get('/me')).status, 200)
  })

  it('of an app are its application permissions', async () => {
    const pipeline = graphCalls(directory, await directory.appToken(['Application.ReadWrite.All']))
    const { id, appId } = await pipeline.create('/applications', { displayName: 'App' })
    const { id: clientId } = await pipeline.create('/servicePrincipals', { appId })
    const grant = { clientId, consentType: 'AllPrincipals', resourceId: graphId(), scope: 'User.Read' }
    denied(await pipeline.post('/oauth2PermissionGrants', grant))
    denied(await pipeline.get('/groups'))
    refusedWith(await pipeline.get('/me'), 400, 'BadRequest', /only valid with delegated authentication flow/)
    const reader = graphCalls(directory, await directory.appToken(['Application.Read.All']))
    assert.equal((await reader.get(`/applications/${id}`)).status, 200)
    denied(await reader.patch(`/applications/${id}`, { displayName: 'Mine' }))
    const consenting = graphCalls(
      directory,
      await directory.appToken(['DelegatedPermissionGrant.ReadWrite.All']),
    )
    assert.equal((await consenting.post('/oauth2PermissionGrants', grant)).status, 201)
  })

  it('of an app that may write what it owns end there', async () => {
    const olivia = await as('Olivia')
    const hers = await olivia.create('/applications', { displayName: 'Hers' })
    const owner = graphCalls(directory, await directory.appToken(['Application.ReadWrite.OwnedBy']))
    const own = await owner.create('/applications', { displayName: 'Own' })
    assert.equal((await owner.patch(`/applications/${own.id}`, { displayName: 'Renamed' })).status, 204)
    denied(await owner.patch(`/applications/${hers.id}`, { displayName: 'Taken' }))
  })

  it('to give an app permissions of Graph itself are not those of an application administrator', async () => {
    const olivia = await as('Olivia')
    const { principalId } = directory.recreateIdentity('server')
    const wanted = { principalId, resourceId: graphId(), appRoleId: roleId('Directory.Read.All') }
    const path = `/servicePrincipals/${graphId()}/appRoleAssignedTo`
    denied(await olivia.post(path, wanted))
    directory.directory.directoryRoles[0]?.members.splice(0)
    directory.directory.directoryRoles.push({
      id: '00000000-0000-4000-8000-000000000001',
      displayName: 'Privileged Role Administrator',
      roleTemplateId: 'e8611ab8-c189-46e8-94e1-60213ab1f814',
      members: [directory.operator('Olivia').oid],
    })
    assert.equal((await olivia.post(path, wanted)).status, 201)
    const { value } = await olivia.list(`/servicePrincipals/${principalId}/appRoleAssignments`)
    assert.deepEqual(
      value.map(({ appRoleId }) => appRoleId),
      [wanted.appRoleId],
    )
  })
})
