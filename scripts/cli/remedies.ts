/** From the message of Entra or Graph to its cause and the command that helps; docs/troubleshooting.md has the same table. */
import { DirectoryError } from '../graph/directory-error.ts'
import { Problem } from './problem.ts'

export interface Remedy {
  cause: string
  fix: string
}

/** `login` signs in the program that was refused. */
type Of = (login: string) => Remedy

const RERUN = 'in a workflow: gh run rerun --failed <run>'
const stronger: Of = (login) => ({
  cause: 'Conditional Access or the tenant wants a further proof, which only a person can give.',
  fix: `${login}    (with a browser; exclude the identity of a pipeline from the policy, it can give no proof)`,
})
const over: Of = (login) => ({ cause: 'The sign-in has ended: too old, or revoked.', fix: login })
const subject: Of = () => ({
  cause: 'No federated credential has this issuer and subject, in exactly this case.',
  fix: 'npm run pipeline    (the sign-in of a workflow; that of the server: azd hooks run postprovision)',
})
const redirect: Of = () => ({
  cause: 'The client has not registered this redirect URI, or none at all.',
  fix: 'azd provision --no-state    (use the client of: azd env get-value ENTRA_PUBLIC_CLIENT_ID)',
})
const consent: Of = () => ({
  cause: 'Nobody who may has consented to what the app asks for.',
  fix: 'npm run consent    (as an administrator)',
})
const secret: Of = () => ({
  cause: 'The secret is not, or no longer, one of this app.',
  fix: 'npx node scripts/identity/dev-credential.ts',
})

/** By AADSTS number. Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const SIGN_INS: Readonly<Record<string, Of>> = {
  // The command line keeps the token of GitHub, which lives for minutes, and shows it again when it needs another.
  700024: (login) => ({
    cause: 'The proof that this job signed in with was valid for some minutes only and is used up.',
    fix: `${login}    (again, then once more what failed; ${RERUN})`,
  }),
  700016: (login) => ({
    cause: 'This tenant does not know the app: it was deleted, is fresh, or the tenant is another one.',
    fix: `${login} --tenant-id <tenant>    (an identity of a workflow: npm run pipeline)`,
  }),
  70021: subject,
  700211: subject,
  700212: subject,
  700213: subject,
  7002138: subject,
  50076: stronger,
  50079: stronger,
  50158: stronger,
  700082: over,
  70043: over,
  50132: over,
  50133: over,
  50173: over,
  65001: consent,
  90094: consent,
  50011: redirect,
  500113: redirect,
  7000215: secret,
  7000222: secret,
}

/** undefined: the text quotes no number that is known here. */
export function signInRemedyOf(text: string, login = 'azd auth login'): Remedy | undefined {
  for (const [, code = ''] of text.matchAll(/AADSTS(\d+)/g)) {
    const remedy = SIGN_INS[code]
    if (remedy) return remedy(login)
  }
  return undefined
}

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
    fix: 'npm run verify    (lists those that are not ours; delete them in the Entra admin center)',
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
