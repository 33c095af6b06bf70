/** The secrets of the dev app: they live as long as the tenant allows, and some tenants allow none. */
import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import type { Directory } from '../graph/directory.ts'
import { DirectoryError } from '../graph/directory-error.ts'

const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** The longest first: a policy says that a life is too long, not how long it may be. */
const LIVES_IN_DAYS = [90, 30, 7]
const LONGEST_MARGIN = 14 * DAY

const PREFIX = 'mcp-expenses developer secret'

const Added = z.object({ keyId: z.string(), secretText: z.string() })
const Secret = z.object({
  keyId: z.string(),
  displayName: z.string().nullish(),
  startDateTime: z.string().nullish(),
  endDateTime: z.string().nullish(),
})
type Secret = z.infer<typeof Secret>
const Secrets = z.object({ passwordCredentials: z.array(Secret).default([]) })

/** The secrets of one app, as the project's folder `root` on this machine sees them. */
export function heldBy(directory: Directory, objectId: string, root: string) {
  const app = `/applications/${objectId}`
  const path = `${app}?$select=id,passwordCredentials`
  const folder = createHash('sha256').update(root).digest('hex').slice(0, 6)
  return {
    directory,
    app,
    /** Of this folder: what another developer or another clone has added is not ours to remove. */
    name: `${PREFIX} (${hostname().slice(0, 40)}, ${folder})`,
    read: async () => (await directory.get(path, Secrets))?.passwordCredentials ?? [],
  }
}
export type Held = ReturnType<typeof heldBy>

const isAbout = (error: unknown, code: string) =>
  error instanceof DirectoryError && (error.code === code || error.detail.includes(code))

/** Undefined: a policy of the tenant refuses every secret, or one of a week. Any other refusal is thrown. */
export async function addSecret({ directory, app, name: displayName }: Held) {
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
export function renewedBefore({ startDateTime, endDateTime }: Secret): number {
  const life = Date.parse(endDateTime ?? '') - Date.parse(startDateTime ?? '')
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

const holding = (keyId: string) => (all: Secret[]) => all.some((secret) => secret.keyId === keyId)

/** The one that .env names, if the app has it. */
export async function currentOf({ directory, read }: Held, keyId: string, patienceSeconds: number) {
  // One that is not shown may be fresh; a needless second secret is worse than a short wait.
  const present = await directory.until(read, holding(keyId), Math.min(10, patienceSeconds))
  return present?.find((secret) => secret.keyId === keyId)
}

/** Takes away what can be of no use any more: expired ones of any developer, and lost ones of this folder. */
export async function clean({ directory, app, name, read }: Held, kept?: string): Promise<void> {
  const useless = (await read()).filter(({ keyId, displayName, endDateTime: end }) => {
    const isExpired = Date.parse(end ?? '') < Date.now() && displayName?.startsWith(PREFIX)
    return keyId !== kept && (isExpired || displayName === name)
  })
  for (const { keyId } of useless) {
    await directory.create(`${app}/removePassword`, { keyId }, z.unknown()).catch(ignoreGone)
  }
  if (useless.length === 0) return
  await directory.until(read, (all) => !useless.some(({ keyId }) => holding(keyId)(all)))
}

/** A repeated request whose first answer was lost. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof DirectoryError && /no password credential found/i.test(error.detail))) throw error
}

export async function requireReadable({ directory, read }: Held, keyId: string): Promise<void> {
  if (await directory.until(read, holding(keyId))) return
  throw new Problem({
    what: 'The new secret of the dev app has been written but is not readable yet.',
    why: 'Until it has replicated a server on this machine cannot sign in (AADSTS7000215).',
    fix: 'azd hooks run postprovision    (in some minutes)',
  })
}
