import { randomUUID } from 'node:crypto'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import { codeFor, hintedUser, pendingSignIn, returnAddress } from './authorize.ts'
import type { Entra } from './entra.ts'
import { type Parameters, parametersOf, required } from './parameters.ts'
import * as refusals from './refusals.ts'
import type { PendingSignIn, ReturnAddress } from './session.ts'
import { sendAccountPicker, sendRefusal, sendToClient } from './sign-in-pages.ts'

/** GET or POST /<tenant>/oauth2/v2.0/authorize and the page behind it. */
export function signInRoutes(entra: Entra): Router {
  const authorize = asPage(entra, (request, response) => {
    const parameters = parametersOf(request.method === 'POST' ? request.body : request.query)
    const address = returnAddress(entra, parameters)
    orTellClient(entra, response, address, () => start(entra, response, address, parameters))
  })
  const pickUser = asPage(entra, (request, response) => {
    const parameters = parametersOf(request.body)
    const ticket = entra.pending.find(required(parameters, 'ticket'))
    const user = entra.directory.user(required(parameters, 'user'))
    if (!ticket || ticket.used || entra.pending.isExpired(ticket) || !user) throw refusals.request.malformed()
    ticket.used = true
    const { address } = ticket.value
    orTellClient(entra, response, address, () => finish(entra, response, ticket.value, user.id))
  })
  const router = Router()
  router.route('/oauth2/v2.0/authorize').get(authorize).post(authorize)
  router.post('/oauth2/v2.0/signin', pickUser)
  return router
}

function start(entra: Entra, response: Response, address: ReturnAddress, parameters: Parameters): void {
  const pending = pendingSignIn(entra, address, parameters)
  const user = hintedUser(entra, parameters)
  if (user) finish(entra, response, pending, user.id)
  else sendAccountPicker(response, entra, pending, entra.pending.issue(pending))
}

function finish(entra: Entra, response: Response, pending: PendingSignIn, userId: string): void {
  const code = codeFor(entra, pending, userId)
  sendToClient(response, pending.address, { code, session_state: randomUUID() })
}

/** What goes wrong before the return address is known stays on a page. */
function asPage(entra: Entra, handle: (request: Request, response: Response) => void): RequestHandler {
  return (request, response) => {
    try {
      handle(request, response)
    } catch (error) {
      if (!(error instanceof refusals.EntraError)) throw error
      sendRefusal(response, error, entra.now())
    }
  }
}

/** Entra keeps some of these on its page as well; a client that is told can say more than one that is not. */
function orTellClient(entra: Entra, response: Response, address: ReturnAddress, act: () => void): void {
  try {
    act()
  } catch (refusal) {
    if (!(refusal instanceof refusals.EntraError)) throw refusal
    const { error, error_description, error_uri } = refusals.errorBody(refusal, entra.now())
    // `invalid_grant` belongs to the token endpoint; here a missing consent is OpenID Connect's `consent_required`.
    const here = refusal.details.suberror === 'consent_required' ? 'consent_required' : 'access_denied'
    const name = error === 'invalid_grant' ? here : error
    sendToClient(response, address, { error: name, error_description, error_uri })
  }
}
