import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { readCompiled } from '../../../scripts/bicep/compile.ts'
import { DeploymentError, deploy } from '../graph/deployment.ts'
import {
  type DirectoryHarness,
  declaration,
  startDirectory,
  withoutCompiler,
} from '../graph/directory-harness.ts'
import { claimsOf, VS_CODE } from './contoso.ts'
import type { Kind } from './graph/replication.ts'
import { graphCalls, of } from './graph-calls.ts'

const failsWith =
  (code: string, target: string, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof DeploymentError, String(error))
    assert.deepEqual([error.code, error.target], [code, target], error.message)
    assert.match(error.message, message)
    return true
  }

const Scoped = z.looseObject({ scopes: z.array(z.looseObject({ id: z.string(), value: z.string() })) })
const EXTRA = {
  value: 'reports.read',
  id: '5c6d7e8f-9012-4a3b-8c4d-5e6f70819203',
  type: 'User',
  adminConsentDisplayName: 'Read reports',
  adminConsentDescription: 'Lets the client read reports.',
  userConsentDisplayName: 'Read your reports',
  userConsentDescription: 'Lets the client read your reports.',
}

/** infra/permissions.json with one more scope, switched on or off. */
const withExtra = async (isEnabled: boolean) => {
  const permissions = Scoped.parse(await declaration())
  return { ...permissions, scopes: [...permissions.scopes, { ...EXTRA, isEnabled }] }
}

