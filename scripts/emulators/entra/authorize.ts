import { randomUUID } from 'node:crypto'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { User } from '../directory-objects.ts'
import { consentForAll, pendingConsent, signsOf } from './admin-consent.ts'
import { admit, asksForStepUp, consentedScopes, demandsStepUp } from './admission.ts'
import { clientOf } from './client-authentication.ts'
import { type Entra, type Parameters, parametersOf, required } from './entra.ts'
import { platformOf } from './redirects.ts'
import * as refusals from './refusals.ts'
import { resolveScopes } from './scopes.ts'
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
    const { address, consents } = ticket.value
    const signs = consents ? signsOf(entra.tenantId) : {}
    orTellClient(entra, response, address, () => finish(entra, response, ticket.value, user.id), signs)
  })
  const askForConsent = asPage(entra, ({ query }, response) => {
    const parameters = parametersOf(query)
    // The endpoint's documentation knows no such parameter.
    if (parameters.response_mode !== undefined) throw refusals.request.badParameter({ name: 'response_mode' })
    const address = returnAddress(entra, parameters)
    const show = () => {
      const pending = pendingConsent(entra, address, required(parameters, 'scope'))
      sendAccountPicker(response, entra, pending, entra.pending.issue(pending))
    }
    orTellClient(entra, response, address, show, signsOf(entra.tenantId))
  })
  const router = Router()
  router.get('/v2.0/adminconsent', askForConsent)
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
  const answer = pending.consents
    ? consentForAll(entra, pending, userId)
    : { code: codeFor(entra, pending, userId), session_state: randomUUID() }
  sendToClient(response, pending.address, answer)
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

/**
 * Entra keeps some of these on its page as well; a client that is told can say more than one that is not. `signs` go
 * along with a refusal.
 */
function orTellClient(
  entra: Entra,
  response: Response,
  address: ReturnAddress,
  act: () => void,
  signs: Readonly<Record<string, string>> = {},
): void {
  try {
    act()
  } catch (refusal) {
    if (!(refusal instanceof refusals.EntraError)) throw refusal
    const { error, error_description, error_uri } = refusals.errorBody(refusal, entra.now())
    // `invalid_grant` belongs to the token endpoint; here a missing consent is OpenID Connect's `consent_required`.
    const here = refusal.details.suberror === 'consent_required' ? 'consent_required' : 'access_denied'
    const name = error === 'invalid_grant' ? here : error
    sendToClient(response, address, { ...signs, error: name, error_description, error_uri })
  }
}

/** Refusals up to here are shown as a page: a redirect to an address nobody registered would be an open redirect. */
function returnAddress(entra: Entra, parameters: Parameters): ReturnAddress {
  const client = clientOf(entra, parameters)
  const redirectUri = required(parameters, 'redirect_uri')
  const platforms = [client.publicClient, client.web, client.spa]
  if (platforms.every((one) => !one || one.redirectUris.length === 0)) {
    throw refusals.client.noRedirect()
  }
  const platform = platformOf(client, redirectUri)
  if (!platform) throw refusals.client.redirect({ redirectUri, appId: client.appId })
  const responseMode = choice(parameters, 'response_mode', MODES) ?? 'query'
  return { client, platform, redirectUri, responseMode, state: parameters.state }
}

const MODES = ['query', 'fragment', 'form_post'] as const
const PROMPTS = ['none', 'login', 'select_account', 'consent', 'create'] as const

/** A parameter that has to be one of these, if it is there. */
function choice<T extends string>(parameters: Parameters, name: string, values: readonly T[]): T | undefined {
  const given = parameters[name]
  const known = values.find((value) => value === given)
  if (given !== known) throw refusals.request.badParameter({ name })
  return known
}

/** All that is checked before anybody signs in, AADSTS9010010 included. */
function pendingSignIn(entra: Entra, address: ReturnAddress, parameters: Parameters): PendingSignIn {
  checkResponseType(required(parameters, 'response_type'))
  const codeChallenge = challengeOf(address, parameters)
  const scope = required(parameters, 'scope')
  const request = resolveScopes(entra, address.client, scope, parameters.resource)
  choice(parameters, 'prompt', PROMPTS)
  const steppedUp = demandsStepUp(parameters.claims)
  return { address, scope, request, codeChallenge, nonce: parameters.nonce, steppedUp }
}

function checkResponseType(responseType: string): void {
  if (responseType === 'code') return
  const isIdToken = responseType.split(' ').includes('id_token')
  throw isIdToken ? refusals.request.idTokenResponse() : refusals.request.responseType({ name: responseType })
}

function challengeOf({ platform }: ReturnAddress, parameters: Parameters): string | undefined {
  const { code_challenge: challenge, code_challenge_method: method } = parameters
  if (challenge === undefined) {
    if (platform !== 'web') throw refusals.grant.pkceNeeded()
    return undefined
  }
  // Entra would take `plain` too; no client of ours may.
  if (method !== 'S256') throw refusals.grant.challengeMethod()
  if (!/^[\w-]{43}$/.test(challenge)) throw refusals.grant.challengeSize()
  return challenge
}

/**
 * Who signs in without a page: the user of `login_hint`, unless the client insists on one. Throws
 * AADSTS50058 when the client forbids a page and nobody is known.
 */
function hintedUser({ directory }: Entra, { login_hint: hint, prompt }: Parameters): User | undefined {
  const user = hint === undefined ? undefined : directory.user(hint)
  if (prompt === 'none' && !user) throw refusals.principal.silent()
  return prompt === 'login' || prompt === 'select_account' ? undefined : user
}

/** After sign-in: assignment and consent, then a code. */
function codeFor(entra: Entra, pending: PendingSignIn, userId: string): string {
  const { address, scope, request, codeChallenge, nonce } = pending
  const { client, platform, redirectUri } = address
  const user = admit(entra.directory, userId, client, request.resource)
  consentedScopes(entra.directory, client, request, user.id, { page: true })
  // A page is open, so the second factor can be asked for at once.
  const steppedUp = pending.steppedUp || asksForStepUp(entra.directory, user.id, request.resource)
  return entra.codes.issue({
    clientId: client.appId,
    userId: user.id,
    scope,
    publicClient: platform !== 'web',
    spa: platform === 'spa',
    steppedUp,
    redirectUri,
    codeChallenge,
    nonce,
  })
}
