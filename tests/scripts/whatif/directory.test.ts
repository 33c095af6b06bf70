import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, describe, it } from 'node:test'
import { loadDeclaration } from '../../../app/declaration.ts'
import { Directory } from '../../../scripts/graph/directory.ts'
import { DirectoryError } from '../../../scripts/graph/directory-error.ts'
import { findingsOf } from '../../../scripts/identity/verify.ts'
import { LEVELS } from '../../../scripts/whatif/command.ts'
import type { Exception } from '../../../scripts/whatif/exceptions.ts'
import { decideExitCode, renderJson, summarize } from '../../../scripts/whatif/report.ts'
import { renderMarkdown } from '../../../scripts/whatif/report-markdown.ts'
import { renderSarif } from '../../../scripts/whatif/report-sarif.ts'
import { renderText } from '../../../scripts/whatif/report-text.ts'
import type { WhatIf } from '../../../scripts/whatif/whatif.ts'
import { declaration, withoutCompiler } from '../graph/directory-harness.ts'
import { type Rehearsal, startRehearsal } from './rehearsal.ts'

const INFRA = new URL('../../../infra/', import.meta.url)
const READING = ['Application.Read.All', 'Group.Read.All', 'DelegatedPermissionGrant.Read.All'] as const

describe('the what-if against a directory', { skip: withoutCompiler }, () => {
  let tenant: Rehearsal
  let clean: ReturnType<Rehearsal['save']>
  let identity: string
  before(async () => {
    tenant = await startRehearsal()
    await tenant.up()
    clean = tenant.save()
    identity = await readFile(new URL('identity.bicep', INFRA), 'utf8')
  })
  afterEach(() => clean.restore())
  after(() => tenant.stop())

  const changed = async (files: Record<string, string>) => tenant.ask({ files })
  const app = () => {
    const found = tenant.directory.applications.find(({ uniqueName }) => uniqueName?.includes('-api-'))
    assert.ok(found)
    return found
  }
  const reader = async (
    rights: readonly Parameters<Rehearsal['appToken']>[0][number][],
    calls?: string[],
  ) => {
    const token = await tenant.appToken([...rights])
    return new Directory({
      endpoint: tenant.graphUrl,
      patienceSeconds: 5,
      pause: () => 1,
      token: async () => {
        calls?.push('one')
        return token
      },
    })
  }

  it('ends with 2 from the asked level on, and for what will fail at every level', async () => {
    const codes = async () => {
      const result = await tenant.ask()
      return LEVELS.map((level) => decideExitCode(result, level))
    }
    assert.deepEqual(await codes(), [0, 0, 0])
    app().displayName = 'by hand'
    assert.deepEqual(await codes(), [0, 0, 2])
    app().api.preAuthorizedApplications = []
    assert.deepEqual(await codes(), [0, 2, 2])
    tenant.directory.oauth2PermissionGrants.length = 0
    assert.deepEqual(await codes(), [2, 2, 2])
    clean.restore()
    const [scope] = app().api.oauth2PermissionScopes
    assert.ok(scope)
    app().api.oauth2PermissionScopes.push({ ...scope, id: randomUUID(), value: 'strange' })
    assert.deepEqual(await codes(), [2, 2, 2])
  })

  it('needs four requests, two of them at once, and read-only application permissions', async () => {
    const calls: string[] = []
    const result = await tenant.ask({ directory: await reader(READING, calls) })
    assert.equal(summarize(result).result, 'none')
    // The client asks for its token once a request. A batch holds 20 reads at most: what is around takes two.
    assert.equal(calls.length, 4)
  })

  for (const [right, rest] of [
    ['Application.Read.All', ['Group.Read.All', 'DelegatedPermissionGrant.Read.All']],
    ['Group.Read.All', ['Application.Read.All', 'DelegatedPermissionGrant.Read.All']],
    ['DelegatedPermissionGrant.Read.All', ['Application.Read.All', 'Group.Read.All']],
  ] as const) {
    it(`names ${right} when it is missing, and only that`, async () => {
      const directory = await reader(rest)
      await assert.rejects(tenant.ask({ directory }), ({ message }: Error) => {
        assert.match(message, new RegExp(`directory: ${right.replaceAll('.', '\\.')} is missing`))
        return true
      })
      assert.deepEqual(tenant.writes(), [])
    })
  }

  it('names both rights at once when two are missing', async () => {
    const directory = await reader(['DelegatedPermissionGrant.Read.All'])
    await assert.rejects(tenant.ask({ directory }), /Application\.Read\.All and Group\.Read\.All are missing/)
  })

  it('takes the values of declared objects from the live ones, and fits what is known in part', async () => {
    const result = await tenant.ask()
    assert.deepEqual([result.changes, result.pending], [[], []])
  })

  it('says what is known only after the deployment, neither as a change nor as none', async () => {
    const { SERVER_IDENTITY_PRINCIPAL_ID: _, ...variables } = tenant.deployed()
    const result = await tenant.ask({ variables })
    assert.deepEqual(result.changes, [])
    assert.deepEqual(
      result.pending.map(({ path, text }) => `${path}: ${text}`),
      ['subject: {managed identity of the server}'],
    )
    assert.equal(summarize(result).result, 'pending')
    assert.deepEqual(
      LEVELS.map((level) => decideExitCode(result, level)),
      [2, 2, 2],
    )
  })

  it('grades what nobody can tell of an app that is there, and says it in every report', async () => {
    const open =
      "[...permissions.redirectUris, toLower(reference(resourceId('Microsoft.Web/sites', 'x'), '2023-12-01').defaultHostName)]"
    const files = {
      'identity.bicep': identity.replace('redirectUris: permissions.redirectUris', `redirectUris: ${open}`),
    }
    const result = await changed(files)
    assert.deepEqual(
      [result.changes, result.pending.map(({ path, risk }) => [path, risk.grade])],
      [[], [['publicClient.redirectUris', 'high']]],
    )
    assert.deepEqual([summarize(result).result, summarize(result).risks.high], ['pending', 1])
    assert.deepEqual(
      LEVELS.map((level) => decideExitCode(result, level)),
      [2, 2, 2],
    )
    assert.match(renderText(result, false), /\[HIGH\] What it will be cannot be told/)
    assert.match(renderMarkdown(result), /🔴 high .*redirectUris is known after deployment/)
    assert.match(renderSarif(result), /"ruleId": "known-after-deployment",\s*"level": "error"/)
    assert.deepEqual(
      findingsOf(result).flatMap(({ title, wrong }) =>
        wrong === undefined ? [] : [title.split(', ').at(-1)],
      ),
      ['publicClient.redirectUris'],
    )
    const { pending } = JSON.parse(renderJson(result))
    assert.deepEqual(Object.keys(pending[0]).toSorted(), ['key', 'path', 'risk', 'text', 'title', 'type'])
  })

  it('grades a host high that fits and that the deployment does not make', async () => {
    const site = "resource site 'Microsoft.Web/sites@2023-12-01' existing = { name: 'x' }\n"
    const open = `[...permissions.redirectUris, 'https://\${site.properties.defaultHostName}/callback']`
    const files = {
      'identity.bicep': `${identity.replace('redirectUris: permissions.redirectUris', `redirectUris: ${open}`)}\n${site}`,
    }
    const client = tenant.directory.applications.find(({ displayName }) => displayName.includes('MCP client'))
    client?.publicClient.redirectUris.push('https://elsewhere.example/callback')
    const { changes, unmanaged } = await changed(files)
    assert.deepEqual(changes, [])
    assert.deepEqual(
      unmanaged.map(({ value, grade }) => [value, grade]),
      [['https://elsewhere.example/callback', 'high']],
    )
  })

  it('grades a text that nobody can tell low', async () => {
    const text = "'For MCP clients that have no app registration of their own.'"
    const open = "toLower(reference(resourceId('Microsoft.Web/sites', 'x'), '2023-12-01').name)"
    assert.ok(identity.includes(text))
    const files = { 'identity.bicep': identity.replace(text, open) }
    const result = await changed(files)
    assert.ok(result.pending.length > 0)
    assert.deepEqual(new Set(result.pending.map(({ risk }) => risk.grade)), new Set(['low']))
    assert.deepEqual(
      LEVELS.map((level) => decideExitCode(result, level)),
      [0, 0, 2],
    )
  })

  it('does not report who was added to a group that members are appended to', async () => {
    const group = tenant.directory.groups.find(({ uniqueName }) => uniqueName?.includes('-admins-'))
    group?.members.push(tenant.users[0]?.oid ?? '')
    assert.deepEqual((await tenant.ask()).changes, [])
  })

  it('reports who goes from a group whose members are replaced', async () => {
    const group = tenant.directory.groups.find(({ uniqueName }) => uniqueName?.includes('-admins-'))
    group?.members.push(tenant.users[0]?.oid ?? '')
    const { changes } = await changed({
      'identity.bicep': identity.replace(
        "relationshipSemantics: 'append'",
        "relationshipSemantics: 'replace'",
      ),
    })
    assert.deepEqual(
      changes.flatMap(({ properties }) =>
        properties.map(({ action, path, risk }) => `${action} ${path} ${risk.rule}`),
      ),
      ['remove members narrower'],
    )
  })

  it('adds to a consent that somebody widened and takes nothing away', async () => {
    for (const grant of tenant.directory.oauth2PermissionGrants) grant.scope = 'User.Read Mail.Read'
    assert.deepEqual((await tenant.ask()).changes, [])
  })

  it('takes a federated credential of another name for ours when issuer and subject are the same, as the hook does', async () => {
    for (const credential of app().federatedIdentityCredentials) credential.name = 'another-name'
    assert.deepEqual((await tenant.ask()).changes, [])
  })

  it('lists a tagged app that nobody declares, and not one of another environment', async () => {
    const { id: _id, appId: _appId, uniqueName: _name, ...rest } = structuredClone(app())
    const stranger = (tags: string[], displayName: string) =>
      tenant.directory.applications.push({
        ...rest,
        displayName,
        id: randomUUID(),
        appId: randomUUID(),
        uniqueName: null,
        identifierUris: [],
        tags,
      })
    stranger(rest.tags ?? [], 'left behind')
    stranger(['azd-env-name:dev', 'azd-env-token:anothersubscr'], 'of another subscription')
    const result = await tenant.ask()
    assert.deepEqual(
      result.orphans.map(({ title }) => title),
      ['left behind'],
    )
    assert.equal(summarize(result).result, 'changes')
  })

  it('shows a new unique name as a rename', async () => {
    const files = { 'identity.bicep': identity.replaceAll("'mcp-expenses-api-", "'mcp-spending-api-") }
    const { orphans, changes } = await changed(files)
    assert.equal(orphans.length, 1)
    const heir = changes.find(({ key }) => key === orphans[0]?.renamedTo)
    assert.deepEqual([heir?.action, heir?.type], ['create', 'applications'])
  })

  it('says that a scope cannot be renamed while it is enabled', async () => {
    const real = loadDeclaration()
    const scopes = [{ ...real.scopes[0], value: 'renamed' }]
    const toolSets = real.toolSets.map((set) => ({
      ...set,
      tools: set.tools.map((tool) =>
        tool.scope === real.scopes[0]?.value ? { ...tool, scope: 'renamed' } : tool,
      ),
    }))
    const permissions = { ...real, scopes, toolSets }
    const { blockers, changes } = await tenant.ask({ permissions })
    assert.equal(blockers[0]?.rule, 'removed-in-one-step')
    assert.match(blockers[0].what, /renamed to renamed/)
    assert.ok(
      changes.some(({ properties }) =>
        properties.some(
          ({ action, path }) =>
            action === 'change' && path === 'api.oauth2PermissionScopes[user_impersonation].value',
        ),
      ),
    )
  })

  it('says that a role cannot be removed while it is enabled', async () => {
    const role = {
      id: randomUUID(),
      value: 'x',
      displayName: 'x',
      description: 'x',
      isEnabled: true,
      allowedMemberTypes: ['User' as const],
    }
    app().appRoles.push(role)
    const { blockers } = await tenant.ask()
    assert.match(blockers.map(({ what }) => what).join(), /The role x would be removed/)
  })

  it('says that one pass cannot add a scope and pre-authorize a client for it', async () => {
    // Without the first pass' scopes they come with the clients, in one write.
    const once = identity.replaceAll(
      'api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: scopes }',
      'api: { requestedAccessTokenVersion: 2 }',
    )
    assert.notEqual(once, identity)
    const real = await declaration()
    const extra = { ...real.scopes[0], value: 'extra', id: 'e0e0e0e0-1111-4222-8333-444444444444' }
    const { blockers } = await tenant.ask({
      files: { 'identity.bicep': once },
      permissions: { ...real, scopes: [...real.scopes, extra] },
    })
    assert.ok(blockers.length > 0)
    assert.ok(blockers.every(({ rule }) => rule === 'pre-authorized-too-early'))
  })

  it('says that an app full of federated credentials takes no other one', async () => {
    const credentials = app().federatedIdentityCredentials
    credentials.length = 0
    for (let number = 0; number < 20; number += 1)
      credentials.push({
        id: randomUUID(),
        name: `c${number}`,
        issuer: 'https://x.example',
        subject: `${number}`,
        audiences: ['x'],
        description: null,
      })
    const { blockers } = await tenant.ask()
    assert.deepEqual(
      blockers.map(({ rule }) => rule),
      ['credential-limit'],
    )
  })

  it('says that the members of a new group cannot be replaced', async () => {
    const files = {
      'identity.bicep': identity.replace(
        "relationshipSemantics: 'append'",
        "relationshipSemantics: 'replace'",
      ),
    }
    tenant.directory.groups.length = 0
    const { blockers } = await changed(files)
    assert.deepEqual(
      blockers.map(({ rule }) => rule),
      ['replaced-on-new-object'],
    )
  })

  it('mentions a secret that no deployment removes, but not the one of our own hook', async () => {
    const dev = tenant.directory.applications.find(({ uniqueName }) => uniqueName?.includes('-dev-dev-'))
    assert.ok(dev)
    tenant.directory.addPassword(dev, 'by hand', new Date('2030-01-01T00:00:00Z'))
    tenant.directory.addPassword(
      dev,
      'mcp-expenses developer secret (x, y)',
      new Date('2030-01-01T00:00:00Z'),
    )
    const ours = dev.passwordCredentials.at(-1)?.keyId ?? ''
    const { changes, unmanaged } = await tenant.ask({ ownSecrets: [ours] })
    assert.deepEqual(changes, [])
    assert.deepEqual(
      unmanaged.map(({ kind, grade, reason }) => [kind, grade, /"by hand" .* until 2030/.test(reason)]),
      [['passwordCredentials', 'high', true]],
    )
    const documented = ['grade', 'key', 'kind', 'reason', 'title', 'type', 'value']
    assert.deepEqual(Object.keys(unmanaged[0] ?? {}).toSorted(), documented, 'and nothing of the secret')
  })

  it("grades it high to take over an app or a group that is there already and somebody else's", async () => {
    const [group] = tenant.directory.groups
    assert.ok(group)
    Object.assign(group, { description: 'People who like tea.' })
    app().tags = ['tea']
    const { changes } = await tenant.ask()
    const adopted = changes.filter(({ properties }) =>
      properties.some(({ risk }) => risk.rule === 'adoption'),
    )
    assert.deepEqual(
      adopted.map(({ type, grade }) => [type, grade]),
      [
        ['applications', 'high'],
        ['groups', 'high'],
      ],
    )
  })

  it('leaves out what the reviewed file accepts, and says which lines count for nothing', async () => {
    app().owners.push(tenant.users[0]?.oid ?? '')
    const line = {
      object: 'identity/api',
      kind: 'owners',
      value: tenant.users[0]?.oid ?? '',
      reason: 'Carries the pager for this app.',
    }
    const ask = (...exceptions: Exception[]) => tenant.ask({ exceptions })
    const counts = ({ unmanaged, accepted, stale }: WhatIf) => [
      unmanaged.length,
      accepted.length,
      stale.length,
    ]
    assert.deepEqual(counts(await ask()), [1, 0, 0])
    const accepted = await ask(line)
    assert.deepEqual(counts(accepted), [0, 1, 0])
    assert.equal(decideExitCode(accepted, 'any'), 0)
    assert.deepEqual(counts(await ask({ ...line, expires: '2026-11-27' })), [0, 1, 0])
    const expired = await ask({ ...line, expires: '2026-11-26' })
    assert.deepEqual(counts(expired), [1, 0, 1])
    assert.match(expired.stale[0] ?? '', /owners .* of identity\/api has expired on 2026-11-26/)
    const unused = await ask(line, { ...line, kind: 'passwordCredentials' })
    assert.deepEqual([counts(unused), decideExitCode(unused, 'any')], [[0, 1, 1], 2])
    assert.deepEqual(counts(await ask({ ...line, environment: 'prod' })), [1, 0, 0])
    assert.deepEqual(counts(await ask({ ...line, object: app().uniqueName ?? '' })), [0, 1, 0])
    assert.deepEqual(counts(await ask({ ...line, object: 'identity/devApi' })), [1, 0, 1])
  })

  it('does not report that a user agreed to be signed in, but everything beyond that', async () => {
    const [client] = tenant.directory.servicePrincipals.filter(({ displayName }) =>
      /client/.test(displayName),
    )
    const graph = tenant.directory.servicePrincipal('00000003-0000-0000-c000-000000000000')
    const grant = {
      id: randomUUID(),
      clientId: client?.id ?? '',
      resourceId: graph?.id ?? '',
      consentType: 'Principal' as const,
      principalId: tenant.users[0]?.oid ?? '',
      scope: 'openid profile email offline_access',
    }
    tenant.directory.oauth2PermissionGrants.push(grant)
    assert.deepEqual((await tenant.ask()).unmanaged, [])
    grant.scope += ' Mail.Read'
    const { unmanaged } = await tenant.ask()
    assert.deepEqual(
      unmanaged.map(({ grade, reason }) => [grade, /may call Microsoft Graph with Mail\.Read/.test(reason)]),
      [['medium', true]],
    )
  })

  it('does not take another host for the one that azd records, and says where azd records none', async () => {
    const { AZURE_CONTAINER_APPS_ENVIRONMENT_DEFAULT_DOMAIN: _, ...variables } = tenant.deployed()
    const { changes, unmanaged } = await tenant.ask({ variables })
    assert.deepEqual(changes, [])
    assert.deepEqual(
      unmanaged.map(({ kind, grade }) => [kind, grade]),
      [
        ['identifierUris', 'medium'],
        ['identifierUris', 'medium'],
      ],
    )
    app().identifierUris = app().identifierUris.map((uri) => uri.replace('gentlesea', 'evil'))
    assert.equal((await tenant.ask()).changes.length, 1)
  })

  it('goes on where the recycle bin is closed', async () => {
    const { directory } = await tenant.context(tenant.deployed())
    const closed: Pick<Directory, 'get' | 'list'> = {
      get: (path, schema) => directory.get(path, schema),
      list: (path, schema) =>
        path.startsWith('/directory/deletedItems')
          ? Promise.reject(new DirectoryError(`GET ${path}`, 403, {}, undefined))
          : directory.list(path, schema),
    }
    const { changes, notes } = await tenant.ask({ directory: closed })
    assert.deepEqual(changes, [])
    assert.equal(notes.length, 2)
    assert.match(notes[0] ?? '', /cannot be told: you may not read the recycle bin/)
  })
})