describe('deployment to the directory', { skip: withoutCompiler }, () => {
  let directory: DirectoryHarness
  beforeEach(async () => {
    directory = await startDirectory()
  })
  afterEach(() => directory.close())

  const changes = () => directory.writes().filter(({ changed }) => changed)
  const api = () => directory.directory.applications.find(({ uniqueName }) => uniqueName?.includes('-api-'))

  it('declares everything and returns the outputs for the azd environment', async () => {
    const { outputs, environment, objects } = await directory.deploy()
    assert.equal(outputs.ENTRA_CLIENT_ID, api()?.appId)
    assert.equal(outputs.ENTRA_API_APP_UNIQUE_NAME, api()?.uniqueName)
    assert.equal(outputs.SERVER_IDENTITY_PRINCIPAL_ID, directory.identity.principalId)
    assert.equal(outputs.ENTRA_ADMIN_GROUP_ID, objects['identity/admins']?.id)
    assert.equal(environment.AZURE_ENV_NAME, 'dev')
    const url = String(outputs.SERVER_URL)
    assert.deepEqual(api()?.identifierUris, [url, url.replace(/\/mcp$/, ''), `api://${api()?.appId}`])
    assert.deepEqual(
      api()
        ?.api.preAuthorizedApplications.map(({ appId }) => appId)
        .includes(String(outputs.ENTRA_PUBLIC_CLIENT_ID)),
      true,
    )
    assert.deepEqual(api()?.owners, [directory.operator('Olivia').oid])
  })

  it('writes the API app in two passes, in this order', async () => {
    await directory.deploy()
    const paths = directory.writes().map(({ path }) => path)
    const passes = paths.flatMap((path, index) => (path.includes('-api-') ? [index] : []))
    const client = paths.findIndex((path) => path.includes('-client-'))
    assert.equal(passes.length, 2)
    assert.ok(Number(passes[0]) < client && client < Number(passes[1]))
  })

  it('changes nothing the second time', async () => {
    const first = await directory.deploy()
    directory.resetWrites()
    const second = await directory.deploy()
    assert.deepEqual(second.outputs, first.outputs)
    assert.deepEqual(changes(), [])
  })

  it('repairs what was changed by hand, and leaves members who were added by hand', async () => {
    const { outputs } = await directory.deploy()
    const graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    const bob = directory.users[1]?.oid ?? ''
    const members = `/groups/${outputs.ENTRA_ADMIN_GROUP_ID}/members`
    await graph.post(`${members}/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/users/${bob}` })
    await graph.patch(`/applications/${api()?.id}`, { displayName: 'Renamed by hand' })
    directory.resetWrites()
    await directory.deploy()
    assert.equal(changes().length, 1)
    assert.equal(api()?.displayName, 'Expenses MCP server (dev)')
    assert.equal((await graph.list(members)).value.length, 2)
  })

  it('lets a user sign in as the deployed server wants it', async () => {
    const { outputs } = await directory.deploy()
    const url = String(outputs.SERVER_URL)
    const request = { user: 'Alice', clientId: VS_CODE, scope: `${url}/user_impersonation`, resource: url }
    await assert.rejects(directory.tenant.tokenFor(request), /AADSTS50105/)
    const group = directory.directory.groups.find(({ id }) => id === outputs.ENTRA_USERS_GROUP_ID)
    group?.members.push(directory.users[0]?.oid ?? '')
    const claims = claimsOf(await directory.tenant.tokenFor(request))
    assert.deepEqual([claims.aud, claims.scp], [outputs.ENTRA_CLIENT_ID, 'user_impersonation'])
    const slash = { ...request, resource: `${url}/` }
    await assert.rejects(directory.tenant.tokenFor(slash), /AADSTS9010010/)
  })

  it('does without what the environment switches off, and takes a group that is there', async () => {
    const minimal = await directory.deploy({ environment: { LOCAL_DEVELOPMENT: 'false' } })
    assert.equal(minimal.outputs.ENTRA_DEV_CLIENT_ID, '')
    assert.equal(directory.directory.applications.length, 2)
    const given = minimal.outputs.ENTRA_USERS_GROUP_ID
    const other = await directory.deploy({
      environment: { AZURE_ENV_NAME: 'other', EXISTING_ADMIN_GROUP_ID: String(given) },
    })
    assert.equal(other.outputs.ENTRA_ADMIN_GROUP_ID, given)
  })

  it('removes a scope in two deployments, not in one', async () => {
    await directory.deploy({ permissions: await withExtra(true) })
    await assert.rejects(
      directory.deploy(),
      failsWith(
        'BadRequest',
        '/resources/api',
        /^Permission \(scope or role\) cannot be deleted or updated unless disabled first\. Graph client request id: /,
      ),
    )
    await directory.deploy({ permissions: await withExtra(false) })
    await directory.deploy()
    assert.deepEqual(
      api()?.api.oauth2PermissionScopes.map(({ value }) => value),
      ['user_impersonation'],
    )
  })

  it('fails on a twin in the recycle bin and works once that is purged', async () => {
    await directory.deploy()
    const id = api()?.id
    const graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    await graph.remove(`/applications/${id}`)
    await assert.rejects(
      directory.deploy(),
      failsWith(
        'BadRequest',
        '/resources/api',
        /^Another object with the same value for property uniqueName already exists\./,
      ),
    )
    await graph.remove(`/directory/deletedItems/${id}`)
    await directory.deploy()
    assert.notEqual(api()?.id, id)
  })

  it('needs the right to create apps, and no more than that', async () => {
    await assert.rejects(
      directory.deploy({ operator: 'Quinn' }),
      failsWith('Forbidden', '/resources/api', /^Insufficient privileges to complete the operation\./),
    )
    assert.deepEqual(directory.directory.applications, [])
    await directory.deploy({ operator: 'Peter' })
    assert.deepEqual(api()?.owners, [directory.operator('Peter').oid])
    assert.deepEqual(directory.directory.oauth2PermissionGrants, [])
  })

  it('fails where the same local URL belongs to another environment already', async () => {
    await directory.deploy()
    await assert.rejects(
      directory.deploy({ environment: { AZURE_ENV_NAME: 'other' } }),
      failsWith('BadRequest', '/resources/devApiReachable', /property identifierUris already exists/),
    )
  })

  for (const kind of ['application', 'servicePrincipal', 'group', 'appRoleAssignment'] satisfies Kind[]) {
    it(`outlasts the replication of every new ${kind}`, async () => {
      directory.replication.slow(kind, { reads: 3, lists: 2 })
      await directory.deploy()
      directory.replication.catchUp()
      directory.resetWrites()
      await directory.deploy()
      assert.deepEqual(changes(), [])
    })
  }

  it('outlasts a fault at every call, and a lost answer of every write', async (t) => {
    const { calls, whole } = await countCalls(directory)
    for (let at = 1; at <= calls; at += 1) {
      for (const fault of [
        { status: 429 as const, retryAfter: 1 },
        { status: 503 as const, late: true },
      ]) {
        const other = await startDirectory()
        t.after(other.close)
        other.faults.on('graph', { ...fault, at })
        await other.deploy()
        assert.equal(shapeOf(other), whole, `call ${at}, ${fault.status}`)
      }
    }
  })
})

async function countCalls(directory: DirectoryHarness) {
  directory.faults.resetCounters()
  await directory.deploy()
  return { calls: directory.faults.counters.graph, whole: shapeOf(directory) }
}

