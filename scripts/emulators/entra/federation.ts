import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Application, FederatedIdentityCredential } from '../directory-objects.ts'
import { CLOCK_SKEW, type Entra, isOwnIssuer } from './entra.ts'
import * as refusals from './refusals.ts'

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
export async function checkFederated(
  entra: Entra,
  client: Application,
  assertion: string,
  { iss = '', sub = '', aud }: JWTPayload,
): Promise<void> {
  const credentials = client.federatedIdentityCredentials
  if (credentials.length === 0) throw refusals.client.noFederation(client)
  const issued = credentials.filter((credential) => sameIssuer(entra, credential, iss))
  if (issued.length === 0) throw refusals.client.federatedIssuer(iss)
  const named = issued.filter(({ subject }) => subject === sub)
  if (named.length === 0) {
    const nearly = issued.some(({ subject }) => subject.toLowerCase() === sub.toLowerCase())
    throw nearly ? refusals.client.federatedSubjectCase(sub) : refusals.client.federatedSubject(sub)
  }
  const audience = typeof aud === 'string' ? aud : ''
  if (!named.some((credential) => sameAudience(entra, credential, audience))) {
    throw refusals.client.federatedAudience(audience)
  }
  await verify(entra, assertion, iss)
}

/** Only the tenant's own keys are at hand: an assertion of any other issuer has no signature we could trust. */
async function verify(entra: Entra, assertion: string, issuer: string): Promise<void> {
  if (!isOwnIssuer(entra, issuer)) throw refusals.client.assertionSignature()
  try {
    await jwtVerify(assertion, createLocalJWKSet({ keys: entra.keys.published }), {
      algorithms: ['RS256'],
      currentDate: new Date(entra.now()),
      clockTolerance: CLOCK_SKEW,
      requiredClaims: ['exp'],
    })
  } catch (error) {
    const inTime = !(error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed)
    throw inTime ? refusals.client.assertionSignature() : refusals.client.assertionExpired()
  }
}
