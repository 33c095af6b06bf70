import { randomInt } from 'node:crypto'
import { demandsStepUp } from './admission.ts'
import type { TokenAnswer } from './answer.ts'
import { clientOf, prove, refuseProof } from './client-authentication.ts'
import type { Entra } from './entra.ts'
import { type Parameters, required } from './parameters.ts'
import { answer } from './redemption.ts'
import * as refusals from './refusals.ts'
import { checkTarget, resolveScopes } from './scopes.ts'
import type { DeviceCode } from './session.ts'

export const DEVICE_CODE_SECONDS = 15 * 60
const INTERVAL_SECONDS = 5
/** Without letters and digits that look alike. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

const newUserCode = () => Array.from({ length: 9 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

/** The device authorization endpoint (RFC 8628). */
export function startDeviceCode(entra: Entra, parameters: Parameters) {
  const client = clientOf(entra, parameters)
  const scope = required(parameters, 'scope')
  const { resource } = parameters
  checkTarget(resource, resolveScopes(entra.directory, entra.tenantId, client, scope))
  const userCode = newUserCode()
  const verificationUri = `${entra.url}/${entra.tenantId}/oauth2/deviceauth`
  const deviceCode = {
    clientId: client.appId,
    userCode,
    scope,
    resource,
    polledAt: 0,
    steppedUp: demandsStepUp(parameters.claims),
    outcome: 'pending' as const,
  }
  return {
    user_code: userCode,
    device_code: entra.deviceCodes.issue(deviceCode),
    verification_uri: verificationUri,
    expires_in: DEVICE_CODE_SECONDS,
    interval: INTERVAL_SECONDS,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode} to authenticate.`,
  }
}

export async function redeemDeviceCode(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const { isFallbackPublicClient: publicClient } = client
  const proof = publicClient ? refuseProof(parameters) : await prove(entra, client, parameters)
  const ticket = entra.deviceCodes.find(required(parameters, 'device_code'))
  if (!ticket || ticket.used || ticket.value.clientId !== client.appId) throw refusals.grant.deviceUnknown()
  if (entra.deviceCodes.isExpired(ticket)) throw refusals.grant.deviceExpired()
  const { value } = ticket
  const userId = signedInUser(value, entra.now())
  ticket.used = true
  const { scope, steppedUp } = value
  const session = { clientId: client.appId, userId, scope, publicClient, steppedUp }
  return answer(entra, client, proof, session, {
    ...parameters,
    resource: parameters.resource ?? value.resource,
  })
}

function signedInUser(code: DeviceCode, now: number): string {
  if (code.outcome === 'declined') throw refusals.grant.deviceDeclined()
  if (code.outcome !== 'pending') return code.outcome.userId
  const tooSoon = now - code.polledAt < INTERVAL_SECONDS * 1000
  code.polledAt = now
  throw tooSoon ? refusals.grant.deviceSlowDown() : refusals.grant.devicePending()
}
