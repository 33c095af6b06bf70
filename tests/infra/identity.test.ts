import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { loadPermissions } from '../../app/permissions.ts'
import { appOf, environmentOf, passesOf, resourcesOf, sets } from './deployments.ts'

const permissions = loadPermissions()
const vsCode = 'aebc6443-996d-45c2-90f0-388ff96faa56'
const azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
const withDevApp = sets.filter((set) => environmentOf(set).LOCAL_DEVELOPMENT !== 'false')
const apis = (set: string) => (withDevApp.includes(set) ? (['api', 'dev'] as const) : (['api'] as const))

describe('The API app', () => {
  it('is identified by exactly the MCP URL, its origin and api://<appId>', async () => {
    const { identifierUris } = await appOf('defaults', 'api')
    const host = /^https:\/\/ca-[a-z0-9]{13}\.\{cae\.defaultDomain\}/.exec(identifierUris?.[0] ?? '')?.[0]
    assert.ok(host, `not a container app's URL: ${identifierUris?.[0]}`)
    assert.deepEqual(identifierUris, [`${host}/mcp`, host, 'api://{api.appId}'])
  })

  it('is also identified by each custom domain, with and without /mcp', async () => {
    const [own, origin] = (await appOf('defaults', 'api')).identifierUris ?? []
    assert.deepEqual((await appOf('custom-domain', 'api')).identifierUris, [
      own,
      origin,
      'https://mcp.contoso.com/mcp',
      'https://mcp.contoso.com',
      'https://expenses.contoso.com/mcp',
      'https://expenses.contoso.com',
      'api://{api.appId}',
    ])
  })

  it('is declared with its scopes before URLs and clients refer to them', async () => {
    const [first, second, ...more] = await passesOf('defaults', 'api')
    assert.equal(more.length, 0)
    assert.equal(first?.uniqueName, second?.uniqueName)
    assert.equal(first?.identifierUris, undefined)
    assert.equal(first?.api?.preAuthorizedApplications, undefined)
    assert.deepEqual(first?.api?.oauth2PermissionScopes, second?.api?.oauth2PermissionScopes)
  })

  it('asks for exactly the downstream permissions of permissions.json, delegated', async () => {
    const wanted = permissions.downstreamApis.map(({ appId, permissions: list }) => ({
      resourceAppId: appId,
      resourceAccess: list.map(({ id }) => ({ id, type: 'Scope' })),
    }))
    assert.deepEqual((await passesOf('defaults', 'api'))[0]?.requiredResourceAccess, wanted)
  })

  it('says the reference that some tenants demand, and null where there is none', async () => {
    assert.equal((await appOf('custom-domain', 'api')).serviceManagementReference, 'SVC-42')
    assert.equal((await appOf('defaults', 'api')).serviceManagementReference, null)
  })
})

