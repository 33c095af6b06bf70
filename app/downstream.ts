import type { DownstreamApi } from './permissions.ts'

const DEFAULT_RETRY_SECONDS = 5
const MAX_RETRY_SECONDS = 300

/** Conditional Access wants more of the user: `claims` is the JSON to send back to the client. */
export class StepUpRequired extends Error {
  override name = 'StepUpRequired'
  readonly claims: string

  constructor(claims: string) {
    super('Conditional Access requires more of the user.')
    this.claims = claims
  }
}

/** AADSTS65001: nobody granted the API app its permissions on the downstream API. */
export class ConsentMissing extends Error {
  override name = 'ConsentMissing'
  readonly api: DownstreamApi

  constructor(api: DownstreamApi) {
    super(`Admin consent for ${api.displayName} is missing.`)
    this.api = api
  }
}

/** Entra no longer takes the caller's token as an assertion: a new sign-in mends it. */
export class AssertionRefused extends Error {
  override name = 'AssertionRefused'
}

/** A service we call on behalf of the user is busy or down. */
export class DownstreamUnavailable extends Error {
  override name = 'DownstreamUnavailable'
  readonly retryAfterSeconds: number

  constructor(service: string, retryAfterSeconds = DEFAULT_RETRY_SECONDS) {
    super(`${service} is not available.`)
    this.retryAfterSeconds = Math.min(Math.max(1, retryAfterSeconds), MAX_RETRY_SECONDS)
  }
}

/** A fault of ours, such as a credential that Entra does not know. `code`: AADSTS number or MSAL's code. */
export class ExchangeFailed extends Error {
  override name = 'ExchangeFailed'
  readonly code: string

  constructor(code: string) {
    super(`The on-behalf-of exchange failed: ${code}.`)
    this.code = code
  }
}
