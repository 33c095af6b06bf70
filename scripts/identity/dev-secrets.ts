/** The secrets that the dev app has: the one of this folder, and those of no use any more. */
import { z } from 'zod'
import { Problem } from '../cli/problem.ts'
import type { Directory } from '../graph/directory.ts'
import { DirectoryError } from '../graph/directory-error.ts'
import { Credential } from '../graph/graph-objects.ts'
import { SECRET_PREFIX } from './dev-secret.ts'

const Secrets = z.object({
  passwordCredentials: z.array(Credential.extend({ startDateTime: z.string().nullish() })).default([]),
})
type Secret = z.infer<typeof Secrets>['passwordCredentials'][number]

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
