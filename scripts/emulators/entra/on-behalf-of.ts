import { errors, type JWTPayload } from 'jose'
import { z } from 'zod'
import type { Application } from '../directory-objects.ts'
import { STEP_UP } from './admission.ts'
import { delegatedAnswer, type TokenAnswer } from './answer.ts'
import { clientOf, prove } from './client-authentication.ts'
import { type Entra, issuerV1, issuerV2, verifiedClaims } from './entra.ts'
import { type Parameters, required } from './parameters.ts'
import * as refusals from './refusals.ts'

const Delegated = z.object({ oid: z.string(), scp: z.string().min(1), acrs: z.array(z.string()).optional() })

/** The on-behalf-of grant: a token made for this client is exchanged for one of the API behind it. */
export async function onBehalfOf(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const proof = await prove(entra, client, parameters)
  if (required(parameters, 'requested_token_use') !== 'on_behalf_of') {
    throw refusals.request.badParameter('requested_token_use')
  }
  const assertion = required(parameters, 'assertion')
  const scope = required(parameters, 'scope')
  const claims = await assertionClaims(entra, client, assertion)
  const { oid: userId, acrs = [] } = claims
  const steppedUp = acrs.includes(STEP_UP)
  const session = { clientId: client.appId, userId, scope, publicClient: false, steppedUp }
  return delegatedAnswer(entra, client, proof, session, parameters)
}

async function assertionClaims(entra: Entra, client: Application, assertion: string) {
  const claims = await verified(entra, assertion)
  const audience = typeof claims.aud === 'string' ? claims.aud : ''
  if (audience !== client.appId && !client.identifierUris.includes(audience)) {
    throw refusals.grant.assertionAudience(audience, client)
  }
  if (claims.idtyp === 'app') throw refusals.grant.appOnlyAssertion(client)
  const delegated = Delegated.safeParse(claims)
  // An id token of the client has the right audience too, but nobody may act with it.
  if (!delegated.success) throw refusals.grant.assertionInvalid('it is not an access token of a user')
  return delegated.data
}

async function verified(entra: Entra, assertion: string): Promise<JWTPayload> {
  try {
    return await verifiedClaims(entra, assertion, { issuer: [issuerV1(entra), issuerV2(entra)] })
  } catch (error) {
    throw assertionRefusal(error)
  }
}

function assertionRefusal(error: unknown) {
  if (error instanceof errors.JWTExpired) return refusals.grant.assertionExpired()
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf'
      ? refusals.grant.assertionExpired()
      : refusals.grant.assertionInvalid('the issuer does not match')
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
    return refusals.grant.assertionMalformed()
  return refusals.grant.assertionSignature()
}
