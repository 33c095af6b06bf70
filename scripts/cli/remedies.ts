/** From the message of Entra or Graph to its cause and the command that helps; the README has the same table. */
import { DirectoryError } from '../graph/directory-error.ts'
import { Problem } from './problem.ts'
import { type Remedy, signInRemedyOf } from './sign-in-remedies.ts'

const AGAIN = 'azd hooks run postprovision    (each hook may be repeated: azd hooks run <name>)'
const REDEPLOY = 'azd provision --no-state'

const REFUSALS: readonly (Remedy & { sign: RegExp })[] = [
  {
    sign: /^401/,
    cause: 'The sign-in has expired, or Conditional Access wants a stronger one.',
    fix: 'azd auth login    (in a pipeline: check the federated credential of the deployer)',
  },
  {
    sign: /^403/,
    cause: 'Whoever is signed in to azd lacks a right on this object.',
    fix: 'azd auth login    (as an Application Administrator, or let one run the same command)',
  },
  {
    sign: /property uniqueName already exists/i,
    cause: 'The name is taken, most likely by a deleted object in the recycle bin (30 days).',
    fix: 'npm run recycle-bin -- list    (as an Application Administrator and Groups Administrator; then restore or purge)',
  },
  {
    sign: /property identifierUris already exists/i,
    cause: 'Another app of the tenant has this identifier URI.',
    fix: 'azd env set LOCAL_SERVER_URL http://localhost:8081/mcp && azd provision',
  },
  {
    sign: /CannotDeleteOrUpdateEnabledEntitlement|CannotDeleteEnabled|must be disabled/i,
    cause: 'A scope or role was removed or renamed while it is enabled.',
    fix: 'Put it back into infra/permissions.json with "isEnabled": false, azd provision, then remove it.',
  },
  {
    sign: /maximum.*federated|federated.*(limit|maximum)|20 federated/i,
    cause: 'An app holds at most 20 federated credentials.',
    fix: 'node scripts/identity/verify.ts    (lists those that are not ours; delete them in the Entra admin center)',
  },
  {
    sign: /^404/,
    cause: 'The object has been deleted, or is so fresh that not every replica knows it.',
    fix: `${AGAIN}; if it stays missing: ${REDEPLOY}`,
  },
  { sign: /^409/, cause: 'Two writers changed the same object at once.', fix: AGAIN },
  {
    sign: /^429/,
    cause: 'The tenant is throttled, for longer than DIRECTORY_PATIENCE_SECONDS.',
    fix: `Wait some minutes, then: ${AGAIN}`,
  },
  { sign: /^5/, cause: 'Microsoft Graph has a fault; what was written stays written.', fix: AGAIN },
]

const UNKNOWN: Remedy = {
  cause: 'No known cause. What was written stays written; a second run does the rest.',
  fix: AGAIN,
}

/** Never undefined: the last resort is to run it again. */
export function remedyOf(error: unknown): Remedy {
  // The number says more than the status around it.
  const refused = signInRemedyOf(error instanceof Error ? error.message : String(error))
  if (refused) return refused
  if (!(error instanceof DirectoryError)) return UNKNOWN
  const text = `${error.status} ${error.code} ${error.detail}`
  return REFUSALS.find(({ sign }) => sign.test(text)) ?? UNKNOWN
}

/** Every failure as a text for an operator: what, why, and the command that helps. */
export function explain(error: unknown): string {
  // Their texts are complete already.
  if (error instanceof Problem || error instanceof AggregateError) return error.message
  const { cause, fix } = remedyOf(error)
  const message = error instanceof Error ? error.message : String(error)
  return `${message}\n  why: ${cause}\n  fix: ${fix}`
}
