import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '../../../scripts/bicep/template.ts'
import type { DesiredObject } from '../../../scripts/whatif/desired.ts'
import { type Compared, compareObject, compareProperties } from '../../../scripts/whatif/difference.ts'
import type { Properties } from '../../../scripts/whatif/properties.ts'
import { unknown } from './unknown.ts'

const ID = 'aaaaaaaa-0000-4000-8000-000000000001'
const OTHER = 'bbbbbbbb-0000-4000-8000-000000000001'

const TOP = { path: '', place: '', isNew: false, nameOf: () => undefined }

function compared(desired: Properties, actual: Record<string, Json>, isAppended = false) {
  const into: Compared = { differences: [], pending: [] }
  compareProperties(desired, actual, { ...TOP, isAppended, into })
  return {
    changes: into.differences.map(({ action, path }) => `${action} ${path}`),
    unknown: into.pending.map(({ path, text }) => `${path}: ${text}`),
    differences: into.differences,
  }
}
const changes = (desired: Properties, actual: Record<string, Json>) => compared(desired, actual).changes

describe('the comparison', () => {
  it('looks at declared properties only, at every depth', () => {
    const actual = {
      displayName: 'x',
      notes: 'by hand',
      api: { requestedAccessTokenVersion: 2, acceptMappedClaims: true },
    }
    assert.deepEqual(changes({ displayName: 'x', api: { requestedAccessTokenVersion: 2 } }, actual), [])
    assert.deepEqual(changes({ api: { requestedAccessTokenVersion: 1 } }, actual), [
      'change api.requestedAccessTokenVersion',
    ])
  })

  it('knows no order in lists', () => {
    assert.deepEqual(changes({ tags: ['a', 'b'] }, { tags: ['b', 'a'] }), [])
    assert.deepEqual(changes({ tags: ['a', 'c'] }, { tags: ['b', 'a'] }), ['add tags', 'remove tags'])
  })

  it('counts letters in texts, and not in ids', () => {
    assert.deepEqual(changes({ tags: ['A'] }, { tags: ['a'] }), ['add tags', 'remove tags'])
    assert.deepEqual(
      changes({ knownClientApplications: [ID.toUpperCase()] }, { knownClientApplications: [ID] }),
      [],
    )
    assert.deepEqual(changes({ subject: ID.toUpperCase() }, { subject: ID }), ['change subject'])
  })

  for (const [place, id] of [
    ['appRoles', 'id'],
    ['requiredResourceAccess', 'resourceAppId'],
    ['preAuthorizedApplications', 'appId'],
    ['oauth2PermissionScopes', 'id'],
    ['resourceAccess', 'id'],
  ] as const) {
    it(`matches ${place} by ${id}`, () => {
      const actual = {
        [place]: [
          { [id]: OTHER, text: 'other' },
          { [id]: ID, text: 'old', more: 1 },
        ],
      }
      assert.deepEqual(
        changes(
          {
            [place]: [
              { [id]: ID, text: 'old' },
              { [id]: OTHER, text: 'other' },
            ],
          },
          actual,
        ),
        [],
      )
      assert.deepEqual(changes({ [place]: [{ [id]: ID, text: 'new' }] }, actual), [
        `change ${place}[${ID}].text`,
        `remove ${place}[${OTHER}]`,
      ])
    })
  }

  it('shows a renamed scope as one change, not as one that goes and one that comes', () => {
    const desired = { appRoles: [{ id: ID, value: 'new', isEnabled: false }] }
    const actual = { appRoles: [{ id: ID, value: 'old', isEnabled: false }] }
    assert.deepEqual(compared(desired, actual).differences, [
      { action: 'change', path: 'appRoles[old].value', place: 'appRoles.value', before: 'old', after: 'new' },
    ])
  })

  it('tells null from an empty list', () => {
    assert.deepEqual(changes({ tags: [] }, { tags: null }), ['add tags'])
    assert.deepEqual(changes({ tags: null }, { tags: [] }), ['remove tags'])
    assert.deepEqual(changes({ tags: null }, {}), [])
    assert.deepEqual(changes({ tags: [] }, { tags: [] }), [])
  })

  it('never reports a removal from what is appended to', () => {
    assert.deepEqual(compared({ members: [ID] }, { members: [OTHER] }, true).changes, ['add members'])
    assert.deepEqual(compared({ members: [ID] }, { members: [OTHER] }, false).changes, [
      'add members',
      'remove members',
    ])
  })

  it('shows nothing of a secret', () => {
    const actual = {
      passwordCredentials: [{ keyId: ID, hint: 'abc', secretText: 'abcdef', displayName: 'by hand' }],
    }
    const { differences } = compared({ passwordCredentials: [] }, actual)
    assert.deepEqual(differences[0]?.before, { keyId: ID, displayName: 'by hand' })
  })
})

