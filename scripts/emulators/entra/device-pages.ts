import { type RequestHandler, Router } from 'express'
import type { Entra } from './entra.ts'
import { parametersOf } from './parameters.ts'
import { sendCodeForm, sendDevicePicker, sendNotice } from './sign-in-pages.ts'

/** GET and POST /<tenant>/oauth2/deviceauth: where a person types the code that their device shows. */
export function devicePages(entra: Entra): Router {
  const submit: RequestHandler = (request, response) => {
    const { user_code: typed = '', user: userId, decline } = parametersOf(request.body)
    const userCode = typed.trim().toUpperCase()
    const ticket = entra.deviceCodes.findBy((code) => code.userCode === userCode)
    if (!ticket || ticket.used || entra.deviceCodes.isExpired(ticket) || ticket.value.outcome !== 'pending') {
      return sendCodeForm(response, entra, "That code didn't work. Check the code and try again.")
    }
    const user = userId === undefined ? undefined : entra.directory.user(userId)
    if (decline === undefined && !user) {
      const client = entra.directory.application(ticket.value.clientId)
      return sendDevicePicker(response, entra, client?.displayName ?? ticket.value.clientId, userCode)
    }
    ticket.value.outcome = user && decline === undefined ? { userId: user.id } : 'declined'
    const text =
      user && decline === undefined ? 'You have signed in on your device.' : 'The sign-in was declined.'
    sendNotice(response, 'You may now close this window', text)
  }
  const router = Router()
  router
    .route('/oauth2/deviceauth')
    .get((_request, response) => sendCodeForm(response, entra))
    .post(submit)
  return router
}
