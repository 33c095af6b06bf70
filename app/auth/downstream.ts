import type { DownstreamApi } from '../permissions.ts'

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

/** Why a user gets no token that a new sign-in would not change. */
export type UserBar = 'account_disabled' | 'not_assigned' | 'blocked_by_policy'

/** The tenant refuses the user; only its administrator can change that. */
export class UserRefused extends Error {
  override name = 'UserRefused'
  readonly reason: UserBar

  constructor(reason: UserBar) {
    super(`The tenant refuses the user: ${reason}.`)
    this.reason = reason
  }
}

/** A service we call on behalf of the user is busy or down. */
export class DownstreamUnavailable extends Error {
  override name = 'DownstreamUnavailable'
  readonly code = 'downstream_unavailable'
  readonly retryAfterSeconds: number

  constructor(service: string, retryAfterSeconds = DEFAULT_RETRY_SECONDS, cause?: unknown) {
    super(`${service} is not available.`, { cause })
    this.retryAfterSeconds = Math.min(Math.max(1, retryAfterSeconds), MAX_RETRY_SECONDS)
  }
}

/** A fault of ours, such as a credential that Entra does not know. `code`: AADSTS number or OAuth's or MSAL's code. */
export class ExchangeFailed extends Error {
  override name = 'ExchangeFailed'
  readonly code: string
  /** Of Entra's answer, if there was one. */
  readonly status: number | undefined

  constructor(code: string, status?: number, cause?: unknown) {
    super(`The on-behalf-of exchange failed: ${code}.`, { cause })
    this.code = code
    this.status = status
  }
}

/** A fault of ours: the identity endpoint gives no token for the identity, most likely because the app does not have it. */
export class IdentityRefused extends Error {
  override name = 'IdentityRefused'
  readonly code = 'managed_identity_refused'
  /** The client id of the identity. */
  readonly identity: string
  /** The endpoint's own code, where it has one. */
  readonly reason: string | undefined
  readonly status: number | undefined

  constructor(refused: { identity: string; reason: string | undefined; status: number | undefined }) {
    super(
      'The identity endpoint gives no token: see AZURE_CLIENT_ID and the identities of the container app.',
    )
    this.identity = refused.identity
    this.reason = refused.reason
    this.status = refused.status
  }
}

/** A fault of ours: Graph does not let the server ask what it asks. `code` is Graph's own. */
export class GraphRefused extends Error {
  override name = 'GraphRefused'
  readonly code: string
  readonly status: number

  constructor(status: number, code: string) {
    super(`Microsoft Graph refused the membership question with ${status}.`)
    this.status = status
    this.code = code
  }
}
