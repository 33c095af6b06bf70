/** What somebody adds to a directory by hand, who is up to something: each gives access that nobody declared. */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Directory } from '../../../scripts/emulators/directory.ts'
import type { Grade } from '../../../scripts/whatif/risk.ts'
import type { Hand } from './mutations.ts'

const app = (directory: Directory, kind: 'api' | 'dev' | 'client') => {
  const found = directory.applications.find(({ uniqueName }) =>
    uniqueName?.startsWith(`mcp-expenses-${kind}-`),
  )
  if (!found) throw new Error(`The directory has no ${kind} app.`)
  return found
}
const principal = (directory: Directory, kind: 'api' | 'dev' | 'client') => {
  const found = directory.servicePrincipal(app(directory, kind).appId)
  if (!found) throw new Error(`The ${kind} app has no service principal.`)
  return found
}
const graph = (directory: Directory) =>
  directory.servicePrincipal('00000003-0000-0000-c000-000000000000')?.id ?? ''
const user = (directory: Directory, at = 0) => directory.users[at]?.id ?? ''
const stranger = (directory: Directory) => {
  const id = randomUUID()
  directory.servicePrincipals.push({
    id,
    appId: randomUUID(),
    displayName: 'Stranger',
    servicePrincipalType: 'Application',
    accountEnabled: true,
    appRoleAssignmentRequired: false,
  })
  return id
}
const certificate = () => ({
  keyId: randomUUID(),
  displayName: 'by hand',
  type: 'AsymmetricX509Cert' as const,
  usage: 'Verify' as const,
  key: 'MIIB',
  startDateTime: '2026-01-01T00:00:00Z',
  endDateTime: '2030-01-01T00:00:00Z',
})
const secret = () => ({
  keyId: randomUUID(),
  displayName: 'by hand',
  hint: 'abc',
  startDateTime: '2026-01-01T00:00:00Z',
  endDateTime: '2030-01-01T00:00:00Z',
})
const credential = () => ({
  id: randomUUID(),
  name: 'by-hand',
  issuer: 'https://token.actions.githubusercontent.com',
  subject: 'repo:evil/repo:ref:refs/heads/main',
  audiences: ['api://AzureADTokenExchange'],
  description: null,
})
const assigned = (
  directory: Directory,
  principalId: string,
  principalType: 'User' | 'Group' | 'ServicePrincipal',
  resourceId: string,
  appRoleId = '00000000-0000-0000-0000-000000000000',
) =>
  void directory.appRoleAssignments.push({
    id: randomUUID(),
    principalId,
    principalType,
    resourceId,
    appRoleId,
  })
const granted = (
  directory: Directory,
  clientId: string,
  resourceId: string,
  scope: string,
  principalId?: string,
) =>
  void directory.oauth2PermissionGrants.push({
    id: randomUUID(),
    clientId,
    resourceId,
    scope,
    consentType: principalId ? 'Principal' : 'AllPrincipals',
    principalId: principalId ?? null,
  })

export interface Addition {
  add: (hand: Pick<Hand, 'directory'>) => void
  grade: Grade
}
const high = (add: Addition['add']): Addition => ({ add, grade: 'high' })
const low = (add: Addition['add']): Addition => ({ add, grade: 'low' })
const medium = (add: Addition['add']): Addition => ({ add, grade: 'medium' })

