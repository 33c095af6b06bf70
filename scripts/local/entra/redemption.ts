import { createHash } from 'node:crypto'
import type { Application } from '../directory-objects.ts'
import { delegatedAnswer, type TokenAnswer } from './answer.ts'
import { clientOf, prove, refuseProof } from './client-authentication.ts'
import type { Entra } from './entra.ts'
import { type Parameters, required } from './parameters.ts'
import * as refusals from './refusals.ts'
import type { Session } from './session.ts'
import type { Ticket, Tickets } from './tickets.ts'
import type { ClientProof } from './tokens.ts'

/** authorization_code: single use, and bound to client, redirect URI and PKCE verifier. */
export async function redeemCode(
  entra: Entra,
  parameters: Parameters,
  crossOrigin: boolean,
): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const ticket = find(entra.codes, client, required(parameters, 'code'))
  const redirectUri = required(parameters, 'redirect_uri')
  const session = ticket.value
  checkOrigin(session, crossOrigin)
  const proof = await proofFor(entra, client, session, parameters)
  if (ticket.used) throw refusals.grant.redeemed()
  if (entra.codes.isExpired(ticket)) throw refusals.grant.expired()
  if (redirectUri !== session.redirectUri) {
    throw refusals.grant.otherRedirect(redirectUri, session.redirectUri ?? '')
  }
  checkVerifier(session, parameters.code_verifier)
  // Spent only now: a call with a wrong verifier must not rob the rightful client of its code.
  ticket.used = true
  return answer(entra, client, proof, session, parameters)
}

/** refresh_token, also for another resource than the first one, as at Entra. */
export async function redeemRefreshToken(
  entra: Entra,
  parameters: Parameters,
  crossOrigin: boolean,
): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const ticket = find(entra.refreshTokens, client, required(parameters, 'refresh_token'))
  checkOrigin(ticket.value, crossOrigin)
  const proof = await proofFor(entra, client, ticket.value, parameters)
  if (entra.refreshTokens.isExpired(ticket)) throw refusals.grant.expired()
  return answer(entra, client, proof, ticket.value, parameters)
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

async function proofFor(
  entra: Entra,
  client: Application,
  { publicClient }: Session,
  parameters: Parameters,
): Promise<ClientProof> {
  return publicClient ? refuseProof(parameters) : prove(entra, client, parameters)
}

export function answer(
  entra: Entra,
  client: Application,
  proof: ClientProof,
  session: Session,
  { scope, resource, client_info }: Parameters,
): Promise<TokenAnswer> {
  return delegatedAnswer(entra, { client, proof, session, scope, resource, clientInfo: client_info === '1' })
}

/** A verifier without a challenge is refused as well, or an attacker could strip the challenge on the way. */
function checkVerifier({ codeChallenge }: Session, verifier: string | undefined): void {
  if (codeChallenge === undefined && verifier === undefined) return
  const challenge = createHash('sha256')
    .update(verifier ?? '')
    .digest('base64url')
  if (verifier === undefined || challenge !== codeChallenge) throw refusals.grant.verifier()
}
