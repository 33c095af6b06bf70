import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Fact } from '../../../scripts/whatif/risk.ts'
import { gradeRisk, RULES, reverse } from '../../../scripts/whatif/risk-rules.ts'
import { unknown } from './unknown.ts'

const TENANT = '4f6c2b1e-9a57-4d0f-8c3d-5e1b7a902c64'
const ROLE = 'aaaaaaaa-0000-4000-8000-000000000001'
const NONE = '00000000-0000-0000-0000-000000000000'

type Case = Partial<Omit<Fact, 'difference'>> &
  Pick<Fact['difference'], 'place'> &
  Partial<Fact['difference']>

function graded({ place, action = 'change', before, after, type = 'applications', ...fact }: Case) {
  const { grade, rule, reason } = gradeRisk({
    desired: {},
    isNew: false,
    tenantId: TENANT,
    hosts: new Set(['known.example']),
    domains: ['made.example'],
    isAdopted: false,
    isTrusted: false,
    assignee: undefined,
    isUserRole: false,
    nameOf: (value) => String(value),
    ...fact,
    type,
    difference: { action, place, path: place, before, after },
  })
  assert.match(reason, /\.$/)
  return `${grade} ${rule}`
}

const add = 'add'
const remove = 'remove'
const uri = { place: 'identifierUris', action: add } as const
const redirect = { place: 'web.redirectUris', action: add } as const
const credential = { type: 'applications/federatedIdentityCredentials' } as const
const assignment = { type: 'appRoleAssignedTo', place: 'appRoleId', action: add, after: ROLE } as const
const withRole = { desired: { appRoleId: ROLE } }
const access = { place: 'requiredResourceAccess', action: add } as const
const required = { type: 'servicePrincipals', place: 'appRoleAssignmentRequired' } as const
const grant = { type: 'oauth2PermissionGrants', place: 'scope', action: add, after: 'Mail.Read' } as const
const hostOf = (isMade: boolean) => unknown('https://ca-x.{environment.defaultDomain}/mcp', { isMade })

