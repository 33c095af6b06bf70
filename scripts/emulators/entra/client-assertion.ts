import { X509Certificate } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose'
import type { Application, FederatedIdentityCredential, KeyCredential } from '../directory-objects.ts'
import { CLOCK_SKEW, type Entra, isOwnIssuer, tokenEndpoints, verifiedClaims } from './entra.ts'
import * as refusals from './refusals.ts'

/** Signed by the client's certificate when it speaks for itself, by another issuer when that vouches for it. */
export async function checkClientAssertion(
  entra: Entra,
  client: Application,
  assertion: string,
): Promise<void> {
  const { claims, header } = parse(assertion)
  if (claims.iss !== client.appId && claims.sub !== client.appId)
    return checkFederated(entra, client, assertion, claims)
  if (claims.iss !== claims.sub || claims.sub !== client.appId) throw refusals.client.assertionSubject()
  const key = client.keyCredentials.find((credential) => isNamedBy(certificateOf(credential), header))
  if (!key || Date.parse(key.endDateTime) <= entra.now()) throw refusals.client.assertionKey()
  await jwtVerify(assertion, certificateOf(key).publicKey, {
    algorithms: ['PS256', 'RS256'],
    audience: tokenEndpoints(entra),
    currentDate: new Date(entra.now()),
    clockTolerance: CLOCK_SKEW,
    requiredClaims: ['exp'],
  }).catch(refuseAssertion)
}

function parse(assertion: string): { claims: JWTPayload; header: ProtectedHeaderParameters } {
  try {
    return { claims: decodeJwt(assertion), header: decodeProtectedHeader(assertion) }
  } catch {
    throw refusals.client.assertionMalformed()
  }
}

const certificateOf = ({ key }: KeyCredential) => new X509Certificate(Buffer.from(key, 'base64'))

const thumbprint = (fingerprint: string) =>
  Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')

/** MSAL names the certificate by SHA-256 (`x5t#S256`); older clients by SHA-1 (`x5t`). */
function isNamedBy(certificate: X509Certificate, header: ProtectedHeaderParameters): boolean {
  const sha256 = header['x5t#S256']
  if (sha256 !== undefined) return sha256 === thumbprint(certificate.fingerprint256)
  return header.x5t !== undefined && header.x5t === thumbprint(certificate.fingerprint)
}

/** Entra's own names for the issuer count as one: a credential may be written for the real host. */
const sameIssuer = (entra: Entra, credential: FederatedIdentityCredential, issuer: string) =>
  credential.issuer === issuer || (isOwnIssuer(entra, credential.issuer) && isOwnIssuer(entra, issuer))

/** A managed identity's token names the exchange by its app id, the credential by its URI. */
function sameAudience(
  { directory }: Entra,
  { audiences }: FederatedIdentityCredential,
  audience: string,
): boolean {
  return audiences.some((name) => name === audience || directory.resource(name)?.appId === audience)
}

/** Throws AADSTS70025, 700211, 700212, 700213 or 7002138, and those of a bad signature. */
async function checkFederated(
  entra: Entra,
  client: Application,
  assertion: string,
  { iss = '', sub = '', aud }: JWTPayload,
): Promise<void> {
  const credentials = client.federatedIdentityCredentials
  if (credentials.length === 0) throw refusals.client.noFederation(client)
  const issued = credentials.filter((credential) => sameIssuer(entra, credential, iss))
  if (issued.length === 0) throw refusals.client.federatedIssuer({ issuer: iss })
  const named = issued.filter(({ subject }) => subject === sub)
  if (named.length === 0) {
    const nearly = issued.some(({ subject }) => subject.toLowerCase() === sub.toLowerCase())
    throw nearly
      ? refusals.client.federatedSubjectCase({ subject: sub })
      : refusals.client.federatedSubject({ subject: sub })
  }
  const audience = typeof aud === 'string' ? aud : ''
  if (!named.some((credential) => sameAudience(entra, credential, audience))) {
    throw refusals.client.federatedAudience({ audience })
  }
  const keys = isOwnIssuer(entra, iss) ? entra.keys.published : entra.interventions.keysOf(iss)
  // An issuer whose keys are not at hand has no signature we could trust.
  if (!keys) throw refusals.client.assertionSignature()
  await verifiedClaims(entra, assertion, { clockTolerance: CLOCK_SKEW }, keys).catch(refuseAssertion)
}

function refuseAssertion(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw refusals.client.assertionExpired()
  if (!(error instanceof errors.JWTClaimValidationFailed)) throw refusals.client.assertionSignature()
  throw error.claim === 'aud' ? refusals.client.assertionAudience() : refusals.client.assertionExpired()
}
