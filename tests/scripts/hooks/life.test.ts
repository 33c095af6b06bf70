import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { declaration, withoutCompiler } from '../graph/directory-harness.ts'
import { ended, makeProject, type Project } from '../hooks.ts'
import { type Stage, startStage } from '../stage.ts'

/** Nothing lags here: what is not there at once is wrong. */
const impatient = { DIRECTORY_PATIENCE_SECONDS: '1' }

/** One environment from its first `azd up` to its last `azd down`, every hook a process as azd starts it. */
describe('the life of an environment', { skip: withoutCompiler }, () => {
  let stage: Stage
  let project: Project
  let deployed: Record<string, string>

  const hook = async (script: string, variables: Record<string, string>, args: string[] = []) => {
    stage.resetWrites()
    return project.run(script, { ...variables, ...impatient }, args)
  }
  const succeeds = async (script: string, variables: Record<string, string>, args?: string[]) => {
    const result = await hook(script, variables, args)
    assert.equal(result.code, 0, result.output)
    return result.output
  }
  const fails = async (script: string, variables: Record<string, string>, expected: RegExp) => {
    const result = await hook(script, variables)
    assert.equal(result.code, 1, result.output)
    assert.match(result.output, expected)
  }
  const api = () => {
    const app = stage.directory.applications.find(({ id }) => id === deployed.ENTRA_API_APP_OBJECT_ID)
    assert.ok(app)
    return app
  }
  const calls = () =>
    stage.writes().map(({ method, path }) => `${method} ${path.replaceAll(/[0-9a-f-]{36}/g, '*')}`)

  before(async () => {
    stage = await startStage()
    project = await makeProject()
    await project.setAzd({ token: await stage.operatorToken('Olivia') })
  })
  after(async () => {
    await Promise.all([stage.stop(), project.remove()])
  })

  it('is checked before the first deployment, without a change', async () => {
    const output = await succeeds('preprovision', stage.base)
    assert.equal(output.match(/^✓/gm)?.length, 14, output)
    assert.deepEqual(stage.writes(), [])
  })

  it('is completed and proven after the deployment', async () => {
    deployed = await stage.up()
    const output = await succeeds('postprovision', deployed)
    // Eight objects and what makes them work together, each on its line.
    assert.equal(
      output.match(/^✓ (app|service|group|assignment|federated|consent ").+"$/gm)?.length,
      15,
      output,
    )
    assert.doesNotMatch(output, /✗|^!/m)
    assert.deepEqual(calls(), [
      'POST /applications/*/federatedIdentityCredentials',
      'POST /oauth2PermissionGrants',
      'POST /oauth2PermissionGrants',
      'POST /applications/*/addPassword',
    ])
    assert.deepEqual(
      api().federatedIdentityCredentials.map(({ issuer, subject, audiences }) => ({
        issuer,
        subject,
        audiences,
      })),
      [
        {
          issuer: `${stage.tenant.url}/${stage.tenantId}/v2.0`,
          subject: stage.identity.principalId,
          audiences: ['api://AzureADTokenExchange'],
        },
      ],
    )
    assert.deepEqual(api().passwordCredentials, [])
  })

  it('leaves a secret in .env that nobody else can read, and on no screen', async () => {
    const file = join(project.folder, '.env')
    const secret = /^ENTRA_CLIENT_SECRET=(.+)$/m.exec(await readFile(file, 'utf8'))?.[1]
    assert.ok(secret)
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600)
    const output = await succeeds('dev-credential', deployed)
    assert.ok(!output.includes(secret))
  })

  it('is not written to by a second up', async () => {
    deployed = await stage.up()
    await succeeds('preprovision', deployed)
    const output = await succeeds('postprovision', deployed)
    assert.deepEqual(stage.writes(), [])
    assert.match(output, /credential unchanged[\s\S]*consent unchanged[\s\S]*unchanged: 8\d days left/)
  })

  it('follows a managed identity that was recreated', async () => {
    stage.recreateIdentity(stage.identity.name)
    deployed = await stage.up()
    await fails(
      'verify',
      deployed,
      /✗ federated credential .+server-managed-identity": ~ subject: .+\n {4}fix: azd hooks run postprovision/,
    )
    assert.match(await succeeds('postprovision', deployed), /federated credential corrected/)
    assert.deepEqual(calls(), ['PATCH /applications/*/federatedIdentityCredentials/*'])
    assert.equal(api().federatedIdentityCredentials[0]?.subject, stage.identity.principalId)
  })

  it('shows what was changed in the portal; a rerun mends what the hooks own, a deployment the rest', async () => {
    const app = api()
    app.federatedIdentityCredentials.length = 0
    app.identifierUris.push('https://elsewhere.example/mcp')
    stage.directory.addPassword(app, 'by hand', new Date(Date.now() + 1e9))
    stage.directory.oauth2PermissionGrants.length = 0
    const assigned = stage.directory.appRoleAssignments.findIndex(
      ({ resourceId }) => resourceId === deployed.ENTRA_API_PRINCIPAL_ID,
    )
    stage.directory.appRoleAssignments.splice(assigned, 1)
    const principal = stage.directory.servicePrincipal(app.appId)
    assert.ok(principal)
    principal.appRoleAssignmentRequired = false

    const { code, output } = await hook('verify', deployed)
    assert.equal(code, 1)
    for (const line of [
      /^✗ app registration "Expenses MCP server \(dev\)": .*- identifierUris: "https:\/\/elsewhere\.example\/mcp"/m,
      /^✗ app registration "Expenses MCP server \(dev\)": .*- passwordCredentials\[by hand\]/m,
      /^✗ service principal "Expenses MCP server \(dev\)": ~ appRoleAssignmentRequired: false -> true$/m,
      /^✗ assignment "Expenses MCP server: admins \(dev\) → Expenses MCP server \(dev\)": missing$/m,
      /^✗ federated credential ".+\/server-managed-identity": missing$/m,
      /^! consent "Expenses MCP server \(dev\) → Microsoft Graph": missing$/m,
      /fix: azd provision --no-state/,
    ])
      assert.match(output, line)
    assert.deepEqual(stage.writes(), [])

    await fails(
      'postprovision',
      deployed,
      /federated credential created[\s\S]*consent granted[\s\S]*fix: azd provision --no-state/,
    )
    deployed = await stage.up()
    await succeeds('postprovision', deployed)
    assert.deepEqual(stage.writes(), [])
  })

  it('lets a scope go in two steps, not in one', async () => {
    const real = await declaration()
    const extra = { ...real.scopes[0], value: 'extra', id: 'e0e0e0e0-1111-4222-8333-444444444444' }
    const file = join(project.folder, 'infra/permissions.json')
    const write = (permissions: unknown) => writeFile(file, JSON.stringify(permissions))
    const added = { ...real, scopes: [...real.scopes, extra] }
    await write(added)
    deployed = await stage.up({ permissions: added })
    await succeeds('postprovision', deployed)

    await write(real)
    await fails(
      'preprovision',
      deployed,
      /scope extra would be removed while it is enabled[\s\S]*"isEnabled": false/,
    )
    await assert.rejects(
      stage.up({ permissions: real }),
      /CannotDeleteOrUpdateEnabledEntitlement|unless disabled first/,
    )

    const disabled = { ...real, scopes: [...real.scopes, { ...extra, isEnabled: false }] }
    deployed = await stage.up({ permissions: disabled })
    await write(disabled)
    await succeeds('postprovision', deployed)

    await write(real)
    await succeeds('preprovision', deployed)
    deployed = await stage.up()
    await succeeds('postprovision', deployed)
  })

  it('runs alone from any folder on plain Node, with what azd says', async () => {
    await project.setAzd({ token: await stage.operatorToken('Olivia'), values: deployed })
    stage.resetWrites()
    const consent = await ended(project.startAlone('consent', impatient, ['-e', 'dev']))
    assert.deepEqual([consent.code, consent.output], [0, '✓ consent unchanged\n'])
    assert.ok(
      (await project.azdCalls()).includes('env get-values --output json --no-prompt --environment dev'),
    )
    assert.deepEqual(stage.writes(), [])
  })

  it('goes without a trace, and a foreign app with the same display name stays', async () => {
    const { id: _id, appId: _appId, uniqueName: _name, ...rest } = structuredClone(api())
    stage.directory.applications.push({
      ...rest,
      id: '00000000-aaaa-4aaa-8aaa-000000000001',
      appId: '00000000-aaaa-4aaa-8aaa-000000000002',
      uniqueName: null,
      identifierUris: [],
      tags: ['azd-env-name:dev', 'azd-env-token:anothersubscr'],
    })
    const announced = await succeeds('predown', deployed)
    assert.equal(announced.match(/^ {2}- /gm)?.length, 8, announced)
    assert.deepEqual(stage.writes(), [])

    // azd has forgotten the outputs by now.
    const output = await succeeds('postdown', stage.base)
    assert.equal(output.match(/^✓ purged/gm)?.length, 8, output)
    assert.match(output, /removed the dead secret from \.env/)
    assert.deepEqual(
      stage.directory.applications.map(({ id }) => id),
      ['00000000-aaaa-4aaa-8aaa-000000000001'],
    )
    assert.deepEqual(stage.directory.groups, [])
    assert.deepEqual(stage.directory.deletedItems, { applications: [], servicePrincipals: [], groups: [] })
    stage.directory.applications.length = 0
  })

  it('finds nothing to do in a second down', async () => {
    await succeeds('postdown', stage.base)
    assert.deepEqual(stage.writes(), [])
  })

  it('comes up again', async () => {
    await succeeds('preprovision', stage.base)
    deployed = await stage.up()
    await succeeds('postprovision', deployed)
    assert.match(
      await readFile(join(project.folder, '.env'), 'utf8'),
      new RegExp(`ENTRA_CLIENT_ID=${deployed.ENTRA_DEV_CLIENT_ID}`),
    )
  })

  it('stays with KEEP_IDENTITY=true', async () => {
    const kept = { ...stage.base, KEEP_IDENTITY: 'true' }
    assert.match(await succeeds('predown', kept), /every app, service principal and group stays/)
    assert.match(await succeeds('postdown', kept), /every app, service principal and group stays/)
    assert.deepEqual(stage.writes(), [])
  })

  it('survives a kill at every write of postprovision and at some of postdown', async () => {
    const wiped = async () => {
      await succeeds('postdown', stage.base)
      deployed = await stage.up()
    }
    const killed = async (script: string, variables: Record<string, string>, write: number) => {
      stage.resetWrites()
      const only = ({ method, url }: { method: string; url: string }) =>
        method !== 'GET' && !url.endsWith('$batch')
      const fault = stage.faults.on('graph', { hang: true, at: write, only })
      const child = project.startAlone(script, { ...variables, ...impatient })
      const end = ended(child)
      const first = await Promise.race([fault.reached(1), end])
      assert.equal(first, undefined, 'the hook ended before that write')
      child.kill('SIGKILL')
      assert.equal((await end).code, null)
      fault.clear()
    }
    await wiped()
    // What a killed run has written stays written: the next one is killed one write later.
    for (const write of [1, 2, 2, 2]) await killed('postprovision', deployed, write)
    await succeeds('postprovision', deployed)
    await succeeds('postprovision', deployed)
    assert.deepEqual(stage.writes(), [])

    for (const write of [1, 3, 6]) {
      await succeeds('predown', deployed)
      await killed('postdown', stage.base, write)
    }
    await succeeds('postdown', stage.base)
    assert.deepEqual(stage.directory.applications, [])
    assert.deepEqual(stage.directory.deletedItems, { applications: [], servicePrincipals: [], groups: [] })
  })
})
