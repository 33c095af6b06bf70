/** A secret of the dev app that lives as long as the tenant allows; some tenants allow none. */
import { z } from 'zod'
import type { Directory } from '../graph/directory.ts'
import { DirectoryError } from '../graph/directory-error.ts'

const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** The longest first: a policy says that a life is too long, not how long it may be. */
const LIVES_IN_DAYS = [90, 30, 7]
const LONGEST_MARGIN = 14 * DAY

export const SECRET_PREFIX = 'mcp-expenses developer secret'

const Added = z.object({ keyId: z.string(), secretText: z.string() })
export interface AddedSecret {
  keyId: string
  secretText: string
  endDateTime: string
}

const isAbout = (error: unknown, code: string): error is DirectoryError =>
  error instanceof DirectoryError && (error.code === code || error.detail.includes(code))

/** Undefined: a policy of the tenant refuses every secret, or one of a week. Any other refusal is thrown. */
export async function addSecret(
  directory: Directory,
  app: string,
  displayName: string,
): Promise<AddedSecret | undefined> {
  for (const days of LIVES_IN_DAYS) {
    // Entra counts from its own clock: an hour less is not a moment too long by it.
    const endDateTime = new Date(Date.now() + days * DAY - HOUR).toISOString()
    const body = { passwordCredential: { displayName, endDateTime } }
    try {
      return { ...(await directory.create(`${app}/addPassword`, body, Added)), endDateTime }
    } catch (error) {
      if (isAbout(error, 'CredentialTypeNotAllowedAsPerAppPolicy')) return undefined
      if (!isAbout(error, 'CredentialInvalidLifetimeAsPerAppPolicy')) throw error
    }
  }
  return undefined
}

/** How long before its end a secret is renewed: two weeks, or a third of a shorter life. In milliseconds. */
export function renewedBefore(start: string | null | undefined, end: string | null | undefined): number {
  const life = Date.parse(end ?? '') - Date.parse(start ?? '')
  return Number.isNaN(life) ? LONGEST_MARGIN : Math.min(LONGEST_MARGIN, life / 3)
}

/** For a tenant that allows no secret: what works without one. */
export const withoutSecret = (
  clientId: string,
): string => `a policy of this tenant refuses secrets. Without one:
    npm start    (everything on this machine, without Azure)
    npm run dev with a certificate, like this one of 30 days (keep dev.pem out of Git):
      openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=dev -keyout dev.pem -out dev.crt
      az ad app credential reset --id ${clientId} --append --cert @dev.crt
      cat dev.crt >> dev.pem    (then in .env: ENTRA_CLIENT_CERTIFICATE_PATH=<path of dev.pem>)
      and a reviewed line in infra/identity-exceptions.json, because nobody declares it (docs/whatif.md)
    or an administrator exempts app ${clientId} from the app management policy, then: node scripts/identity/dev-credential.ts`
