import { Refusal } from '../http/refusal.ts'
import type { Bearer } from './verifier.ts'

/**
 * Whether the client may call: compared with the token's `azp`, which Entra puts into every v2 token. Throws Refusal
 * (403): another sign-in with the same client would not help, so there is no challenge.
 */
export function requireClient(allowed: ReadonlySet<string> | undefined, { client }: Bearer): void {
  if (!allowed || (client && allowed.has(client.toLowerCase()))) return
  const body = {
    error: 'access_denied',
    error_description:
      'This client application may not call this server. Use another one, or ask an administrator to allow it.',
  }
  throw new Refusal({ status: 403, decision: 'deny:rbac', reason: 'client_not_allowed', body })
}
