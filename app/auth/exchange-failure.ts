import type { DownstreamApi } from '../permissions.ts'
import {
  AssertionRefused,
  ConsentMissing,
  DownstreamUnavailable,
  ExchangeFailed,
  StepUpRequired,
  type UserBar,
  UserRefused,
} from './downstream.ts'
import type { TokenRefusal } from './entra-http.ts'

/**
 * What Entra's refusal of an exchange means, by OAuth's class (RFC 6749 section 5.2, OpenID Connect Core section
 * 3.1.2.6): a grant that is no longer good is the caller's to renew. AADSTS numbers are looked at only where they say
 * more than the class, or the class is wrong.
 */
export function exchangeFailure(refusal: TokenRefusal, api: DownstreamApi): Error {
  const { error = '', error_codes: codes, suberror, claims, status } = refusal
  if (claims) return new StepUpRequired(claims)
  if (suberror === 'consent_required' || error === 'consent_required' || codes.some(isConsent))
    return new ConsentMissing(api)
  if (PASSING.has(error) || codes.some(isPassing))
    return new DownstreamUnavailable('Microsoft Entra ID', refusal.retryAfterSeconds)
  const [bar] = codes.flatMap((code) => barOf(code) ?? [])
  if (bar || error === 'access_denied') return new UserRefused(bar ?? 'blocked_by_policy')
  const code = codes[0] === undefined ? undefined : `AADSTS${codes[0]}`
  if (SIGN_IN.has(error)) return new AssertionRefused(`Entra refused the assertion (${code ?? error}).`)
  return new ExchangeFailed(code ?? (error || 'no_code'), status)
}

const PASSING = new Set(['temporarily_unavailable', 'server_error'])
const SIGN_IN = new Set(['invalid_grant', 'interaction_required', 'login_required'])

const isConsent = (code: number) => code === 65001 || code === 90094
/** Too many or looping requests, which Entra also calls an invalid grant. */
const isPassing = (code: number) => code === 90055 || code === 50196

function barOf(code: number): UserBar | undefined {
  if (code === 50057) return 'account_disabled'
  if (code === 50105) return 'not_assigned'
  // 53000 to 53011 and their longer relatives such as 530034: refused by Conditional Access, whatever the user does.
  if (/^530\d{2,3}$/.test(String(code))) return 'blocked_by_policy'
  return undefined
}
