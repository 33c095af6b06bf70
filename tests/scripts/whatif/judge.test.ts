import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { decideExitCode } from '../../../scripts/whatif/report.ts'
import { findHighest } from '../../../scripts/whatif/risk.ts'
import type { WhatIf } from '../../../scripts/whatif/whatif.ts'
import { declaration, withoutCompiler } from '../graph/directory-harness.ts'
import { ADDITIONS } from './additions.ts'
import { type Question, type Rehearsal, startRehearsal } from './rehearsal.ts'

const PAGE = new URL('../../../docs/whatif.md', import.meta.url)
const INFRA = new URL('../../../infra/', import.meta.url)

const gradesOf = ({ changes, unmanaged }: WhatIf) => [
  ...changes.flatMap(({ properties }) => properties.map(({ risk }) => risk)),
  ...unmanaged,
]
const said = (result: WhatIf): string => {
  const { changes, unmanaged } = result
  const kinds = [...(changes.length > 0 ? ['change'] : []), ...(unmanaged.length > 0 ? ['unmanaged'] : [])]
  return kinds.length === 0 ? 'nothing' : `${kinds.join(', ')}: ${findHighest(gradesOf(result))}`
}

/** Pull requests: what is changed in which file of infra/, and how the what-if grades it. */
const PROPOSALS: Readonly<Record<string, [grade: string, file: string, from: string, to: string]>> = {
  'a certificate on the API app': [
    'high',
    'identity.bicep',
    '  keyCredentials: []\n  servicePrincipalLockConfiguration: credentialsLocked\n  tags: tags\n  serviceManagementReference: serviceReference\n}\n\nresource apiPrincipal',
    "  keyCredentials: [{ displayName: 'x', type: 'AsymmetricX509Cert', usage: 'Verify', key: 'TUlJQg==', endDateTime: '2030-01-01T00:00:00Z' }]\n  servicePrincipalLockConfiguration: credentialsLocked\n  tags: tags\n  serviceManagementReference: serviceReference\n}\n\nresource apiPrincipal",
  ],
  'the lock switched off': [
    'high',
    'identity.bicep',
    '  isEnabled: true\n  allProperties',
    '  isEnabled: false\n  allProperties',
  ],
  'implicit grant': [
    'high',
    'identity.bicep',
    'enableAccessTokenIssuance: false',
    'enableAccessTokenIssuance: true',
  ],
  'public-client flows': [
    'high',
    'identity.bicep',
    '  isFallbackPublicClient: false\n  web: noImplicitGrant\n  spa: { redirectUris: [] }\n  publicClient',
    '  isFallbackPublicClient: true\n  web: noImplicitGrant\n  spa: { redirectUris: [] }\n  publicClient',
  ],
  'tokens of version 1': [
    'high',
    'identity.bicep',
    'requestedAccessTokenVersion: 2',
    'requestedAccessTokenVersion: 1',
  ],
  'mapped claims': [
    'high',
    'identity.bicep',
    'api: { requestedAccessTokenVersion: 2',
    'api: { acceptMappedClaims: true, requestedAccessTokenVersion: 2',
  ],
  'accounts of other tenants': ['high', 'identity.bicep', "'AzureADMyOrg'", "'AzureADMultipleOrgs'"],
  'a web redirect URI on a new host': [
    'high',
    'identity.bicep',
    'var noImplicitGrant = {\n  redirectUris: []',
    "var noImplicitGrant = {\n  redirectUris: ['https://evil.example/cb']",
  ],
  'a single-page redirect URI on a new host': [
    'high',
    'identity.bicep',
    '  spa: { redirectUris: [] }',
    "  spa: { redirectUris: ['https://evil.example/cb'] }",
  ],
  'a redirect URI with a scheme of its own': [
    'high',
    'identity.bicep',
    '  spa: { redirectUris: [] }',
    "  spa: { redirectUris: ['evil:/cb'] }",
  ],
  'a redirect URI on this machine': [
    'low',
    'identity.bicep',
    '  spa: { redirectUris: [] }',
    "  spa: { redirectUris: ['http://localhost:3000/cb'] }",
  ],
  'an identifier URI on a new host': [
    'high',
    'identity.bicep',
    "{api.appId}']\n  )",
    "{api.appId}', 'https://evil.example/mcp']\n  )",
  ],
  'an identifier URI without a host': [
    'medium',
    'identity.bicep',
    "{api.appId}']\n  )",
    "{api.appId}', 'api://expenses']\n  )",
  ],
  'the assignment requirement switched off': [
    'high',
    'identity.bicep',
    'appRoleAssignmentRequired: restrictToAssignedUsers',
    'appRoleAssignmentRequired: false',
  ],
  'sign-in switched off': ['high', 'identity.bicep', 'accountEnabled: true', 'accountEnabled: false'],
  'an owner of the API app': [
    'high',
    'identity.bicep',
    "  signInAudience: 'AzureADMyOrg'\n  api: {",
    "  owners: { relationships: ['a0111a00-0000-4000-8000-000000000009'] }\n  signInAudience: 'AzureADMyOrg'\n  api: {",
  ],
  'an app role that only users can hold': [
    'medium',
    'permissions.json',
    '"title": "Records and lists expenses",\n      "scopes": [],\n      "appRoles": [',
    '"title": "Records and lists expenses", "scopes": [], "appRoles": [{ "id": "5c6d7e8f-9012-4a3b-8c4d-5e6f70819203", "value": "Auditor", "allowedMemberTypes": ["User"], "displayName": "Auditor", "description": "Reads." },',
  ],
  'a service that may report': [
    'high',
    'permissions.json',
    '"services": []',
    '"services": [{ "name": "Nightly report", "principalId": "5c6d7e8f-9012-4a3b-8c4d-5e6f70819205", "roles": ["Expenses.Report"] }]',
  ],
  'a wider consent': [
    'high',
    'permissions.json',
    '"downstreamPermissions": [\n        {\n          "api": "graph"',
    '"downstreamPermissions": [{ "api": "graph", "value": "Mail.Read", "id": "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", "reason": "x" }, { "api": "graph"',
  ],
  'a pre-authorized client': [
    'medium',
    'permissions.json',
    '"clients": [',
    '"clients": [{ "name": "Another", "appId": "11111111-2222-4333-8444-555555555555" },',
  ],
  'a scope': [
    'medium',
    'permissions.json',
    '{\n  "scopes": [',
    '{ "scopes": [{ "value": "expenses.read", "id": "5c6d7e8f-9012-4a3b-8c4d-5e6f70819204", "type": "User", "isEnabled": false, "adminConsentDisplayName": "x", "adminConsentDescription": "x", "userConsentDisplayName": "x", "userConsentDescription": "x" },',
  ],
  'a scope that users may no longer consent to': [
    'low',
    'permissions.json',
    '"type": "User"',
    '"type": "Admin"',
  ],
  'another text': ['low', 'identity.bicep', 'Sees statistics over all users.', 'Sees all statistics.'],
  'a tag': ['low', 'identity.bicep', "{identityToken}']", "{identityToken}', 'team:x']"],
  'a group that directory roles can be given': [
    'high',
    'identity.bicep',
    '  securityEnabled: true\n  // append',
    '  securityEnabled: true\n  isAssignableToRole: true\n  // append',
  ],
  'group claims in tokens': [
    'high',
    'identity.bicep',
    "groupMembershipClaims: 'None'",
    "groupMembershipClaims: 'All'",
  ],
}

