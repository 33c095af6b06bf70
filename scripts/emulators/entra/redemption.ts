import { hash } from 'node:crypto'
import { errors } from 'jose'
import { z } from 'zod'
import type { Application } from '../directory-objects.ts'
import { STEP_UP } from './admission.ts'
import { delegatedAnswer, type Grant } from './answer.ts'
import { clientOf, prove } from './client-authentication.ts'
import { type Entra, issuerV1, issuerV2, required, verifiedClaims } from './entra.ts'
import * as refusals from './refusals.ts'
import type { Session, Ticket, Tickets } from './session.ts'

/** authorization_code: single use, and bound to client, redirect URI and PKCE verifier. */
export const redeemCode: Grant = async (entra, parameters, crossOrigin) => {
  const client = clientOf(entra, parameters)
  const ticket = find(entra.codes, client, required(parameters, 'code'))
  const redirectUri = required(parameters, 'redirect_uri')
  const session = ticket.value
  checkOrigin(session, crossOrigin)
  const proof = await prove(entra, client, parameters, session.publicClient)
  if (ticket.used) throw refusals.grant.redeemed()
  if (entra.codes.isExpired(ticket)) throw refusals.grant.expired()
  if (redirectUri !== session.redirectUri) {
    throw refusals.grant.otherRedirect({ given: redirectUri, asked: session.redirectUri ?? '' })
  }
  checkVerifier(session, parameters.code_verifier)
  // Spent only now: a call with a wrong verifier must not rob the rightful client of its code.
  ticket.used = true
  return delegatedAnswer(entra, client, proof, session, parameters)
}

/** refresh_token, also for another resource than the first one, as at Entra. */
export const redeemRefreshToken: Grant = async (entra, parameters, crossOrigin) => {
  const client = clientOf(entra, parameters)
  const ticket = find(entra.refreshTokens, client, required(parameters, 'refresh_token'))
  checkOrigin(ticket.value, crossOrigin)
  const proof = await prove(entra, client, parameters, ticket.value.publicClient)
  if (entra.refreshTokens.isExpired(ticket)) throw refusals.grant.expired()
  return delegatedAnswer(entra, client, proof, ticket.value, parameters)
}

/** Browsers say where a page is from, and other programs do not. */
function checkOrigin({ spa = false }: Session, crossOrigin: boolean): void {
  if (spa && !crossOrigin) throw refusals.grant.crossOriginOnly()
  if (crossOrigin && !spa) throw refusals.grant.notCrossOrigin()
}

function find(tickets: Tickets<Session>, client: Application, name: string): Ticket<Session> {
  const ticket = tickets.find(name)
  if (!ticket) throw refusals.grant.malformed()
  if (ticket.value.clientId !== client.appId) throw refusals.grant.otherClient()
  return ticket
}

/** A verifier without a challenge is refused as well, or an attacker could strip the challenge on the way. */
function checkVerifier({ codeChallenge }: Session, verifier: string | undefined): void {
  if (codeChallenge === undefined && verifier === undefined) return
  if (verifier === undefined || hash('sha256', verifier, 'base64url') !== codeChallenge)
    throw refusals.grant.verifier()
}

const Delegated = z.object({ oid: z.string(), scp: z.string().min(1), acrs: z.array(z.string()).optional() })

/** The on-behalf-of grant: a token made for this client is exchanged for one of the API behind it. */
export const onBehalfOf: Grant = async (entra, parameters) => {
  const client = clientOf(entra, parameters)
  const proof = await prove(entra, client, parameters)
  if (required(parameters, 'requested_token_use') !== 'on_behalf_of') {
    throw refusals.request.badParameter({ name: 'requested_token_use' })
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
  const claims = await verifiedClaims(entra, assertion, {
    issuer: [issuerV1(entra), issuerV2(entra)],
  }).catch(refuseAssertion)
  const audience = typeof claims.aud === 'string' ? claims.aud : ''
  if (audience !== client.appId && !client.identifierUris.includes(audience)) {
    throw refusals.grant.assertionAudience({ audience, appId: client.appId })
  }
  // Not by idtyp, which is there only where the resource has asked for it: an app's subject is the app itself.
  if (claims.scp === undefined && claims.sub === claims.oid) throw refusals.grant.appOnlyAssertion(client)
  const delegated = Delegated.safeParse(claims)
  // An id token of the client has the right audience too, but nobody may act with it.
  if (!delegated.success)
    throw refusals.grant.assertionInvalid({ reason: 'it is not an access token of a user' })
  return delegated.data
}

function refuseAssertion(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw refusals.grant.assertionExpired()
  if (error instanceof errors.JWTClaimValidationFailed)
    throw error.claim === 'nbf'
      ? refusals.grant.assertionExpired()
      : refusals.grant.assertionInvalid({ reason: 'the issuer does not match' })
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
    throw refusals.grant.assertionMalformed()
  throw refusals.grant.assertionSignature()
}
