import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Fact, riskOf } from '../../../scripts/whatif/risk.ts'

const TENANT = '4f6c2b1e-9a57-4d0f-8c3d-5e1b7a902c64'
const ROLE = 'aaaaaaaa-0000-4000-8000-000000000001'

interface Case {
  type?: Fact['type']
  place: string
  action?: Fact['difference']['action']
  before?: Fact['difference']['before']
  after?: Fact['difference']['after']
  wanted?: Fact['wanted']
  live?: Fact['live']
  isForPeople?: boolean
}

function graded({
  type = 'applications',
  place,
  action = 'change',
  before,
  after,
  wanted = {},
  isForPeople = false,
  ...rest
}: Case) {
  const live = 'live' in rest ? rest.live : { id: 'x' }
  const difference = { action, place, path: place, before, after }
  const nameOf = (value: unknown) => String(value)
  const { grade, rule, reason } = riskOf({
    type,
    difference,
    wanted,
    live,
    tenantId: TENANT,
    isForPeople,
    nameOf,
  })
  assert.match(reason, /\.$/)
  return `${grade} ${rule}`
}

const add = 'add' as const
const remove = 'remove' as const
const grant = { type: 'oauth2PermissionGrants' as const, place: 'scope', action: add, after: 'Mail.Read' }
const access = { place: 'requiredResourceAccess', action: add }
const assignment = { type: 'appRoleAssignedTo' as const, place: 'appRoleId', action: add, live: undefined }
const credential = { type: 'applications/federatedIdentityCredentials' as const }
const required = { type: 'servicePrincipals' as const, place: 'appRoleAssignmentRequired' }
const uri = {
  place: 'identifierUris',
  action: add,
  live: { appId: 'own-id', identifierUris: ['https://mine.example/mcp'] },
}
const redirect = { place: 'publicClient.redirectUris', action: add }
const member = { type: 'groups' as const, place: 'members', after: ROLE }

