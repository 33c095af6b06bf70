import { createHash } from 'node:crypto'
import type { Application } from '../directory-objects.ts'
import { delegatedAnswer, type TokenAnswer } from './answer.ts'
import { clientOf, prove } from './client-authentication.ts'
import type { Entra } from './entra.ts'
import { type Parameters, required } from './parameters.ts'
import * as refusals from './refusals.ts'
import type { Session, Ticket, Tickets } from './session.ts'

/** authorization_code: single use, and bound to client, redirect URI and PKCE verifier. */
export async function redeemCode(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const ticket = find(entra.codes, client, required(parameters, 'code'))
  const redirectUri = required(parameters, 'redirect_uri')
  const session = ticket.value
  const proof = await prove(entra, client, parameters, session.publicClient)
  if (ticket.used) throw refusals.grant.redeemed()
  if (entra.codes.isExpired(ticket)) throw refusals.grant.expired()
  if (redirectUri !== session.redirectUri) {
    throw refusals.grant.otherRedirect(redirectUri, session.redirectUri ?? '')
  }
  checkVerifier(session, parameters.code_verifier)
  // Spent only now: a call with a wrong verifier must not rob the rightful client of its code.
  ticket.used = true
  return delegatedAnswer(entra, client, proof, session, parameters)
}

/** refresh_token, also for another resource than the first one, as at Entra. */
export async function redeemRefreshToken(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const ticket = find(entra.refreshTokens, client, required(parameters, 'refresh_token'))
  const proof = await prove(entra, client, parameters, ticket.value.publicClient)
  if (entra.refreshTokens.isExpired(ticket)) throw refusals.grant.expired()
  return delegatedAnswer(entra, client, proof, ticket.value, parameters)
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
  const challenge = createHash('sha256')
    .update(verifier ?? '')
    .digest('base64url')
  if (verifier === undefined || challenge !== codeChallenge) throw refusals.grant.verifier()
}
