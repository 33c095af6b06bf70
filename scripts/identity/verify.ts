/** Reads the whole identity back: what the what-if finds of it, an object a line. */
import { deploymentOf } from '../cli/environment.ts'
import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import { WORDS } from '../whatif/actual-state.ts'
import { isOurs, resolveObject } from '../whatif/desired.ts'
import { loadDeclared, loadPolicy } from '../whatif/load.ts'
import { showName, showProperty } from '../whatif/report-text.ts'
import { TAKEN_BACK } from '../whatif/unmanaged.ts'
import { runWhatIf, type WhatIf } from '../whatif/whatif.ts'
import { hookObjects } from './hook-objects.ts'

/** Alone, a difference is most likely a real one: lists have had their time to settle. */
const SHORT_PATIENCE = 5
const REDEPLOY = 'azd provision --no-state'
/** No deployment takes away what nobody declared. */
const REMOVE =
  'npm run whatif -- --drift, then remove it in the Entra admin center, or accept it in infra/identity-exceptions.json (docs/whatif.md)'
const CONSENT = 'npm run consent    (as an administrator)'

/** Nothing is wrong that could be seen, but not everything could be. */
export class Unverifiable extends Problem {
  override name = 'Unverifiable'
}

export interface Finding {
  title: string
  /** What differs; undefined: nothing. */
  wrong?: string | undefined
  fix: string
  /** Only an administrator can mend it: not a failure of whoever deploys. */
  isConsent?: boolean
}

/** Whose work an object is mends it. */
function fixOf({ by, type }: Pick<WhatIf['objects'][number], 'by' | 'type'>): string {
  if (by === 'template') return REDEPLOY
  return type === 'oauth2PermissionGrants' ? CONSENT : 'azd hooks run postprovision'
}

const isGrave = ({ risk }: WhatIf['pending'][number]) => risk.grade !== 'low'

/** Every declared object, then what cannot be told of it, and everything that nobody declared. */
export function findingsOf(result: WhatIf): Finding[] {
  const { objects, state, names, changes, pending, blockers, unreadable, orphans, unmanaged, stale } = result
  const written = objects.filter((one) => one.by === 'hook' || isOurs(one))
  return [
    ...written.map((one): Finding => {
      const change = changes.find(({ key }) => key === one.key)
      const differs = change?.properties.map(showProperty).join('; ')
      return {
        title: `${WORDS[one.type]} "${names.titleOf(one.type, resolveObject(one, state))}"`,
        wrong: change?.action === 'create' ? 'missing' : differs,
        fix: fixOf(one),
        isConsent: one.type === 'oauth2PermissionGrants' && one.by === 'hook',
      }
    }),
    ...blockers.map(({ title, what, wayOut }) => ({ title, wrong: what, fix: wayOut })),
    ...unreadable.map(({ title, reason }) => ({
      title,
      wrong: `could not be read: ${reason}`,
      fix: 'Write it as docs/whatif.md says under Limits',
    })),
    ...pending.filter(isGrave).map(({ type, title, path, text, risk }) => ({
      title: `${WORDS[type]} "${title}"${path && `, ${path}`}`,
      wrong: `cannot be told: ${text}. ${risk.reason}`,
      fix: 'Let an output of the template say it (docs/whatif.md, Known after deployment), then deploy',
    })),
    ...orphans.map(({ type, title }) => ({
      title: `${WORDS[type]} "${title}"`,
      wrong: 'left behind: it is tagged for this environment and no longer declared',
      fix: 'Delete it in the Entra admin center',
    })),
    ...unmanaged.map(({ type, title, kind, value, reason }) => ({
      title: `${WORDS[type]} "${title}", ${kind}`,
      wrong: `${value} is not declared. ${reason}`,
      ...(reason.endsWith(TAKEN_BACK) ? { fix: CONSENT, isConsent: true } : { fix: REMOVE }),
    })),
    ...stale.map((wrong) => ({ title: 'Exceptions', wrong, fix: 'Correct infra/identity-exceptions.json' })),
  ]
}

function unverifiable(error: unknown): never {
  throw error instanceof Problem ? new Unverifiable(error) : error
}

const isFaulty = ({ wrong, isConsent }: Finding) => wrong !== undefined && !isConsent

function print({ notes, accepted, pending }: WhatIf, all: readonly Finding[], context: Context): void {
  const say = (line: string) => context.print(showName(line))
  for (const { title, wrong, fix, isConsent } of all) {
    say(wrong === undefined ? `✓ ${title}` : `${isConsent ? '!' : '✗'} ${title}: ${wrong}`)
    if (wrong !== undefined) context.print(`    fix: ${fix}`)
  }
  for (const { title, kind, value, why } of accepted) say(`✓ accepted: ${title}, ${kind}: ${value} (${why})`)
  for (const { title, path, text } of pending.filter((one) => !isGrave(one)))
    say(`? ${title}, ${path}: cannot be told: ${text}`)
  for (const note of notes) say(`? ${note}`)
}

/**
 * Prints every finding. Waits for lists that lag: until all is right, or until the time is over. Throws a Problem when
 * something is wrong (a missing consent counts only where `CONSENT_REQUIRED` says so), Unverifiable when nothing can be
 * said: without a Bicep compiler, or without the rights to read.
 */
export async function verify(context: Context, seconds: number): Promise<void> {
  const { directory, environment } = context
  deploymentOf(context)
  // Asked again while lists settle: the template is compiled once.
  const declared = await loadDeclared(context, { further: hookObjects(context) }).catch(unverifiable)
  const policy = await loadPolicy(context, { perspective: 'found' }).catch(unverifiable)
  const read = async () => {
    const result = await runWhatIf(declared, directory, policy).catch(unverifiable)
    return { result, all: findingsOf(result) }
  }
  const settled = await directory.until(read, ({ all }) => !all.some(isFaulty), seconds)
  const { result, all } = settled ?? (await read())
  print(result, all, context)
  const faults = all.filter(
    (one) => isFaulty(one) || (environment.CONSENT_REQUIRED && one.wrong !== undefined),
  )
  if (faults.length === 0) return
  throw new Problem({
    what: `${faults.length} of ${all.length} checks failed: ${faults.map(({ title }) => title).join('; ')}.`,
    why: 'Somebody has changed the directory by hand, or the deployment was interrupted.',
    fix: [...new Set(faults.map(({ fix }) => fix))].join('\n       '),
  })
}

await runScript(
  import.meta,
  {
    help: `
npm run verify
Compares Microsoft Entra ID with what is declared, as npm run whatif -- --drift does: apps, service principals, groups,
assignments, credentials, owners and grants, with what nobody declared beside them. Changes nothing; exit code 1 if
something differs. Part of the postprovision hook.`,
  },
  (context) => verify(context, Math.min(SHORT_PATIENCE, context.environment.DIRECTORY_PATIENCE_SECONDS)),
)
