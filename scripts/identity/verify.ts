/** Reads the whole identity back and says what is not as it should be. */

import { Problem } from '../cli/problem.ts'
import { type Context, runScript } from '../cli/script.ts'
import type { Finding } from './finding.ts'
import { findings } from './verification.ts'
import { whatIfFinding } from './whatif-finding.ts'

/** Alone, a difference is most likely a real one: lists have had their time to settle. */
const SHORT_PATIENCE = 5

const lineOf = ({ title, wrong, fix, isConsent }: Finding) =>
  wrong === undefined ? `✓ ${title}` : `${isConsent ? '!' : '✗'} ${title}: ${wrong}\n    fix: ${fix}`

const isFaulty = ({ wrong, isConsent }: Finding) => wrong !== undefined && !isConsent

/**
 * Prints every finding. Waits for lists that lag: until all is right, or until patience is over. Throws when something
 * is wrong; a missing consent counts only where `CONSENT_REQUIRED` says so.
 */
export async function verify(context: Context, patienceSeconds: number): Promise<void> {
  const { directory, environment, print } = context
  let whatIf: (() => Promise<Finding>) | undefined
  const read = async () => {
    const all = await findings(context)
    whatIf ??= await whatIfFinding(context)
    return [...all, await whatIf()]
  }
  const isRight = (all: Finding[]) => !all.some(isFaulty)
  let last: Finding[] = []
  await directory.until(async () => (last = await read()), isRight, patienceSeconds)
  for (const finding of last) print(lineOf(finding))
  const consent = last.find(({ wrong, isConsent }) => wrong !== undefined && isConsent)
  const faults = last.filter(
    (finding) => isFaulty(finding) || (environment.CONSENT_REQUIRED && finding === consent),
  )
  const [first] = faults
  if (!first) return
  throw new Problem({
    what: `${faults.length} of ${last.length} checks failed: ${faults.map(({ title }) => title).join('; ')}.`,
    why: 'Somebody has changed the directory by hand, or the deployment was interrupted.',
    fix: [...new Set(faults.map(({ fix }) => fix))].join('\n       '),
  })
}

await runScript(
  import.meta,
  {
    help: `
npm run verify
Compares the apps, service principals, assignments, credentials and grants in Microsoft Entra ID with
infra/permissions.json and the outputs of the deployment, and asks the what-if. Changes nothing; exit code 1 if something differs.
Part of the postprovision hook.`,
  },
  (context) => verify(context, Math.min(SHORT_PATIENCE, context.environment.DIRECTORY_PATIENCE_SECONDS)),
)
