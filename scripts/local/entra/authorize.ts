import type { Application, User } from '../directory-objects.ts'
import { admit, asksForStepUp, demandsStepUp } from './admission.ts'
import { clientOf } from './client-authentication.ts'
import { consentedScopes } from './consent.ts'
import type { Entra } from './entra.ts'
import { EntraError } from './errors.ts'
import { type Parameters, required } from './parameters.ts'
import { type Platform, platformOf } from './redirects.ts'
import * as refusals from './refusals.ts'
import { checkTarget, resolveScopes, type ScopeRequest } from './scopes.ts'

export type ResponseMode = 'query' | 'fragment' | 'form_post'

/** Where an answer goes: known before anything else, because refusals go there too. */
export interface ReturnAddress {
  client: Application
  platform: Platform
  redirectUri: string
  responseMode: ResponseMode
  state: string | undefined
}

/** A sign-in that waits for its user. */
export interface PendingSignIn {
  address: ReturnAddress
  scope: string
  request: ScopeRequest
  codeChallenge: string | undefined
  nonce: string | undefined
  steppedUp: boolean
}

/** Refusals up to here are shown as a page: a redirect to an address nobody registered would be an open redirect. */
export function returnAddress(entra: Entra, parameters: Parameters): ReturnAddress {
  const client = clientOf(entra, parameters)
  const redirectUri = required(parameters, 'redirect_uri')
  const platforms = [client.publicClient, client.web, client.spa]
  if (platforms.every((one) => !one || one.redirectUris.length === 0)) {
    throw refusals.client.noRedirect()
  }
  const platform = platformOf(client, redirectUri)
  if (!platform) throw refusals.client.redirect(redirectUri, client)
  const { response_mode: mode, state } = parameters
  return { client, platform, redirectUri, responseMode: modeOf(mode), state }
}

function modeOf(mode: string | undefined): ResponseMode {
  if (mode === undefined) return 'query'
  if (mode === 'query' || mode === 'fragment' || mode === 'form_post') return mode
  throw refusals.request.badParameter('response_mode')
}

/** All that is checked before anybody signs in, AADSTS9010010 included. */
export function pendingSignIn(entra: Entra, address: ReturnAddress, parameters: Parameters): PendingSignIn {
  checkResponseType(required(parameters, 'response_type'))
  const codeChallenge = challengeOf(address, parameters)
  const scope = required(parameters, 'scope')
  const request = resolveScopes(entra.directory, entra.tenantId, address.client, scope)
  checkTarget(parameters.resource, request)
  checkPrompt(parameters.prompt)
  const steppedUp = demandsStepUp(parameters.claims)
  return { address, scope, request, codeChallenge, nonce: parameters.nonce, steppedUp }
}

function checkResponseType(responseType: string): void {
  if (responseType === 'code') return
  const [code, name] = responseType.split(' ').includes('id_token')
    ? [700054, 'id_token']
    : [700051, responseType]
  throw new EntraError(
    code,
    'unsupported_response_type',
    `response_type '${name}' is not enabled for the application.`,
  )
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

const PROMPTS = ['none', 'login', 'select_account', 'consent', 'create']

function checkPrompt(prompt: string | undefined): void {
  if (prompt !== undefined && !PROMPTS.includes(prompt)) throw refusals.request.badParameter('prompt')
}

/**
 * Who signs in without a page: the user of `login_hint`, unless the client insists on one. Throws
 * AADSTS50058 when the client forbids a page and nobody is known.
 */
export function hintedUser({ directory }: Entra, { login_hint: hint, prompt }: Parameters): User | undefined {
  const user = hint === undefined ? undefined : directory.user(hint)
  if (prompt === 'none' && !user) throw refusals.principal.silent()
  return prompt === 'login' || prompt === 'select_account' ? undefined : user
}

/** After sign-in: assignment and consent, then a code. */
export function codeFor(entra: Entra, pending: PendingSignIn, userId: string): string {
  const { address, scope, request, codeChallenge, nonce } = pending
  const { client, platform, redirectUri } = address
  const user = admit(entra.directory, userId, client, request.resource)
  consentedScopes(entra.directory, client, request, user.id)
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
    ...(codeChallenge === undefined ? {} : { codeChallenge }),
    ...(nonce === undefined ? {} : { nonce }),
  })
}
