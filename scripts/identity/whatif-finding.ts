/** The proof of the what-if: after a deployment it has nothing left to say. */

import { Problem } from '../cli/problem.ts'
import type { Context } from '../cli/script.ts'
import { loadDeclared, loadPolicy } from '../whatif/load.ts'
import { summarize } from '../whatif/report.ts'
import { runWhatIf } from '../whatif/whatif.ts'
import { type Finding, REDEPLOY } from './finding.ts'

const TITLE = 'What-if: no changes'
/** No deployment takes away what nobody declared. */
const REMOVE =
  'npm run whatif -- --drift, then remove it in the Entra admin center, or accept it in infra/identity-exceptions.json (docs/whatif.md)'

function notReadable(error: unknown): Problem {
  if (error instanceof Problem) return error
  throw error
}

/**
 * Asks `npm run whatif`'s question again and again while lists settle; the template is compiled once. A
 * missing consent has a finding of its own.
 */
export async function whatIfFinding(context: Context): Promise<() => Promise<Finding>> {
  if (!context.hasCompiler()) {
    const title = 'What-if: not asked, because there is no Bicep compiler here'
    return async () => ({ title, wrong: undefined, fix: REDEPLOY })
  }
  const declared = await loadDeclared(context)
  const policy = await loadPolicy(context, { perspective: 'found' })
  return async () => {
    const result = await runWhatIf(declared, context.directory, policy).catch(notReadable)
    // Optional, as the missing compiler is: whoever may deploy may not always read everything.
    if (result instanceof Problem)
      return { title: `What-if: cannot be told. ${result.what}`, wrong: undefined, fix: REDEPLOY }
    const changes = result.changes.filter(({ type }) => type !== 'oauth2PermissionGrants')
    const { blockers, orphans, unmanaged, stale } = result
    if (summarize({ ...result, changes }).result !== 'changes') {
      return { title: TITLE, wrong: undefined, fix: REDEPLOY }
    }
    const named = [...changes, ...blockers, ...orphans].map(({ title }) => title)
    const strange = unmanaged.map(({ title, kind }) => `${title} (${kind}, undeclared)`)
    const wrong = [...new Set([...named, ...strange, ...stale])].join(', ')
    return { title: TITLE, wrong, fix: named.length > 0 ? `npm run whatif, then: ${REDEPLOY}` : REMOVE }
  }
}