export const ADDITIONS: Readonly<Record<string, Addition>> = {
  'a secret on the API app': high(
    ({ directory }) => void app(directory, 'api').passwordCredentials.push(secret()),
  ),
  'a secret on the dev app, called like one of ours': high(
    ({ directory }) =>
      void app(directory, 'dev').passwordCredentials.push({
        ...secret(),
        displayName: 'mcp-expenses developer secret (x, y)',
      }),
  ),
  'a certificate on the API app': high(
    ({ directory }) => void app(directory, 'api').keyCredentials.push(certificate()),
  ),
  'a certificate on the dev app': high(
    ({ directory }) => void app(directory, 'dev').keyCredentials.push(certificate()),
  ),
  'a secret on a service principal': high(({ directory }) => {
    principal(directory, 'api').passwordCredentials = [secret()]
  }),
  'a certificate on a service principal': high(({ directory }) => {
    principal(directory, 'client').keyCredentials = [certificate()]
  }),
  'a federated credential on the API app': high(
    ({ directory }) => void app(directory, 'api').federatedIdentityCredentials.push(credential()),
  ),
  'a federated credential on the public client': high(
    ({ directory }) => void app(directory, 'client').federatedIdentityCredentials.push(credential()),
  ),
  'an owner of the API app': high(({ directory }) => void app(directory, 'api').owners.push(user(directory))),
  'an owner of a service principal': high(
    ({ directory }) => void principal(directory, 'dev').owners?.push(user(directory)),
  ),
  'an owner of the admin group': high(
    ({ directory }) => void directory.groups[0]?.owners.push(user(directory)),
  ),
  'a user assigned directly': medium(({ directory }) =>
    assigned(directory, user(directory), 'User', principal(directory, 'api').id),
  ),
  'a group assigned': medium(({ directory }) => {
    const id = randomUUID()
    const [like] = directory.groups
    if (like)
      directory.groups.push({ ...structuredClone(like), id, uniqueName: null, displayName: 'Strangers' })
    assigned(directory, id, 'Group', principal(directory, 'api').id)
  }),
  'a service assigned directly': high(({ directory }) =>
    assigned(directory, stranger(directory), 'ServicePrincipal', principal(directory, 'api').id),
  ),
  'an application permission of Graph for the API app': high(({ directory }) =>
    assigned(
      directory,
      principal(directory, 'api').id,
      'ServicePrincipal',
      graph(directory),
      '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
    ),
  ),
  'Mail.Read consented for everybody': high(({ directory }) => {
    const grant = directory.oauth2PermissionGrants.find(
      ({ clientId }) => clientId === principal(directory, 'api').id,
    )
    if (grant) grant.scope += ' Mail.Read'
  }),
  'Mail.Read consented for one user': medium(({ directory }) =>
    granted(directory, principal(directory, 'api').id, graph(directory), 'Mail.Read', user(directory)),
  ),
  'a consent of the public client': high(({ directory }) =>
    granted(directory, principal(directory, 'client').id, graph(directory), 'Mail.Read'),
  ),
  "a stranger's consent for our API, for everybody": high(({ directory }) =>
    granted(directory, stranger(directory), principal(directory, 'api').id, 'user_impersonation'),
  ),
  "a stranger's consent for our API, for one user": medium(({ directory }) =>
    granted(
      directory,
      stranger(directory),
      principal(directory, 'api').id,
      'user_impersonation',
      user(directory),
    ),
  ),
  'optional claims': high(({ directory }) => {
    app(directory, 'api').optionalClaims = { accessToken: [{ name: 'upn' }], idToken: [], saml2Token: [] }
  }),
  'a known client application': high(({ directory }) => {
    app(directory, 'api').api.knownClientApplications = [randomUUID()]
  }),
  'mapped claims': high(({ directory }) => {
    app(directory, 'api').api.acceptMappedClaims = true
  }),
  'a redirect URI of the public client': high(
    ({ directory }) =>
      void app(directory, 'client').publicClient.redirectUris.push('https://evil.example/cb'),
  ),
  'a web redirect URI of the API app': high(
    ({ directory }) => void app(directory, 'api').web.redirectUris.push('https://evil.example/cb'),
  ),
  'a single-page redirect URI of the dev app': high(({ directory }) => {
    app(directory, 'dev').spa = { redirectUris: ['https://evil.example/cb'] }
  }),
  'an identifier URI on another host': high(
    ({ directory }) => void app(directory, 'api').identifierUris.push('https://evil.example/mcp'),
  ),
  'identifier URIs swapped to another host of the same shape': high(({ directory }) => {
    const api = app(directory, 'api')
    api.identifierUris = api.identifierUris.map((uri) =>
      uri.replace('gentlesea-1a2b3c4d', 'gentlesea-9z8y7x6w'),
    )
  }),
  'implicit grant': high(({ directory }) => {
    app(directory, 'client').web.implicitGrantSettings = {
      enableAccessTokenIssuance: true,
      enableIdTokenIssuance: false,
    }
  }),
  'public-client flows': high(({ directory }) => {
    app(directory, 'api').isFallbackPublicClient = true
  }),
  'the lock switched off': high(({ directory }) => {
    const { servicePrincipalLockConfiguration: lock } = app(directory, 'api')
    if (lock) lock.isEnabled = false
  }),
  'tokens of version 1': high(({ directory }) => {
    app(directory, 'api').api.requestedAccessTokenVersion = 1
  }),
  'accounts of other tenants': high(({ directory }) => {
    app(directory, 'api').signInAudience = 'AzureADMultipleOrgs'
  }),
  'the assignment requirement switched off': high(({ directory }) => {
    principal(directory, 'api').appRoleAssignmentRequired = false
  }),
  'sign-in switched off': high(({ directory }) => {
    principal(directory, 'api').accountEnabled = false
  }),
  'another subject of the federated credential': high(({ directory }) => {
    const [own] = app(directory, 'api').federatedIdentityCredentials
    if (own) own.subject = randomUUID()
  }),
  'another issuer of the federated credential': high(({ directory }) => {
    const [own] = app(directory, 'api').federatedIdentityCredentials
    if (own) own.issuer = 'https://evil.example'
  }),
  'a pre-authorized client': medium(
    ({ directory }) =>
      void app(directory, 'api').api.preAuthorizedApplications.push({
        appId: randomUUID(),
        delegatedPermissionIds: app(directory, 'api').api.oauth2PermissionScopes.map(({ id }) => id),
      }),
  ),
  'an application permission asked for': high(
    ({ directory }) =>
      void app(directory, 'api').requiredResourceAccess.push({
        resourceAppId: '797f4846-ba00-4fd7-ba43-dac1f8f63013',
        resourceAccess: [{ id: randomUUID(), type: 'Role' }],
      }),
  ),
  'a delegated permission asked for': medium(
    ({ directory }) =>
      void app(directory, 'api').requiredResourceAccess.push({
        resourceAppId: '797f4846-ba00-4fd7-ba43-dac1f8f63013',
        resourceAccess: [{ id: '41094075-9dad-400e-a0bd-54e686782033', type: 'Scope' }],
      }),
  ),
  'a scope': medium(({ directory }) => {
    const { oauth2PermissionScopes: scopes } = app(directory, 'api').api
    const [like] = scopes
    if (like) scopes.push({ ...like, id: randomUUID(), value: 'by.hand', isEnabled: false })
  }),
  'group claims in tokens': high(({ directory }) => {
    app(directory, 'api').groupMembershipClaims = 'All'
  }),
  notes: low(({ directory }) => {
    app(directory, 'api').notes = 'by hand'
  }),
  'a tag': low(({ directory }) => void app(directory, 'api').tags?.push('by-hand')),
  'a dynamic membership rule': high(({ directory }) => {
    const [group] = directory.groups
    if (group)
      Object.assign(group, { groupTypes: ['DynamicMembership'], membershipRule: 'user.department -eq "x"' })
  }),
  'a group that directory roles can be given': high(({ directory }) => {
    const [group] = directory.groups
    if (group) group.isAssignableToRole = true
  }),
}

