import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { type DirectoryHarness, startDirectory } from '../graph/directory-harness.ts'
import { type GraphCalls, graphCalls, of, refusedWith } from './graph-calls.ts'

const credential = (name: string, subject: string) => ({
  name,
  issuer: 'https://token.actions.githubusercontent.com',
  subject,
  audiences: ['api://AzureADTokenExchange'],
})

describe('federated identity credentials of the directory', () => {
  let directory: DirectoryHarness
  let graph: GraphCalls
  let app: string
  let path: string
  beforeEach(async () => {
    directory = await startDirectory()
    graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    app = (await graph.create('/applications', { displayName: 'App', uniqueName: 'ours' })).id
    path = `/applications/${app}/federatedIdentityCredentials`
  })
  afterEach(() => directory.close())

  it('are created by name, found by name and id, changed and removed', async () => {
    const named = "/applications(uniqueName='ours')/federatedIdentityCredentials(name='mi')"
    const { name: _, ...rest } = credential('mi', 'one')
    const first = await graph.upsert(named, rest)
    assert.deepEqual([first.status, of(first, 'name')], [201, 'mi'])
    assert.equal((await graph.upsert(named, { subject: 'two' })).status, 204)
    const byName = await graph.get(named)
    assert.deepEqual([of(byName, 'subject'), of(byName, 'issuer')], ['two', rest.issuer])
    assert.equal(of(await graph.get(`${path}/${of(first, 'id')}`), 'name'), 'mi')
    assert.equal(of(await graph.get(`${path}/mi`), 'id'), of(first, 'id'))
    assert.equal((await graph.remove(named)).status, 204)
    assert.deepEqual((await graph.list(path)).value, [])
    refusedWith(await graph.get(named), 404, 'Request_ResourceNotFound', /^Resource 'mi' does not exist/)
  })

  it('have a name and a pair of issuer and subject of their own', async () => {
    await graph.create(path, credential('mi', 'one'))
    refusedWith(
      await graph.post(path, credential('mi', 'two')),
      409,
      'Request_MultipleObjectsWithSameKeyValue',
      'FederatedIdentityCredential with name mi already exists.',
    )
    refusedWith(
      await graph.post(path, credential('other', 'one')),
      400,
      'InvalidFederatedIdentityCredentialValue',
      /^The combination of issuer and subject must be unique for the application\./,
    )
    refusedWith(
      await graph.patch(`${path}/mi`, { name: 'renamed' }),
      400,
      'Request_BadRequest',
      "Property 'name' is read-only and cannot be set.",
    )
    refusedWith(
      await graph.post(path, { name: 'half' }),
      400,
      'Request_BadRequest',
      "A value is required for property 'issuer' of resource 'FederatedIdentityCredential'.",
    )
  })

  it('are twenty at most', async () => {
    for (let number = 1; number <= 20; number += 1)
      await graph.create(path, credential(`c${number}`, `s${number}`))
    refusedWith(
      await graph.post(path, credential('c21', 's21')),
      400,
      'InvalidFederatedIdentityCredentialValue',
      'No more than 20 federated identity credentials can be added to an application.',
    )
  })

  it('are written one at a time', async () => {
    const first = directory.faults.on('graph', { hang: true, times: 1 })
    const slow = graph.post(path, credential('one', 'one'))
    await first.reached(1)
    const second = await graph.upsert(
      "/applications(uniqueName='ours')/federatedIdentityCredentials(name='two')",
      credential('two', 'two'),
    )
    refusedWith(
      second,
      409,
      'Directory_ConcurrencyViolation',
      'Unable to perform the operation because another operation on the same object is in progress. Retry the request.',
    )
    first.release()
    assert.equal((await slow).status, 201)
    assert.equal((await graph.post(path, credential('two', 'two'))).status, 201)
  })

  it('let the managed identity act as the app, and another one no longer', async () => {
    await graph.create('/servicePrincipals', { appId: of(await graph.get(`/applications/${app}`), 'appId') })
    const appId = String(of(await graph.get(`/applications/${app}`), 'appId'))
    const { tenant, tenantId } = directory
    const identity = directory.recreateIdentity('server')
    const issuer = `https://login.microsoftonline.com/${tenantId}/v2.0`
    await graph.create(path, { ...credential('mi', identity.principalId), issuer })
    const signIn = async (clientId: string) => {
      const query = new URLSearchParams({
        'api-version': '2019-08-01',
        resource: 'api://AzureADTokenExchange',
        client_id: clientId,
      })
      const headers = { 'x-identity-header': tenant.identityHeader }
      const token: unknown = await (await fetch(`${tenant.identityEndpoint}?${query}`, { headers })).json()
      const answer = await fetch(`${tenant.url}/${tenantId}/oauth2/v2.0/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: appId,
          scope: 'https://graph.microsoft.com/.default',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: z.object({ access_token: z.string() }).parse(token).access_token,
        }),
      })
      return z.looseObject({ error_codes: z.array(z.number()).optional() }).parse(await answer.json())
    }
    assert.ok((await signIn(identity.clientId)).access_token)
    const recreated = directory.recreateIdentity('server')
    assert.deepEqual((await signIn(recreated.clientId)).error_codes, [700213])
    await graph.patch(`${path}/mi`, { subject: recreated.principalId })
    assert.ok((await signIn(recreated.clientId)).access_token)
  })
})
