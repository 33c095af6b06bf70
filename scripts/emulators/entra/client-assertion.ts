import { X509Certificate } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose'
import type { Application, KeyCredential } from '../directory-objects.ts'
import { CLOCK_SKEW, type Entra, tokenEndpoints } from './entra.ts'
import { checkFederated } from './federation.ts'
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
  await verify(entra, certificateOf(key), assertion)
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

async function verify(entra: Entra, certificate: X509Certificate, assertion: string): Promise<void> {
  try {
    await jwtVerify(assertion, certificate.publicKey, {
      algorithms: ['PS256', 'RS256'],
      audience: tokenEndpoints(entra),
      currentDate: new Date(entra.now()),
      clockTolerance: CLOCK_SKEW,
      requiredClaims: ['exp'],
    })
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw refusals.client.assertionExpired()
    if (error instanceof errors.JWTClaimValidationFailed) {
      throw error.claim === 'aud' ? refusals.client.assertionAudience() : refusals.client.assertionExpired()
    }
    throw refusals.client.assertionSignature()
  }
}
