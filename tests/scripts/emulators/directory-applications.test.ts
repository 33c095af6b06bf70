import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { type GraphCalls, graphCalls, of, refusedWith } from './graph-calls.ts'

const SCOPE = 'd4d507b3-a85f-4ff8-81b9-4219c5be4358'
const OTHER_SCOPE = '0f0e0d0c-0b0a-4908-8706-050403020100'
const CLIENT = 'aebc6443-996d-45c2-90f0-388ff96faa56'
const TAKEN = 'Another object with the same value for property uniqueName already exists.'
const ENABLED = 'Permission (scope or role) cannot be deleted or updated unless disabled first.'
const UNKNOWN_SCOPE =
  'Property api.preAuthorizedApplications.delegatedPermissionIds has a Permission Id that cannot be found in the AppPermissions sets.'

const scope = (id = SCOPE, changes: object = {}) => ({
  id,
  value: id === SCOPE ? 'user_impersonation' : 'other',
  type: 'User',
  isEnabled: true,
  adminConsentDisplayName: 'Use the server',
  adminConsentDescription: 'Lets the client call the server.',
  ...changes,
})
const role = (changes: object = {}) => ({
  id: OTHER_SCOPE,
  value: 'Reader',
  displayName: 'Reader',
  description: 'Reads.',
  allowedMemberTypes: ['Application'],
  isEnabled: true,
  ...changes,
})
const allowed = (...delegatedPermissionIds: string[]) => [{ appId: CLIENT, delegatedPermissionIds }]

