import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadPermissions } from '../../../app/permissions.ts'
import { seedDirectory } from '../../../scripts/emulators/seed.ts'
import { MCP } from './contoso.ts'

const seed = () =>
  seedDirectory({ mcpUrls: [MCP, 'http://127.0.0.1:8080/mcp'], permissions: loadPermissions() })

describe('directory', () => {
  it('is seeded the same at every start, so that data kept by oid stays reachable', () => {
    assert.deepEqual(seed().users, seed().users)
    assert.deepEqual(
      [seed().tenantId, seed().clientId, seed().apiAppId],
      [seed().tenantId, seed().clientId, seed().apiAppId],
    )
  })

  it('hands out a copy: what one test changes, another does not see', () => {
    const first = seed().directory
    first.groups.length = 0
    for (const person of first.users) person.accountEnabled = false
    assert.equal(seed().directory.groups.length, 4)
    assert.ok(seed().directory.users.every(({ accountEnabled }) => accountEnabled))
  })

  it('has one admin, through a nested group', () => {
    const { users, directory, adminGroupId } = seed()
    assert.deepEqual(
      users.map(({ name, admin }) => [name, admin]),
      [
        ['Alice', true],
        ['Bob', false],
        ['Carol', false],
        ['Dave', false],
      ],
    )
    const alice = users[0]?.oid ?? ''
    assert.ok(!directory.directGroups(alice).some(({ id }) => id === adminGroupId))
  })

  it('ends the search when groups contain each other', () => {
    const { directory, users, adminGroupId } = seed()
    const finance = directory.groups.find(({ displayName }) => displayName === 'Finance')
    finance?.members.push(adminGroupId)
    assert.equal(directory.transitiveGroups(users[0]?.oid ?? '').length, 3)
  })

  it('counts direct and direct-group assignment, not nested membership', () => {
    const { directory, users, apiAppId } = seed()
    const resource = directory.servicePrincipal(apiAppId)?.id ?? ''
    const assigned = users.filter(({ oid }) => directory.assignments(oid, resource).length > 0)
    assert.deepEqual(
      assigned.map(({ name }) => name),
      ['Alice', 'Bob', 'Carol'],
    )
  })

  it('registers every MCP URL with and without its path, and one api:// form', () => {
    const { directory, apiAppId } = seed()
    assert.deepEqual(directory.application(apiAppId)?.identifierUris, [
      MCP,
      'http://127.0.0.1:8080/mcp',
      'http://localhost:8080',
      'http://127.0.0.1:8080',
      `api://${apiAppId}`,
    ])
    assert.equal(directory.resource('http://localhost:8080')?.appId, apiAppId)
    assert.equal(directory.resource(`${MCP}/`), undefined)
  })

  it('knows no resource that has no service principal in the tenant', () => {
    const { directory, apiAppId } = seed()
    const index = directory.servicePrincipals.findIndex(({ appId }) => appId === apiAppId)
    directory.servicePrincipals.splice(index, 1)
    assert.equal(directory.resource(MCP), undefined)
  })

  it('shows a secret once and keeps only its hash', () => {
    const { directory, apiAppId } = seed()
    const app = directory.application(apiAppId)
    assert.ok(app)
    const { secretText, keyId, hint } = directory.addPassword(app, 'dev', new Date('2030-01-01'))
    assert.equal(directory.passwordOf(app, secretText)?.keyId, keyId)
    assert.equal(directory.passwordOf(app, `${secretText}x`), undefined)
    assert.ok(secretText.startsWith(hint))
    assert.ok(!JSON.stringify(app).includes(secretText))
  })
})
