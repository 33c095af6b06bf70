/** From what Entra or Graph says to its cause and the command that helps; docs/troubleshooting.md is written from it. */
import { DirectoryError } from '../graph/directory-error.ts'
import { Problem } from './problem.ts'

/** `fix`: a command, four spaces and more about it in parentheses, where a command ends with punctuation. */
export interface Remedy {
  cause: string
  fix: string
}

/** The sign-in of the program that was refused. */
const LOGIN = '<login>'

/** By AADSTS number. Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
export const SIGN_INS: readonly (Remedy & { codes: readonly number[] })[] = [
  {
    // The command line keeps the token of GitHub, which lives for minutes, and shows it again when it needs another.
    codes: [700024],
    cause: 'The token that this job signed in with was valid for some minutes only and has expired.',
    fix: `${LOGIN}    (then repeat what failed; in a workflow: gh run rerun --failed <run>)`,
  },
  {
    codes: [700016],
    cause: 'This tenant does not know the app: it was deleted, it is new, or this is another tenant.',
    fix: `${LOGIN} --tenant-id <tenant>    (for the identity of a workflow: npm run pipeline)`,
  },
  {
    codes: [70021, 700211, 700212, 700213, 7002138],
    cause:
      'No federated credential has this issuer and subject in exactly this case (upper and lower). A new identity has a new subject.',
    fix: 'npm run pipeline    (for the sign-in of a workflow; for that of the server: azd hooks run postprovision)',
  },
  {
    codes: [50076, 50079, 50158],
    cause:
      'Conditional Access or the tenant requires further authentication, such as multifactor authentication, which only a person can do.',
    fix: `${LOGIN}    (with a browser; in a client: put the API app into the same policy as Microsoft Graph, and sign in again; exclude the identity of a pipeline from the policy, because no person signs in for it)`,
  },
  {
    codes: [700082, 70043, 50132, 50133, 50173],
    cause: 'The sign-in has ended: it is too old, or it was revoked. In a client, sign in again.',
    fix: LOGIN,
  },
  {
    codes: [65001, 90094],
    cause:
      'Nobody who may consent has consented to what the app requests: another API, or a scope of type Admin.',
    fix: 'npm run consent    (as an administrator; for a scope of type Admin: docs/tools.md#scopes-of-type-admin)',
  },
  {
    codes: [65002],
    cause:
      'A Microsoft client is not pre-authorized for this Microsoft API: the resource or the scope is wrong.',
    fix: 'npm run verify    (the correct URL of the server: azd env get-value SERVER_URL)',
  },
  {
    codes: [50011, 500113],
    cause: 'The app registration of the client does not have this redirect URI, or has none.',
    fix: 'azd provision --no-state    (use this client: azd env get-value ENTRA_PUBLIC_CLIENT_ID; its redirectUris are in infra/permissions.json)',
  },
  {
    codes: [7000215, 7000222],
    cause: 'The secret in .env is not a secret of this app, or it has expired or was deleted.',
    fix: 'npx node scripts/identity/dev-credential.ts',
  },
  {
    codes: [9010010],
    cause:
      'The resource is not exactly, character by character, an identifier URI (Application ID URI) of the app that owns the scope.',
    fix: 'npm run verify    (then azd provision --no-state; for a custom domain first: azd env set EXTRA_SERVER_URLS https://<domain>/mcp)',
  },
  {
    codes: [650053],
    cause:
      'The scope does not exist, or the client requested it by its short name, which means a scope of Microsoft Graph.',
    fix: 'npm run verify    (a client requests <SERVER_URL>/user_impersonation)',
  },
  {
    codes: [500011],
    cause:
      'The app has no service principal in this tenant, no app has this URI, or it is new and not replicated yet.',
    fix: 'azd hooks run postdeploy    (after some minutes; then azd provision --no-state)',
  },
]

/** undefined: the text quotes no number that is known here. */
export function signInRemedyOf(text: string, login = 'azd auth login'): Remedy | undefined {
  for (const [, code] of text.matchAll(/AADSTS(\d+)/g)) {
    const known = SIGN_INS.find(({ codes }) => codes.includes(Number(code)))
    if (known) return { cause: known.cause, fix: known.fix.replace(LOGIN, login) }
  }
  return undefined
}

const AGAIN = 'azd hooks run postprovision    (you can repeat each hook: azd hooks run <name>)'

/** The first whose sign is in `status code detail` of Graph's answer. */
export const REFUSALS: readonly (Remedy & { sign: RegExp })[] = [
  {
    sign: /^401/,
    cause: 'The sign-in has expired, or Conditional Access requires a stronger one.',
    fix: 'azd auth login    (in a pipeline: check the federated credential of the deployer)',
  },
  {
    sign: /^403/,
    cause: 'The account that is signed in to azd lacks a right on this object.',
    fix: 'azd auth login    (as an Application Administrator, or ask one to run the same command; consent requires a Cloud Application Administrator, groups require a Groups Administrator; a pipeline needs application permissions of Microsoft Graph)',
  },
  {
    sign: /property uniqueName already exists/i,
    cause:
      'The unique name is taken, most likely by a deleted object, which stays in the recycle bin for 30 days.',
    fix: 'npm run recycle-bin -- list    (as an Application Administrator and Groups Administrator; then restore or purge)',
  },
  {
    sign: /property identifierUris already exists/i,
    cause:
      'Another app of the tenant has this identifier URI, usually the dev API app of another environment.',
    fix: 'azd env set LOCAL_SERVER_URL http://localhost:8090/mcp && azd provision',
  },
  {
    sign: /CannotDeleteOrUpdateEnabledEntitlement|CannotDeleteEnabled|must be disabled/i,
    cause: 'A scope or role was removed or renamed while it was enabled.',
    fix: 'Put it back into infra/permissions.json with "isEnabled": false and run azd provision. Then remove it and run azd provision.',
  },
  {
    sign: /maximum.*federated|federated.*(limit|maximum)|20 federated/i,
    cause: 'An app can have at most 20 federated credentials.',
    fix: 'npm run verify    (it lists those that this template did not create; delete them in the Entra admin center)',
  },
  {
    sign: /^404|^400 .*(does not exist|doesn't exist|not present|not found)/i,
    cause: 'The object was deleted, or it is so new that not every replica has it.',
    fix: 'azd hooks run postprovision    (if it stays missing: azd provision --no-state)',
  },
  { sign: /^409/, cause: 'Two processes changed the same object at the same time.', fix: AGAIN },
  {
    sign: /^429/,
    cause: 'Microsoft Graph has throttled the tenant for longer than DIRECTORY_PATIENCE_SECONDS.',
    fix: 'azd hooks run postprovision    (after some minutes)',
  },
  { sign: /^5/, cause: 'Microsoft Graph has a fault. What was already written stays.', fix: AGAIN },
]

const UNKNOWN: Remedy = {
  cause: 'No known cause. What was already written stays, and a second run does the rest.',
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