describe('one judge of identities', { skip: withoutCompiler }, () => {
  let tenant: Rehearsal
  let clean: ReturnType<Rehearsal['save']>
  const byHand: string[][] = []
  const proposed: string[][] = []
  before(async () => {
    tenant = await startRehearsal()
    await tenant.up()
    clean = tenant.save()
  })
  after(() => tenant.stop())
  const found = (question: Question = {}) => tenant.ask({ perspective: 'found', ...question })

  it('says nothing of a directory as it was deployed', async () => {
    for (const result of [await tenant.ask(), await found()]) assert.equal(said(result), 'nothing')
  })

  for (const [name, { add, grade }] of Object.entries(ADDITIONS)) {
    it(`sees ${name} and grades it ${grade}`, async () => {
      clean.restore()
      add({ directory: tenant.directory })
      const [drift, whatIf] = [await found(), await tenant.ask()]
      clean.restore()
      assert.equal(said(drift).split(': ')[1], grade, JSON.stringify(gradesOf(drift)))
      assert.notEqual(said(whatIf), 'nothing')
      assert.equal(decideExitCode(drift, 'any'), 2)
      assert.equal(decideExitCode(drift, 'high'), grade === 'high' ? 2 : 0)
      byHand.push([name, said(whatIf), said(drift)])
    })
  }

  for (const [name, [grade, file, from, to]] of Object.entries(PROPOSALS)) {
    it(`grades ${name} in a pull request ${grade}`, async () => {
      clean.restore()
      const text = await readFile(new URL(file, INFRA), 'utf8')
      assert.ok(text.includes(from), `infra/${file} has changed: ${from}`)
      const changed = text.replaceAll(from, () => to)
      const permissions = file === 'permissions.json' ? JSON.parse(changed) : await declaration()
      const result = await tenant.ask({ files: { [file]: changed }, permissions })
      assert.equal(findHighest(gradesOf(result)), grade, JSON.stringify(gradesOf(result)))
      assert.ok(result.changes.length > 0)
      proposed.push([name, said(result)])
    })
  }

  it('has its table in docs/whatif.md', async () => {
    const row = (cells: string[]) => `| ${cells.join(' | ')} |`
    const table = (heads: string[], rows: string[][]) =>
      [heads, heads.map(() => '---'), ...rows].map(row).join('\n')
    const text = [
      table(['by hand', '`whatif`', '`verify` and drift'], byHand),
      table(['in a pull request', '`whatif`'], proposed),
    ].join('\n\n')
    const page = await readFile(PAGE, 'utf8')
    const [start, end] = ['<!-- judge: generated -->\n', '\n<!-- /judge -->']
    const current = page.slice(page.indexOf(start) + start.length, page.indexOf(end))
    if (process.env.RENEW_GOLDEN)
      await writeFile(
        PAGE,
        page.replace(start + current + end, () => start + text + end),
      )
    else assert.equal(current, text, 'RENEW_GOLDEN=1 npx node --test tests/scripts/whatif/judge.test.ts')
  })
})
