import { Refusal } from '../http/refusal.ts'
import { metadataUrl } from '../metadata.ts'
import type { Decision } from '../telemetry/audit.ts'

/**
 * A refusal with a `WWW-Authenticate: Bearer` challenge (RFC 6750 section 3, RFC 9728 section 5.1).
 * `description` and the parameters are our own texts, without quotes.
 */
function challenge(
  status: 401 | 403,
  [decision, reason]: [Decision, string],
  mcpUrl: string,
  { error, description, ...others }: { error?: string; description: string; scope?: string; claims?: string },
): Refusal {
  const parameters = Object.entries({
    ...(error && { error, error_description: description }),
    ...others,
    resource_metadata: metadataUrl(mcpUrl),
  })
  return new Refusal({
    status,
    decision,
    reason,
    body: { error: error ?? 'unauthorized', error_description: description },
    headers: {
      'www-authenticate': `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(', ')}`,
    },
  })
}

/** No token: the challenge carries no error code (RFC 6750 section 3.1), only where to sign in and for what. */
export const tokenMissing = (mcpUrl: string, scope: string) =>
  challenge(401, ['deny:token', 'missing'], mcpUrl, { description: 'Sign in to use this server.', scope })

export const tokenRefused = (mcpUrl: string, scope: string, reason: string, description: string) =>
  challenge(401, ['deny:token', reason], mcpUrl, { error: 'invalid_token', description, scope })

/** The client may ask for these scopes and try again (step-up). Some ask for exactly them: they name the basic ones too. */
export const scopeMissing = (mcpUrl: string, missing: string, basic: string) =>
  challenge(403, ['deny:scope', 'insufficient_scope'], mcpUrl, {
    error: 'insufficient_scope',
    description: `This tool needs the scope ${missing}.`,
    scope: [...new Set([...basic.split(' ').filter(Boolean), missing])].join(' '),
  })

/** For clients that cannot answer a claims challenge, and for people: what is missing and who can do what about it. */
export const FURTHER_PROOF =
  'Conditional Access of your organisation asks for a further authentication, such as a second factor, before this tool may be used, and this client cannot ask you for it. Sign out of this server in your client and sign in again. If that does not help, ask an administrator to put this server’s application into the same Conditional Access policy as Microsoft Graph: then it is asked for at sign-in.'

/** Conditional Access: the client signs in again with these claims (Microsoft identity platform, "claims challenge"). */
export const claimsMissing = (mcpUrl: string, scope: string, claims: string) =>
  challenge(401, ['deny:claims', 'insufficient_claims'], mcpUrl, {
    error: 'insufficient_claims',
    description: 'Conditional Access requires more of the user. Sign in again with these claims.',
    scope,
    claims: Buffer.from(claims).toString('base64'),
  })