describe('applications of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
  })
  afterEach(() => directory.close())

  const app = (body: object = {}) => graph.create('/applications', { displayName: 'App', ...body })

  it('are created once under a unique name and changed from then on', async () => {
    const path = "/applications(uniqueName='ours')"
    const first = await graph.upsert(path, { displayName: 'Ours', tags: ['a'] })
    assert.equal(first.status, 201)
    assert.deepEqual([of(first, 'uniqueName'), of(first, 'tags')], ['ours', ['a']])
    const second = await graph.upsert(path, { displayName: 'Renamed' })
    assert.deepEqual([second.status, second.body], [204, undefined])
    const seen = await graph.get(path)
    assert.deepEqual([of(seen, 'displayName'), of(seen, 'id')], ['Renamed', of(first, 'id')])
    // Only what is said is changed.
    assert.deepEqual(of(seen, 'tags'), ['a'])
  })

  it('are not created by PATCH without the preference', async () => {
    const path = "/applications(uniqueName='ours')"
    refusedWith(
      await graph.patch(path, { displayName: 'Ours' }),
      404,
      'Request_ResourceNotFound',
      "Resource 'ours' does not exist or one of its queried reference-property objects are not present.",
    )
  })

  it('are found by id, by appId and by unique name', async () => {
    const { id, appId } = await app({ uniqueName: 'ours' })
    for (const key of [id, `(appId='${appId}')`, "(uniqueName='ours')", '(uniqueName=%27ours%27)']) {
      const path = key === id ? `/applications/${id}` : `/applications${key}`
      assert.equal(of(await graph.get(path), 'id'), id, path)
    }
  })

  it('belong to whoever created them', async () => {
    const { id } = await app()
    const { value } = await graph.list(`/applications/${id}/owners`)
    assert.deepEqual(
      value.map((owner) => owner.id),
      [directory.operator('Olivia').oid],
    )
    const reference = {
      '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${directory.operator('Olivia').oid}`,
    }
    refusedWith(
      await graph.post(`/applications/${id}/owners/$ref`, reference),
      400,
      'Request_BadRequest',
      "One or more added object references already exist for the following modified properties: 'owners'.",
    )
  })

  it('keep their unique name, and keep it taken in the recycle bin', async () => {
    const { id } = await app({ uniqueName: 'ours' })
    refusedWith(
      await graph.patch(`/applications/${id}`, { uniqueName: 'theirs' }),
      400,
      'Request_BadRequest',
      "Property 'uniqueName' is immutable and cannot be changed once it is set.",
    )
    const again = { displayName: 'Again', uniqueName: 'ours' }
    refusedWith(await graph.post('/applications', again), 400, 'Request_BadRequest', TAKEN)
    await graph.remove(`/applications/${id}`)
    refusedWith(
      await graph.upsert("/applications(uniqueName='ours')", { displayName: 'Ours' }),
      400,
      'Request_BadRequest',
      TAKEN,
    )
    assert.equal((await graph.remove(`/directory/deletedItems/${id}`)).status, 204)
    assert.equal(
      (await graph.upsert("/applications(uniqueName='ours')", { displayName: 'Ours' })).status,
      201,
    )
  })

  it('get a unique name later when they had none', async () => {
    const { id } = await app()
    assert.equal((await graph.patch(`/applications/${id}`, { uniqueName: 'late' })).status, 204)
    assert.equal(of(await graph.get("/applications(uniqueName='late')"), 'id'), id)
  })

  it('lose an enabled scope in two steps only', async () => {
    const { id } = await app({ api: { oauth2PermissionScopes: [scope(), scope(OTHER_SCOPE)] } })
    const path = `/applications/${id}`
    const code = 'CannotDeleteOrUpdateEnabledEntitlement'
    const scopes = (...all: object[]) => graph.patch(path, { api: { oauth2PermissionScopes: all } })
    refusedWith(await scopes(scope()), 400, code, ENABLED)
    refusedWith(await scopes(scope(), scope(OTHER_SCOPE, { value: 'renamed' })), 400, code, ENABLED)
    // Texts may change while it is in use.
    const reworded = scope(OTHER_SCOPE, { adminConsentDisplayName: 'Reworded' })
    assert.equal((await scopes(scope(), reworded)).status, 204)
    assert.equal((await scopes(scope(), scope(OTHER_SCOPE, { isEnabled: false }))).status, 204)
    assert.equal((await scopes(scope())).status, 204)
  })

  it('lose an enabled role in two steps only', async () => {
    const { id } = await app({ appRoles: [role()] })
    const roles = (...all: object[]) => graph.patch(`/applications/${id}`, { appRoles: all })
    refusedWith(await roles(), 400, 'CannotDeleteOrUpdateEnabledEntitlement', ENABLED)
    refusedWith(
      await roles(role({ value: 'Writer' })),
      400,
      'CannotDeleteOrUpdateEnabledEntitlement',
      ENABLED,
    )
    assert.equal((await roles(role({ isEnabled: false }))).status, 204)
    assert.equal((await roles()).status, 204)
  })

  it('pre-authorize clients for scopes that are there and enabled', async () => {
    const { id } = await app()
    const api = (change: object) => graph.patch(`/applications/${id}`, { api: change })
    const both = { oauth2PermissionScopes: [scope()], preAuthorizedApplications: allowed(SCOPE) }
    // A scope and its pre-authorization in one write to a live app.
    refusedWith(await api(both), 400, 'InvalidValue', UNKNOWN_SCOPE)
    assert.equal((await api({ oauth2PermissionScopes: [scope()] })).status, 204)
    assert.equal((await api(both)).status, 204)
    refusedWith(
      await api({ preAuthorizedApplications: allowed(OTHER_SCOPE) }),
      400,
      'InvalidValue',
      UNKNOWN_SCOPE,
    )
    const off = [scope(SCOPE, { isEnabled: false })]
    refusedWith(await api({ ...both, oauth2PermissionScopes: off }), 400, 'InvalidValue', UNKNOWN_SCOPE)
    assert.equal((await api({ oauth2PermissionScopes: off })).status, 204)
    // Switched off, but still named by a client.
    refusedWith(await api({ oauth2PermissionScopes: [] }), 400, 'InvalidValue', UNKNOWN_SCOPE)
    assert.equal((await api({ oauth2PermissionScopes: [], preAuthorizedApplications: [] })).status, 204)
    const twice = { preAuthorizedApplications: [...allowed(), ...allowed()] }
    refusedWith(await api(twice), 400, 'DuplicateValue', 'Request contains a property with duplicate values.')
  })

  it('may be created with scope and pre-authorization at once, and keep what a later write does not say', async () => {
    const api = { oauth2PermissionScopes: [scope()], preAuthorizedApplications: allowed(SCOPE) }
    const { id } = await app({ api })
    await graph.patch(`/applications/${id}`, { api: { oauth2PermissionScopes: [scope()] } })
    const stored = directory.directory.applications[0]?.api.preAuthorizedApplications
    assert.deepEqual(stored, allowed(SCOPE))
  })

  it('take host names as identifier URIs only once their tokens are of version 2', async () => {
    const uri = 'https://ca-x.example.azurecontainerapps.io/mcp'
    const { id, appId } = await app()
    const path = `/applications/${id}`
    const message = `Values of identifierUris property must use a verified domain of the organization or its subdomain: '${uri}'`
    const code = 'HostNameNotOnVerifiedDomain'
    refusedWith(await graph.patch(path, { identifierUris: [uri] }), 400, code, message)
    const api = { requestedAccessTokenVersion: 2 }
    // Both in one write come too early for the URI.
    refusedWith(await graph.patch(path, { api, identifierUris: [uri] }), 400, code, message)
    refusedWith(
      await graph.post('/applications', { displayName: 'New', api, identifierUris: [uri] }),
      400,
      code,
      message,
    )
    assert.equal((await graph.patch(path, { identifierUris: [`api://${appId}`] })).status, 204)
    assert.equal((await graph.patch(path, { api })).status, 204)
    assert.equal((await graph.patch(path, { identifierUris: [uri] })).status, 204)
    const slash = { identifierUris: [uri, `${uri}/`] }
    refusedWith(await graph.patch(path, slash), 400, 'InvalidValue', /identifierUris/)
  })

  it('do not share an identifier URI', async () => {
    const api = { requestedAccessTokenVersion: 2 }
    const uri = 'http://localhost:8080/mcp'
    const [first, second] = [await app({ api }), await app({ api })]
    assert.equal((await graph.patch(`/applications/${first.id}`, { identifierUris: [uri] })).status, 204)
    refusedWith(
      await graph.patch(`/applications/${second.id}`, { identifierUris: [uri] }),
      400,
      'Request_BadRequest',
      'Another object with the same value for property identifierUris already exists.',
    )
  })

  it('get no secret, or no long-lived one, where a policy of the tenant says so', async () => {
    const { appManagementPolicy } = directory.directory
    const { id } = await app()
    const add = (days: number) => {
      const endDateTime = new Date(Date.now() + days * 86_400_000 - 60_000).toISOString()
      return graph.post(`/applications/${id}/addPassword`, { passwordCredential: { endDateTime } })
    }
    appManagementPolicy.passwordLifetimeDays = 30
    const lifetime = [
      400,
      'CredentialInvalidLifetimeAsPerAppPolicy',
      /lifetime exceeds the max value/,
    ] as const
    refusedWith(await add(31), ...lifetime)
    assert.equal((await add(30)).status, 200)
    // Two years are what nothing said means.
    refusedWith(await graph.post(`/applications/${id}/addPassword`), ...lifetime)
    appManagementPolicy.passwordAddition = 'refused'
    refusedWith(await add(1), 400, 'CredentialTypeNotAllowedAsPerAppPolicy', /type not allowed/)
  })

  it('get secrets from addPassword alone, which shows them once', async () => {
    const { id } = await app()
    const path = `/applications/${id}`
    const credential = { passwordCredential: { displayName: 'dev', endDateTime: '2099-01-01T00:00:00Z' } }
    const added = await graph.post(`${path}/addPassword`, credential)
    assert.equal(added.status, 200)
    const secret = String(of(added, 'secretText'))
    assert.ok(secret.length > 20)
    const seen = await graph.get(path)
    assert.ok(!JSON.stringify(seen.body).includes(secret))
    assert.match(JSON.stringify(of(seen, 'passwordCredentials')), /"secretText":null/)
    refusedWith(
      await graph.patch(path, { passwordCredentials: [{ displayName: 'mine', secretText: 'x' }] }),
      400,
      'Request_BadRequest',
      'Setting passwordCredentials is not supported. Use the addPassword and removePassword methods.',
    )
    const keyId = of(added, 'keyId')
    assert.equal((await graph.post(`${path}/removePassword`, { keyId })).status, 204)
    refusedWith(
      await graph.post(`${path}/removePassword`, { keyId }),
      400,
      'Request_BadRequest',
      `No password credential found with keyId ${keyId}.`,
    )
    await graph.post(`${path}/addPassword`, credential)
    await graph.patch(path, { passwordCredentials: [] })
    assert.deepEqual(of(await graph.get(path), 'passwordCredentials'), [])
  })

  it('refuse what they do not have, what is read-only and what is wrong', async () => {
    const { id } = await app()
    const change = (body: object) => graph.patch(`/applications/${id}`, body)
    const code = 'Request_BadRequest'
    refusedWith(await change({ colour: 'red' }), 400, code, "Invalid property 'colour'.")
    refusedWith(await change({ appId: SCOPE }), 400, code, "Property 'appId' is read-only and cannot be set.")
    refusedWith(
      await change({ signInAudience: 'Everybody' }),
      400,
      code,
      "Invalid value specified for property 'signInAudience' of resource 'Application'.",
    )
    refusedWith(
      await graph.post('/applications', {}),
      400,
      code,
      "A value is required for property 'displayName' of resource 'Application'.",
    )
  })
})