const KINDS = ['api', 'dev', 'client'] as const
const where = fc.constantFrom(...KINDS)
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,11}$/)
/** Not the deployer, whom Entra itself makes an owner of what is new. */
const somebody = fc.nat(2)
const scopes = fc.array(word, { minLength: 1, maxLength: 3 }).map((all) => all.join(' '))

type Add = Addition['add']
const anywhere = <T>(
  value: fc.Arbitrary<T>,
  add: (directory: Directory, at: (typeof KINDS)[number], value: T) => void,
) =>
  fc.tuple(where, value).map(
    ([at, one]): Add =>
      ({ directory }) =>
        add(directory, at, one),
  )

/** One thing more in the directory, whatever it is called and wherever it hangs. */
export const anyAddition: fc.Arbitrary<Add> = fc.oneof(
  anywhere(word, (directory, at, displayName) =>
    app(directory, at).passwordCredentials.push({ ...secret(), displayName }),
  ),
  anywhere(word, (directory, at, displayName) =>
    app(directory, at).keyCredentials.push({ ...certificate(), displayName }),
  ),
  anywhere(word, (directory, at, displayName) => {
    principal(directory, at).passwordCredentials = [{ ...secret(), displayName }]
  }),
  anywhere(fc.tuple(word, fc.webUrl(), word), (directory, at, [name, issuer, subject]) =>
    app(directory, at).federatedIdentityCredentials.push({ ...credential(), name, issuer, subject }),
  ),
  anywhere(somebody, (directory, at, which) => app(directory, at).owners.push(user(directory, which))),
  anywhere(somebody, (directory, at, which) => principal(directory, at).owners?.push(user(directory, which))),
  anywhere(somebody, (directory, at, which) =>
    assigned(directory, user(directory, which), 'User', principal(directory, at).id),
  ),
  anywhere(fc.uuid(), (directory, at, role) =>
    assigned(directory, stranger(directory), 'ServicePrincipal', principal(directory, at).id, role),
  ),
  anywhere(fc.uuid(), (directory, at, role) =>
    assigned(directory, principal(directory, at).id, 'ServicePrincipal', graph(directory), role),
  ),
  anywhere(scopes, (directory, at, scope) =>
    granted(directory, principal(directory, at).id, stranger(directory), scope),
  ),
  anywhere(fc.tuple(scopes, somebody), (directory, at, [scope, which]) =>
    granted(directory, stranger(directory), principal(directory, at).id, scope, user(directory, which)),
  ),
  anywhere(
    fc.tuple(fc.constantFrom('web', 'spa', 'publicClient'), fc.webUrl()),
    (directory, at, [platform, uri]) => {
      const one = app(directory, at)
      const { redirectUris = [] } = one[platform] ?? {}
      Object.assign(one, { [platform]: { ...one[platform], redirectUris: [...redirectUris, uri] } })
    },
  ),
  anywhere(fc.webUrl(), (directory, at, uri) => app(directory, at).identifierUris.push(uri)),
  anywhere(fc.uuid(), (directory, at, id) => {
    app(directory, at).api.knownClientApplications = [id]
  }),
  anywhere(
    fc.tuple(fc.constantFrom('idToken', 'accessToken', 'saml2Token'), word),
    (directory, at, [token, name]) => {
      const none = { idToken: [], accessToken: [], saml2Token: [] }
      app(directory, at).optionalClaims = { ...none, [token]: [{ name }] }
    },
  ),
)
