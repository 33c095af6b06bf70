import { DownstreamUnavailable } from '../auth/downstream.ts'

export const SERVICE = 'Azure Cost Management'

/**
 * Cost Management is busy, down or too slow. `retryAfterSeconds`: what it asked for, which may be an hour, so it is
 * not cut as other services' is.
 */
export class CostsUnavailable extends DownstreamUnavailable {
  override name = 'CostsUnavailable'
  override readonly retryAfterSeconds: number
  /** It counts our questions and has had enough of them, now or a while ago. */
  readonly throttled: boolean

  constructor(
    retryAfterSeconds: number,
    { cause, throttled = false }: { cause?: unknown; throttled?: boolean } = {},
  ) {
    super(SERVICE, retryAfterSeconds, cause)
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterSeconds))
    this.throttled = throttled
  }
}

/** Azure gives the caller no right to read the costs of the subscription. */
export class CostsForbidden extends Error {
  override name = 'CostsForbidden'
  readonly subscription: string

  constructor(subscription: string) {
    super('The caller may not read the costs of the subscription.')
    this.subscription = subscription
  }
}

/** Why there is no answer for a subscription and a period, whoever asks. */
export type NoCosts = 'subscription_unknown' | 'other_tenant' | 'not_supported' | 'too_many_rows'

export class CostsNotAnswered extends Error {
  override name = 'CostsNotAnswered'
  readonly reason: NoCosts
  /** Azure's own code. */
  readonly code: string | undefined

  constructor(reason: NoCosts, code?: string) {
    super(`There are no costs to tell: ${reason}.`)
    this.reason = reason
    this.code = code
  }
}

/** A fault of ours or of Azure: an answer that is none. `code` is a fixed word or Azure's own. */
export class CostsBroken extends Error {
  override name = 'CostsBroken'
  readonly code: string
  readonly status: number | undefined

  constructor(code: string, status?: number, cause?: unknown) {
    super(`${SERVICE} gave an answer that cannot be used.`, { cause })
    this.code = code
    this.status = status
  }
}