describe('the risk of a difference', () => {
  const cases: [name: string, expected: string, one: Case][] = [
    [
      'consent for everybody',
      'high consent',
      { ...grant, wanted: { consentType: 'AllPrincipals' }, live: undefined },
    ],
    ['wider consent for everybody', 'high consent', { ...grant, wanted: { consentType: 'AllPrincipals' } }],
    ['less consent', 'low narrower', { ...grant, action: remove, before: 'Mail.Read', after: undefined }],
    [
      'a granted application permission',
      'high consent',
      { ...assignment, after: ROLE, wanted: { appRoleId: ROLE } },
    ],
    [
      'an application permission that is asked for',
      'high consent',
      { ...access, after: { resourceAccess: [{ id: ROLE, type: 'Role' }] } },
    ],
    [
      'a delegated permission that is asked for',
      'medium other',
      { ...access, after: { resourceAccess: [{ id: ROLE, type: 'Scope' }] } },
    ],
    [
      'a new federated credential',
      'high federated-credential',
      { ...credential, place: 'subject', action: add, after: 'x', live: undefined },
    ],
    [
      'another subject',
      'high federated-credential',
      { ...credential, place: 'subject', before: 'x', after: 'y' },
    ],
    [
      'another issuer',
      'high federated-credential',
      { ...credential, place: 'issuer', before: 'x', after: 'y' },
    ],
    [
      'accounts of other tenants',
      'high audience',
      { place: 'signInAudience', before: 'AzureADMyOrg', after: 'AzureADMultipleOrgs' },
    ],
    [
      'personal accounts',
      'high audience',
      { place: 'signInAudience', before: 'AzureADMultipleOrgs', after: 'AzureADandPersonalMicrosoftAccount' },
    ],
    [
      'a new app for other tenants',
      'high audience',
      { place: 'signInAudience', action: add, after: 'AzureADMultipleOrgs', live: undefined },
    ],
    [
      'a new app for this tenant',
      'low new-object',
      { place: 'signInAudience', action: add, after: 'AzureADMyOrg', live: undefined },
    ],
    [
      'assignment no longer required',
      'high assignment-requirement',
      { ...required, before: true, after: false },
    ],
    ['assignment required again', 'low narrower', { ...required, before: false, after: true }],
    [
      'a URI on a foreign host',
      'high foreign-identifier-uri',
      { ...uri, after: 'https://elsewhere.example/mcp' },
    ],
    [
      'a foreign host on a new app',
      'high foreign-identifier-uri',
      { ...uri, live: undefined, after: 'https://elsewhere.example/mcp' },
    ],
    ['a foreign name', 'high foreign-identifier-uri', { ...uri, after: 'api://elsewhere' }],
    ['a URI on a host of the app', 'medium other', { ...uri, after: 'https://mine.example/v2' }],
    ['a URI with its own id', 'medium other', { ...uri, after: 'api://own-id' }],
    ['a URI of the tenant', 'medium other', { ...uri, after: `api://${TENANT}/x` }],
    [
      'a URI that the deployment makes',
      'medium other',
      { ...uri, after: 'https://ca-x.{environment.defaultDomain}/mcp' },
    ],
    ['a URI on this machine', 'medium other', { ...uri, after: 'http://localhost:8080/mcp' }],
    ['a new owner', 'high owner', { type: 'groups', place: 'owners', action: add, after: ROLE }],
    [
      'a password that is present',
      'high password-credential',
      { place: 'passwordCredentials', action: remove, before: { keyId: ROLE } },
    ],
    ['a redirect URI without TLS', 'high redirect-uri', { ...redirect, after: 'http://app.example/cb' }],
    ['a redirect URI with a scheme of its own', 'high redirect-uri', { ...redirect, after: 'myapp://cb' }],
    ['a redirect URI with TLS', 'medium other', { ...redirect, after: 'https://app.example/cb' }],
    [
      'a redirect URI with an open host',
      'medium other',
      { ...redirect, after: 'https://x.{host.domain}/cb' },
    ],
    ['a redirect URI on this machine', 'medium other', { ...redirect, after: 'http://127.0.0.1:33418/' }],
    [
      'a new client',
      'medium pre-authorized-client',
      { place: 'api.preAuthorizedApplications', action: add, after: {} },
    ],
    [
      'another scope for a client',
      'medium pre-authorized-client',
      { place: 'api.preAuthorizedApplications.delegatedPermissionIds', action: add, after: ROLE },
    ],
    [
      'a client that goes',
      'low narrower',
      { place: 'api.preAuthorizedApplications', action: remove, before: {} },
    ],
    ['a new scope', 'medium scope-or-role', { place: 'api.oauth2PermissionScopes', action: add, after: {} }],
    ['a new role', 'medium scope-or-role', { place: 'appRoles', action: add, after: {} }],
    [
      'a scope that is switched off',
      'low narrower',
      { place: 'api.oauth2PermissionScopes.isEnabled', before: true, after: false },
    ],
    ['a new member', 'medium group-member', { ...member, action: add }],
    ['a member that goes', 'low narrower', { ...member, action: remove, before: ROLE }],
    [
      'an assigned group',
      'medium assignment',
      { ...assignment, after: ROLE, wanted: { appRoleId: ROLE }, isForPeople: true },
    ],
    ['a text', 'low text', { place: 'displayName', before: 'a', after: 'b' }],
    [
      'a text of a scope',
      'low text',
      { place: 'api.oauth2PermissionScopes.adminConsentDescription', before: 'a', after: 'b' },
    ],
    ['a tag', 'low text', { place: 'tags', action: add, after: 'x' }],
    ['anything else', 'medium other', { place: 'api.requestedAccessTokenVersion', before: 2, after: 1 }],
  ]
  for (const [name, expected, one] of cases) {
    it(`is ${expected} for ${name}`, () => assert.equal(graded(one), expected))
  }
})