describe('what the compiler does not know', () => {
  const uri = unknown('https://ca-x.{environment.defaultDomain}/mcp')

  it('equals an actual value that fits the known parts', () => {
    assert.deepEqual(
      compared({ identifierUris: [uri] }, { identifierUris: ['https://ca-x.blue.example/mcp'] }).changes,
      [],
    )
    assert.deepEqual(compared({ homePage: uri }, { homePage: 'https://ca-x.blue.example/mcp' }).changes, [])
  })

  it('does not take the place of a value that is known', () => {
    const actual = { identifierUris: ['https://ca-x.a/mcp', 'https://ca-x.b/mcp'] }
    assert.deepEqual(changes({ identifierUris: [uri, 'https://ca-x.a/mcp'] }, actual), [])
  })

  it('is a change when no actual value fits', () => {
    assert.deepEqual(
      changes({ identifierUris: [uri] }, { identifierUris: ['https://ca-y.blue.example/mcp'] }),
      ['add identifierUris', 'remove identifierUris'],
    )
  })

  it('is neither a change nor no change when nothing of it is known', () => {
    const id = unknown('{identity.principalId}')
    const one = compared({ subject: id }, { subject: 'x' })
    assert.deepEqual([one.changes, one.unknown], [[], ['subject: {identity.principalId}']])
    const list = compared({ members: [ID, id] }, { members: [ID, OTHER] })
    assert.deepEqual([list.changes, list.unknown], [[], ['members: {identity.principalId}']])
  })

  it('says what may go for it, except from what is appended to', () => {
    const uri = unknown('{site.host}')
    const pendingOf = (isAppended: boolean) => {
      const into: Compared = { differences: [], pending: [] }
      compareProperties({ tags: ['a', uri] }, { tags: ['a', 'b', 'c'] }, { ...TOP, isAppended, into })
      return into.pending.map(({ place, instead }) => [place, instead])
    }
    assert.deepEqual(pendingOf(false), [['tags', ['b', 'c']]])
    assert.deepEqual(pendingOf(true), [['tags', []]])
  })

  it('comes with a new object', () => {
    const into: Compared = { differences: [], pending: [] }
    compareProperties({ tags: ['a', unknown('{site.host}')] }, undefined, { ...TOP, isNew: true, into })
    assert.equal(into.differences.length, 2)
    assert.deepEqual(into.pending, [])
  })

  it('stays unknown in an issuer or a subject, whatever fits its known parts', () => {
    const subject = unknown('repo:{repository.name}:environment:production')
    const issuer = unknown('https://login.microsoftonline.com/{tenant.id}/v2.0')
    const actual = {
      subject: 'repo:a/b:environment:production',
      issuer: 'https://login.microsoftonline.com/x/v2.0',
    }
    const open = compared({ subject, issuer }, actual)
    assert.deepEqual([open.changes, open.unknown.length], [[], 2])
    assert.deepEqual(changes({ subject }, { subject: 'repo:a/b:ref:main' }), ['change subject'])
  })

  it('is no empty consent', () => {
    const grant: DesiredObject = {
      ...{ key: 'x', symbols: [], by: 'template', passes: () => [] },
      type: 'oauth2PermissionGrants',
    }
    for (const scope of [unknown('{a.b}'), unknown('User.Read {a.b}')]) {
      const { differences, pending } = compareObject(
        grant,
        { scope },
        { scope: 'User.Read Mail.Read' },
        () => undefined,
      )
      assert.deepEqual(differences, [])
      assert.deepEqual(
        pending.map(({ place }) => place),
        ['scope'],
      )
    }
  })

  it('is new when it belongs to an object that does not exist yet', () => {
    const appId = unknown('{client.appId}', { isNew: true })
    const actual = { preAuthorizedApplications: [{ appId: OTHER }] }
    assert.deepEqual(changes({ preAuthorizedApplications: [{ appId: OTHER }, { appId }] }, actual), [
      'add preAuthorizedApplications[{client.appId}]',
    ])
  })
})