for (const set of sets) {
  describe(`With the parameters "${set}"`, () => {
    const { scopes } = loadPermissions(environmentOf(set).TOOL_SETS)

    it('scope ids, values and types equal permissions.json in every pass', async () => {
      const wanted = scopes.map(({ id, value, type }) => ({ id, value, type, isEnabled: true }))
      for (const kind of apis(set)) {
        for (const pass of await passesOf(set, kind))
          assert.deepEqual(pass.api?.oauth2PermissionScopes, wanted)
      }
    })

    it('exactly VS Code, the Azure CLI, our public client and named extra clients are pre-authorized', async () => {
      const extra = set === 'custom-domain' ? ['cccccccc-cccc-4ccc-8ccc-cccccccccccc'] : []
      const wanted = [vsCode, azureCli, ...extra, '{publicClient.appId}'].map((appId) => ({
        appId,
        delegatedPermissionIds: scopes.map(({ id }) => id),
      }))
      for (const kind of apis(set))
        assert.deepEqual((await appOf(set, kind)).api?.preAuthorizedApplications, wanted)
    })

    it('no app has a password or a certificate', async () => {
      for (const kind of ['api', 'client'] as const) {
        const [app] = await passesOf(set, kind)
        assert.deepEqual([app?.passwordCredentials, app?.keyCredentials], [[], []], kind)
      }
      // The dev app's short-lived secret is written by a hook: declaring none would delete it.
      for (const app of await passesOf(set, 'dev')) {
        assert.deepEqual([app.passwordCredentials, app.keyCredentials], [undefined, undefined])
      }
    })

    it('access tokens are of version 2', async () => {
      for (const kind of apis(set)) {
        for (const pass of await passesOf(set, kind)) assert.equal(pass.api?.requestedAccessTokenVersion, 2)
      }
    })

    it('every app is for this tenant only, grants nothing implicitly and locks its service principal', async () => {
      const kinds = [...apis(set), 'client'] as const
      for (const kind of kinds) {
        const app = await appOf(set, kind)
        assert.equal(app.signInAudience, 'AzureADMyOrg')
        const mayUseDeviceCodes = kind === 'client' && environmentOf(set).ALLOW_DEVICE_CODE === 'true'
        assert.equal(app.isFallbackPublicClient, mayUseDeviceCodes)
        assert.deepEqual(app.web, {
          redirectUris: [],
          implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false },
        })
        assert.deepEqual(app.servicePrincipalLockConfiguration, {
          isEnabled: true,
          allProperties: true,
          credentialsWithUsageSign: true,
          credentialsWithUsageVerify: true,
          tokenEncryptionKeyId: true,
        })
      }
    })

    it('assignment is required unless somebody switched it off', async () => {
      const required = environmentOf(set).RESTRICT_TO_ASSIGNED_USERS !== 'false'
      const principals = await resourcesOf(set, 'Microsoft.Graph/servicePrincipals')
      const found = principals.map(({ properties }) => [
        properties?.appId,
        properties?.appRoleAssignmentRequired,
      ])
      const wanted = [
        ["[reference('api').appId]", required],
        ...(withDevApp.includes(set) ? [["[reference('devApi').appId]", required]] : []),
        ["[reference('publicClient').appId]", false],
      ]
      assert.deepEqual(found.toSorted(), wanted.toSorted())
    })

    it('the public client redirects to loopback addresses and vscode.dev only', async () => {
      const { publicClient } = await appOf(set, 'client')
      for (const uri of publicClient?.redirectUris ?? []) {
        assert.match(
          uri,
          /^(http:\/\/(localhost|127\.0\.0\.1(:33418)?)(\/|$)|https:\/\/(insiders\.)?vscode\.dev\/redirect$)/,
        )
      }
      assert.ok(publicClient?.redirectUris.length)
    })

    it("every app and service principal carries the environment's name", async () => {
      const ofGraph = ['Microsoft.Graph/applications', 'Microsoft.Graph/servicePrincipals']
      for (const { properties } of (
        await Promise.all(ofGraph.map((type) => resourcesOf(set, type)))
      ).flat()) {
        // The second pass leaves the tags of the first one alone.
        if (properties?.identifierUris) continue
        const { tags } = z.object({ tags: z.array(z.string()) }).parse(properties)
        assert.equal(tags[0], 'azd-env-name:dev')
        assert.match(tags[1] ?? '', /^azd-env-token:[a-z0-9]{13}$/)
      }
    })
  })
}

describe('Local development', () => {
  it('has an API app of its own, identified by the local URL', async () => {
    assert.deepEqual((await appOf('defaults', 'dev')).identifierUris, [
      'http://localhost:8080/mcp',
      'api://{devApi.appId}',
    ])
  })

  it('leaves no app behind when it is switched off', async () => {
    assert.deepEqual(await passesOf('minimal', 'dev'), [])
  })
})

const Group = z.object({
  uniqueName: z.string(),
  securityEnabled: z.literal(true),
  mailEnabled: z.literal(false),
  description: z.string(),
  members: z
    .object({ relationshipSemantics: z.literal('append'), relationships: z.array(z.string()) })
    .optional(),
})
const groupsOf = async (set: string) =>
  (await resourcesOf(set, 'Microsoft.Graph/groups')).map(({ properties }) => Group.parse(properties))
const adminsOf = async (set: string) =>
  (await groupsOf(set)).find(({ uniqueName }) => /admins/.test(uniqueName))

describe('The groups', () => {
  it('are one of admins and one of users, said to belong to the environment', async () => {
    const groups = await groupsOf('defaults')
    assert.deepEqual(groups.map(({ uniqueName }) => uniqueName.split('-')[2]).toSorted(), ['admins', 'users'])
    for (const { description } of groups) assert.match(description, /azd environment dev, [a-z0-9]{13}\.$/)
  })

  it('make the deployer an admin if that is a user', async () => {
    const { AZURE_PRINCIPAL_ID } = environmentOf('defaults')
    assert.deepEqual((await adminsOf('defaults'))?.members?.relationships, [AZURE_PRINCIPAL_ID])
  })

  it('make no service principal and nobody unknown an admin', async () => {
    assert.deepEqual((await adminsOf('ci-deployer'))?.members?.relationships, [])
    assert.deepEqual((await adminsOf('minimal'))?.members?.relationships, [])
  })

  it('have the named admins instead of the deployer', async () => {
    assert.deepEqual((await adminsOf('custom-domain'))?.members?.relationships, [
      'dddddddd-dddd-4ddd-8ddd-dddddddddddd',
    ])
  })

  it('have no admin group of their own when an existing one is named', async () => {
    assert.equal(await adminsOf('existing-admin-group'), undefined)
    assert.equal((await groupsOf('existing-admin-group')).length, 1)
  })
})