/** How many objects of which kind: ids differ from run to run. */
function shapeOf({ directory }: DirectoryHarness): string {
  const { applications, groups, servicePrincipals, appRoleAssignments } = directory
  return JSON.stringify([
    applications.map(({ uniqueName, identifierUris }) => [uniqueName, identifierUris.length]),
    groups.map(({ uniqueName, members }) => [uniqueName, members.length]),
    servicePrincipals.length,
    appRoleAssignments.length,
  ])
}

const resource = (type: string, properties: object, more: object = {}) => ({
  type: `Microsoft.Graph/${type}@v1.0`,
  import: 'microsoftGraphV1',
  properties,
  ...more,
})

describe('deployment of a template written by hand', () => {
  let directory: DirectoryHarness
  beforeEach(async () => {
    directory = await startDirectory()
  })
  afterEach(() => directory.close())

  const run = async (resources: Record<string, ReturnType<typeof resource> & { existing?: boolean }>) => {
    const snapshot = { predictedResources: Object.values(resources).filter(({ existing }) => !existing) }
    return deploy({
      graphUrl: directory.graphUrl,
      token: await directory.operatorToken('Olivia'),
      compiled: readCompiled({ template: { resources }, snapshot, parameters: {} }),
      azure: {},
    })
  }
  const app = resource('applications', { uniqueName: 'ours', displayName: 'Ours' })
  const principal = resource(
    'servicePrincipals',
    { appId: "[reference('app').appId]" },
    { dependsOn: ['app'] },
  )
  const team = {
    uniqueName: 'team',
    displayName: 'Team',
    mailEnabled: false,
    mailNickname: 'team',
    securityEnabled: true,
  }

  it('knows federated credentials, consent and objects that exist', async () => {
    const credential = {
      name: 'ours/mi',
      issuer: 'https://example.com',
      subject: 'one',
      audiences: ['api://AzureADTokenExchange'],
    }
    const grant = (scope: string) =>
      resource(
        'oauth2PermissionGrants',
        {
          clientId: "[reference('principal').id]",
          resourceId: "[reference('graph').id]",
          consentType: 'AllPrincipals',
          scope,
        },
        { dependsOn: ['principal'] },
      )
    const graph = {
      ...resource('servicePrincipals', { appId: '00000003-0000-0000-c000-000000000000' }),
      existing: true,
    }
    const mi = resource('applications/federatedIdentityCredentials', credential, { dependsOn: ['app'] })
    await run({ app, principal, graph, grant: grant('User.Read'), mi })
    const renewed = resource(
      'applications/federatedIdentityCredentials',
      { ...credential, subject: 'two' },
      { dependsOn: ['app'] },
    )
    await run({ app, principal, graph, grant: grant('User.Read Group.Read.All'), mi: renewed })
    const { applications, oauth2PermissionGrants } = directory.directory
    assert.deepEqual(
      applications[0]?.federatedIdentityCredentials.map(({ subject }) => subject),
      ['two'],
    )
    assert.deepEqual(
      oauth2PermissionGrants.map(({ scope }) => scope),
      ['User.Read Group.Read.All'],
    )
  })

  it('looks objects up that exist before it deploys any', async () => {
    const twin = { ...resource('applications', { uniqueName: 'ours' }), existing: true }
    await assert.rejects(
      run({ app, twin }),
      failsWith('NotFound', '/resources/twin', /^Resource 'ours' does not exist/),
    )
    assert.deepEqual(directory.directory.applications, [])
  })

  it('replaces relationships of an object that is there, and of no new one', async () => {
    const [alice, bob] = directory.users.map(({ oid }) => oid)
    const members = (relationshipSemantics: string, ...relationships: unknown[]) =>
      resource('groups', { ...team, members: { relationshipSemantics, relationships } })
    await assert.rejects(
      run({ team: members('replace', alice) }),
      failsWith('BadRequest', '/resources/team', /cannot be replaced/),
    )
    await run({ team: members('append', alice) })
    await run({ team: members('append', bob) })
    assert.deepEqual(directory.directory.groups[0]?.members, [alice, bob])
    await run({ team: members('replace', bob) })
    assert.deepEqual(directory.directory.groups[0]?.members, [bob])
  })

  it('refuses the deployer among the owners', async () => {
    const owners = { relationships: [directory.operator('Olivia').oid] }
    await run({ team: resource('groups', { ...team, owners }) })
    assert.equal(directory.directory.groups[0]?.owners.length, 1)
    const graph = graphCalls(directory, await directory.operatorToken('Olivia'))
    assert.equal(of(await graph.get("/groups(uniqueName='team')"), 'displayName'), 'Team')
  })
})
