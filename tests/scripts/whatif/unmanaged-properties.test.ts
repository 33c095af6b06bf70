import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ActualProperties } from '../../../scripts/whatif/properties.ts'
import { findUndeclared, findUnfamiliar } from '../../../scripts/whatif/unmanaged-properties.ts'

/** A fresh app registration as the Microsoft Graph v1.0 reference shows one. */
const FRESH: ActualProperties = {
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#applications/$entity',
  id: 'x',
  appId: 'y',
  createdDateTime: '2026-11-27T00:00:00Z',
  publisherDomain: 'contoso.com',
  signInAudience: 'AzureADMyOrg',
  isFallbackPublicClient: null,
  isDeviceOnlyAuthSupported: null,
  optionalClaims: null,
  addIns: [],
  info: { logoUrl: null, marketingUrl: null },
  parentalControlSettings: { countriesBlockedForMinors: [], legalAgeGroupRule: 'Allow' },
  servicePrincipalLockConfiguration: { isEnabled: true, allProperties: true },
  verifiedPublisher: { displayName: null },
  api: { requestedAccessTokenVersion: 2, knownClientApplications: [], acceptMappedClaims: null },
  web: {
    redirectUris: [],
    redirectUriSettings: [],
    implicitGrantSettings: { enableAccessTokenIssuance: false, enableIdTokenIssuance: false },
  },
}

const found = (actual: ActualProperties, desired = {}) =>
  findUndeclared({ key: 'x', type: 'applications', title: 'x' }, desired, actual).map(
    ({ kind, value, grade }) => `${grade} ${kind} ${value}`,
  )

describe('properties that nobody declared', () => {
  it('are none on a fresh app', () => {
    assert.deepEqual(found(FRESH), [])
    assert.deepEqual(findUnfamiliar('applications', FRESH), [])
  })

  it('are found at any depth, element by element, and named as an exception names them', () => {
    const actual = {
      ...FRESH,
      notes: 'x',
      signInAudience: 'AzureADMultipleOrgs',
      api: { acceptMappedClaims: true, requestedAccessTokenVersion: 2 },
      spa: { redirectUris: ['https://a.example', 'https://b.example'] },
      keyCredentials: [{ keyId: 'k-1', usage: 'Verify' }],
    }
    assert.deepEqual(found(actual), [
      'high signInAudience AzureADMultipleOrgs',
      'high api.acceptMappedClaims true',
      'low notes x',
      'high spa.redirectUris https://a.example',
      'high spa.redirectUris https://b.example',
      'high keyCredentials k-1',
    ])
  })

  it('are not what is declared: that is compared', () => {
    const actual = { ...FRESH, spa: { redirectUris: ['https://a.example'] }, notes: 'x' }
    assert.deepEqual(found(actual, { spa: { redirectUris: [] }, notes: 'y' }), [])
    assert.deepEqual(
      found(actual, { spa: {} }),
      ['low notes x', 'high spa.redirectUris https://a.example'].toReversed(),
    )
  })

  it('that are not known here are said, because nobody can grade them', () => {
    const actual = { ...FRESH, somethingNew: { mode: 'on' }, nothingNew: null }
    assert.deepEqual(found(actual), [])
    assert.deepEqual(findUnfamiliar('applications', actual), ['somethingNew'])
  })
})