const CASES: readonly [name: string, expected: string, one: Case][] = [
  ['anything that no rule names', 'high other', { place: 'somethingNew', before: 1, after: 2 }],
  [
    'anything of a new object that no rule names',
    'high other',
    { place: 'somethingNew', isNew: true, after: 'x' },
  ],
  [
    'a value that goes and that no rule names',
    'high other',
    { place: 'somethingNew', action: remove, before: 'x' },
  ],
  ['a consent for everybody', 'high consent', { ...grant, desired: { consentType: 'AllPrincipals' } }],
  ['a consent for one', 'medium consent-of-one', { ...grant, desired: { consentType: 'Principal' } }],
  ['a granted application permission', 'high application-permission', { ...assignment, ...withRole }],
  ['a role for people', 'medium assignment', { ...assignment, ...withRole, assignee: 'people' }],
  ['a role that only users can hold', 'medium assignment', { ...assignment, ...withRole, isUserRole: true }],
  [
    'a service that is assigned',
    'high application-permission',
    { ...assignment, desired: { appRoleId: NONE }, assignee: 'service' },
  ],
  [
    'an assigned group',
    'medium assignment',
    { ...assignment, desired: { appRoleId: NONE }, assignee: 'people' },
  ],
  ['an assignment that goes', 'low narrower', { ...assignment, action: remove }],
  [
    'an application permission that is asked for',
    'high application-permission',
    { ...access, after: { resourceAccess: [{ id: ROLE, type: 'Role' }] } },
  ],
  [
    'a delegated permission that is asked for',
    'medium requested-permission',
    { ...access, after: { resourceAccess: [{ id: ROLE, type: 'Scope' }] } },
  ],
  [
    'a new federated credential',
    'high federated-credential',
    { ...credential, place: 'subject', action: add, after: 'x', isNew: true },
  ],
  [
    'a new wildcard credential',
    'high federated-credential',
    {
      ...credential,
      place: 'claimsMatchingExpression.value',
      action: add,
      after: "claims['sub'] matches '*'",
      isNew: true,
    },
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
    'another audience',
    'high federated-credential',
    { ...credential, place: 'audiences', action: add, after: 'y' },
  ],
  ['an audience that goes', 'high other', { ...credential, place: 'audiences', action: remove, before: 'y' }],
  [
    'a secret that is present',
    'high credential',
    { place: 'passwordCredentials', action: remove, before: { keyId: ROLE } },
  ],
  ['a certificate', 'high credential', { place: 'keyCredentials', action: add, after: { keyId: ROLE } }],
  [
    'a certificate of a new app',
    'high credential',
    { place: 'keyCredentials', action: add, after: { keyId: ROLE }, isNew: true },
  ],
  [
    'the lock switched off',
    'high lock',
    { place: 'servicePrincipalLockConfiguration.isEnabled', before: true, after: false },
  ],
  [
    'the lock switched on',
    'low narrower',
    { place: 'servicePrincipalLockConfiguration.isEnabled', before: false, after: true },
  ],
  [
    'a new app without lock',
    'high lock',
    { place: 'servicePrincipalLockConfiguration.isEnabled', action: add, after: false, isNew: true },
  ],
  [
    'accounts of other tenants',
    'high audience',
    { place: 'signInAudience', before: 'AzureADMyOrg', after: 'AzureADMultipleOrgs' },
  ],
  [
    'an audience that nobody knows',
    'high audience',
    { place: 'signInAudience', before: 'AzureADMyOrg', after: 'Everybody' },
  ],
  [
    'a new app for other tenants',
    'high audience',
    { place: 'signInAudience', action: add, after: 'AzureADMultipleOrgs', isNew: true },
  ],
  [
    'a new app for this tenant',
    'low new-object',
    { place: 'signInAudience', action: add, after: 'AzureADMyOrg', isNew: true },
  ],
  [
    'this tenant only again',
    'low narrower',
    { place: 'signInAudience', before: 'AzureADMultipleOrgs', after: 'AzureADMyOrg' },
  ],
  ['assignment no longer required', 'high sign-in', { ...required, before: true, after: false }],
  ['assignment required', 'high sign-in', { ...required, before: false, after: true }],
  [
    'sign-in switched off',
    'high sign-in',
    { type: 'servicePrincipals', place: 'accountEnabled', before: true, after: false },
  ],
  [
    'a new service principal that is on',
    'low new-object',
    { type: 'servicePrincipals', place: 'accountEnabled', action: add, after: true, isNew: true },
  ],
  ['tokens of version 1', 'high token', { place: 'api.requestedAccessTokenVersion', before: 2, after: 1 }],
  ['tokens of version 2', 'low narrower', { place: 'api.requestedAccessTokenVersion', before: 1, after: 2 }],
  ['mapped claims', 'high token', { place: 'api.acceptMappedClaims', action: add, after: true }],
  [
    'optional claims',
    'high token',
    { place: 'optionalClaims.accessToken', action: add, after: { name: 'upn' } },
  ],
  [
    'what a client can do, in its tokens',
    'low capability',
    { place: 'optionalClaims.accessToken', action: add, after: { name: 'xms_cc' } },
  ],
  [
    'whether a token is of an app, in the token',
    'low capability',
    { place: 'optionalClaims.accessToken', action: add, after: { name: 'idtyp' } },
  ],
  [
    'implicit grant',
    'high flow',
    { place: 'web.implicitGrantSettings.enableIdTokenIssuance', before: false, after: true },
  ],
  ['public-client flows', 'high flow', { place: 'isFallbackPublicClient', before: false, after: true }],
  [
    'public-client flows switched off',
    'low narrower',
    { place: 'isFallbackPublicClient', before: true, after: false },
  ],
  ['a new owner', 'high owner', { type: 'groups', place: 'owners', action: add, after: ROLE }],
  ['an owner that goes', 'low narrower', { type: 'groups', place: 'owners', action: remove, before: ROLE }],
  [
    'an object of somebody else',
    'high adoption',
    { place: 'tags', action: add, after: 'azd-env-name:dev', isAdopted: true },
  ],
  ['a URI on another host', 'high foreign-address', { ...uri, after: 'https://elsewhere.example/mcp' }],
  [
    'a URI on a host of a new app',
    'medium new-address',
    { ...uri, isNew: true, hosts: new Set<string>(), after: 'https://elsewhere.example/mcp' },
  ],
  [
    'the same of an app that is consented to',
    'high foreign-address',
    {
      ...uri,
      isNew: true,
      isTrusted: true,
      hosts: new Set<string>(),
      after: 'https://elsewhere.example/mcp',
    },
  ],
  ['a URI on a host that the app uses', 'low known-address', { ...uri, after: 'https://known.example/v2' }],
  ['a name, which is no host', 'medium new-address', { ...uri, after: 'api://elsewhere' }],
  ['a name of a new app', 'low known-address', { ...uri, after: 'api://elsewhere', isNew: true }],
  ['a URI that the deployment makes', 'low known-address', { ...uri, after: hostOf(true) }],
  ['a URI of which nobody knows the host', 'high foreign-address', { ...uri, after: hostOf(false) }],
  [
    'a URI under a domain that the deployment has made',
    'low known-address',
    { ...uri, after: 'https://ca-x.made.example/mcp' },
  ],
  ['a URI on this machine', 'low known-address', { ...uri, after: 'http://localhost:8080/mcp' }],
  ['a redirect URI without TLS', 'high foreign-address', { ...redirect, after: 'http://known.example/cb' }],
  ['a redirect URI with a scheme of its own', 'high foreign-address', { ...redirect, after: 'myapp://cb' }],
  [
    'a redirect URI on another host',
    'high foreign-address',
    { ...redirect, after: 'https://app.example/cb' },
  ],
  [
    'a redirect URI of a new app',
    'medium new-address',
    { ...redirect, after: 'https://app.example/cb', isNew: true },
  ],
  [
    'a redirect URI with a wildcard, of a new app too',
    'high foreign-address',
    { ...redirect, after: 'https://*.app.example/cb', isNew: true },
  ],
  ['a redirect URI on this machine', 'low known-address', { ...redirect, after: 'http://127.0.0.1:33418/' }],
  [
    'a redirect URI that goes',
    'low narrower',
    { ...redirect, action: remove, before: 'https://app.example/cb' },
  ],
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
    'a scope that is switched on',
    'medium scope-or-role',
    { place: 'api.oauth2PermissionScopes.isEnabled', before: false, after: true },
  ],
  [
    'a scope that is switched off',
    'low narrower',
    { place: 'api.oauth2PermissionScopes.isEnabled', before: true, after: false },
  ],
  [
    'a scope that users may consent to',
    'high other',
    { place: 'api.oauth2PermissionScopes.type', before: 'Admin', after: 'User' },
  ],
  ['a new member', 'medium group-member', { type: 'groups', place: 'members', action: add, after: ROLE }],
  ['a member that goes', 'low narrower', { type: 'groups', place: 'members', action: remove, before: ROLE }],
  [
    'a group that directory roles can be given',
    'high other',
    { type: 'groups', place: 'isAssignableToRole', action: add, after: true, isNew: true },
  ],
  ['a text', 'low text', { place: 'displayName', before: 'a', after: 'b' }],
  [
    'a text of a scope',
    'low text',
    { place: 'api.oauth2PermissionScopes.adminConsentDescription', before: 'a', after: 'b' },
  ],
  ['a tag', 'low text', { place: 'tags', action: add, after: 'x' }],
]

describe('the risk of a change', () => {
  for (const [name, expected, one] of CASES)
    it(`is ${expected} for ${name}`, () => assert.equal(graded(one), expected))

  it('has a case for every rule', () => {
    const tried = new Set(CASES.map(([, expected]) => expected))
    assert.deepEqual(
      RULES.map(({ grade, name }) => `${grade} ${name}`).filter((rule) => !tried.has(rule)),
      [],
    )
  })

  it('of what somebody did is that of the difference turned round', () => {
    const gone = {
      action: 'remove',
      place: 'web.redirectUris',
      path: 'x',
      before: 'https://evil.example/cb',
    } as const
    assert.deepEqual(reverse(gone), { ...gone, action: 'add', before: undefined, after: gone.before })
  })
})
