/** The secrets of the dev app: they live as long as the tenant allows, and some tenants allow none. */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import type { Directory } from '../graph/directory.ts'
import { DirectoryError } from '../graph/directory-error.ts'

const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** The longest first: a policy says that a life is too long, not how long it may be. */
const LIVES_IN_DAYS = [90, 30, 7]
const LONGEST_MARGIN = 14 * DAY

export const SECRET_PREFIX = 'mcp-expenses developer secret'

const Added = z.object({ keyId: z.string(), secretText: z.string() })
type AddedSecret = z.infer<typeof Added> & { endDateTime: string }

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
    or an administrator exempts app ${clientId} from the app management policy, then: npx node scripts/identity/dev-credential.ts`

const Secret = z.object({
  keyId: z.string(),
  displayName: z.string().nullish(),
  startDateTime: z.string().nullish(),
  endDateTime: z.string().nullish(),
})
type Secret = z.infer<typeof Secret>
const Secrets = z.object({ passwordCredentials: z.array(Secret).default([]) })

/** The secrets of one app. */
export interface Held {
  /** Path of the app. */
  app: string
  read: () => Promise<Secret[]>
}

export function heldBy(directory: Directory, objectId: string): Held {
  const app = `/applications/${objectId}`
  const path = `${app}?$select=id,passwordCredentials`
  return { app, read: async () => (await directory.get(path, Secrets))?.passwordCredentials ?? [] }
}

/** The one that .env names, if the app has it. */
export async function currentOf(
  directory: Directory,
  { read }: Held,
  patienceSeconds: number,
  keyId: string | undefined,
): Promise<Secret | undefined> {
  const holds = (all: Secret[]) => all.some((secret) => secret.keyId === keyId)
  // One that is not shown may be fresh; a needless second secret is worse than a short wait.
  const wait = keyId ? Math.min(10, patienceSeconds) : 0
  const present = (await directory.until(read, holds, wait)) ?? (await read())
  return present.find((secret) => secret.keyId === keyId)
}

/** Takes away what can be of no use any more: expired ones of any developer, and lost ones of this folder. */
export async function clean(
  directory: Directory,
  { app, read }: Held,
  name: string,
  kept?: string,
): Promise<void> {
  const useless = (await read()).filter(({ keyId: id, displayName, endDateTime: end }) => {
    const isExpired = Date.parse(end ?? '') < Date.now() && displayName?.startsWith(SECRET_PREFIX)
    return id !== kept && (isExpired || displayName === name)
  })
  for (const { keyId: id } of useless) {
    await directory.create(`${app}/removePassword`, { keyId: id }, z.unknown()).catch(ignoreGone)
  }
  if (useless.length === 0) return
  const isGone = (all: Secret[]) => !all.some(({ keyId: id }) => useless.some((old) => old.keyId === id))
  await directory.until(read, isGone)
}

/** A repeated request whose first answer was lost. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof DirectoryError && /no password credential found/i.test(error.detail))) throw error
}

export async function requireReadable(directory: Directory, { read }: Held, keyId: string): Promise<void> {
  if (await directory.until(read, (all) => all.some((secret) => secret.keyId === keyId))) return
  throw new Problem({
    what: 'The new secret of the dev app has been written but is not readable yet.',
    why: 'Until it has replicated a server on this machine cannot sign in (AADSTS7000215).',
    fix: 'azd hooks run postprovision    (in some minutes)',
  })
}
