import { randomInt } from 'node:crypto'
import { type RequestHandler, Router } from 'express'
import { demandsStepUp } from './admission.ts'
import { delegatedAnswer, type TokenAnswer } from './answer.ts'
import { clientOf, prove } from './client-authentication.ts'
import { type Entra, type Parameters, parametersOf, required } from './entra.ts'
import * as refusals from './refusals.ts'
import { resolveScopes } from './scopes.ts'
import type { DeviceCode } from './session.ts'
import { sendCodeForm, sendDevicePicker, sendNotice } from './sign-in-pages.ts'

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
  resolveScopes(entra, client, scope, resource)
  const userCode = newUserCode()
  const verificationUri = `${entra.url}/${entra.tenantId}/oauth2/deviceauth`
  const steppedUp = demandsStepUp(parameters.claims)
  const asked = { clientId: client.appId, userCode, scope, resource, steppedUp }
  return {
    user_code: userCode,
    device_code: entra.deviceCodes.issue({ ...asked, polledAt: 0, outcome: 'pending' }),
    verification_uri: verificationUri,
    expires_in: DEVICE_CODE_SECONDS,
    interval: INTERVAL_SECONDS,
    message: `To sign in, use a web browser to open the page ${verificationUri} and enter the code ${userCode} to authenticate.`,
  }
}

export async function redeemDeviceCode(entra: Entra, parameters: Parameters): Promise<TokenAnswer> {
  const client = clientOf(entra, parameters)
  const { isFallbackPublicClient: publicClient } = client
  const proof = await prove(entra, client, parameters, publicClient)
  const ticket = entra.deviceCodes.find(required(parameters, 'device_code'))
  if (!ticket || ticket.used || ticket.value.clientId !== client.appId) throw refusals.grant.deviceUnknown()
  if (entra.deviceCodes.isExpired(ticket)) throw refusals.grant.deviceExpired()
  const { value } = ticket
  const userId = signedInUser(value, entra.now())
  ticket.used = true
  const { scope, steppedUp } = value
  const session = { clientId: client.appId, userId, scope, publicClient, steppedUp }
  const { resource = value.resource } = parameters
  return delegatedAnswer(entra, client, proof, session, { ...parameters, resource })
}

function signedInUser(code: DeviceCode, now: number): string {
  if (code.outcome === 'declined') throw refusals.grant.deviceDeclined()
  if (code.outcome !== 'pending') return code.outcome.userId
  const tooSoon = now - code.polledAt < INTERVAL_SECONDS * 1000
  code.polledAt = now
  throw tooSoon ? refusals.grant.deviceSlowDown() : refusals.grant.devicePending()
}

/** GET and POST /<tenant>/oauth2/deviceauth: where a person types the code that their device shows. */
export function devicePages(entra: Entra): Router {
  const submit: RequestHandler = (request, response) => {
    const { user_code: typed = '', user: userId = '', decline } = parametersOf(request.body)
    const userCode = typed.trim().toUpperCase()
    const ticket = entra.deviceCodes.findBy((code) => code.userCode === userCode)
    if (!ticket || ticket.used || entra.deviceCodes.isExpired(ticket) || ticket.value.outcome !== 'pending') {
      return sendCodeForm(response, entra, "That code didn't work. Check the code and try again.")
    }
    const { value } = ticket
    const user = entra.directory.user(userId)
    if (decline === undefined && !user) {
      const client = entra.directory.application(value.clientId)
      return sendDevicePicker(response, entra, client?.displayName ?? value.clientId, userCode)
    }
    value.outcome = user && decline === undefined ? { userId: user.id } : 'declined'
    const text =
      value.outcome === 'declined' ? 'The sign-in was declined.' : 'You have signed in on your device.'
    sendNotice(response, 'You may now close this window', text)
  }
  const router = Router()
  router
    .route('/oauth2/deviceauth')
    .get((_request, response) => sendCodeForm(response, entra))
    .post(submit)
  return router
}
