/** Entra ID as the client asks it, and what its refusals mean for whoever sits in front of the client. */
import { AuthError } from '@azure/msal-node'
import { EntraHttp } from '../../app/auth/entra-http.ts'
import { deadlines } from '../../app/deadline.ts'
import { Problem } from '../cli/problem.ts'
import { type Remedy, signInRemedyOf } from '../cli/remedies.ts'
import { comeBack } from './challenge.ts'
import type { McpServer } from './server.ts'

export const entraOf = ({ authorityHost, tenantId }: McpServer) => ({
  authority: EntraHttp.authority(authorityHost, tenantId),
  http: new EntraHttp('Microsoft Entra ID', deadlines.exchange, authorityHost),
})

const LOGIN = 'npm run client -- --list'
const unassigned: Remedy = {
  cause: 'Only members of the two groups, and apps with a role, get a token for this server.',
  fix: 'Ask for membership in the users group    (as a direct member, because nested groups do not count; to let everybody in: azd env set RESTRICT_TO_ASSIGNED_USERS false && azd provision)',
}
const administrator: Remedy = {
  cause: 'An administrator has not consented to a scope that this client asks for.',
  fix: 'Ask an administrator    (docs/tools.md, "Scopes of type Admin", has the command)',
}
const secret: Remedy = {
  cause: 'The secret is not, or no longer, one of this app.',
  fix: 'Set ENTRA_CLIENT_SECRET anew.',
}

/** Where the table of azd’s scripts names a command that does not help a caller. */
const OWN: Readonly<Record<string, Remedy>> = {
  AADSTS700016: {
    cause: 'This tenant does not know the client id.',
    fix: '--client-id <id>    (azd env get-value ENTRA_PUBLIC_CLIENT_ID)',
  },
  AADSTS50105: unassigned,
  AADSTS501051: unassigned,
  AADSTS65001: administrator,
  AADSTS90094: administrator,
  // What comes back to a client when somebody leaves the page that says AADSTS90094.
  consent_required: administrator,
  AADSTS7000218: {
    cause:
      'Device codes are off for this client, because a user who is talked into typing one signs a stranger in.',
    fix: 'Sign in with a browser    (or: azd env set ALLOW_DEVICE_CODE true && azd provision)',
  },
  AADSTS7000215: secret,
  AADSTS7000222: secret,
  AADSTS70018: { cause: 'Somebody pressed Cancel.', fix: LOGIN },
}

/** `better`: what a caller of another kind needs. Entra's number only: its texts name people and apps. MSAL's errors lose it while they wait for a device code. */
export function signInProblem(
  error: unknown,
  { outage, refusal }: EntraHttp,
  better: Readonly<Record<string, Remedy>> = {},
): Problem {
  if (error instanceof Problem) return error
  if (outage) return comeBack('Entra ID', outage.retryAfterSeconds)
  const [code] = refusal?.error_codes ?? []
  const number = code === undefined ? /AADSTS\d+/.exec(String(error))?.[0] : `AADSTS${code}`
  const name = number ?? (error instanceof AuthError ? error.errorCode : 'unknown')
  const { cause, fix } = better[name] ??
    OWN[name] ??
    signInRemedyOf(name, LOGIN) ?? {
      cause: 'Entra ID gives no token for this server.',
      fix: number
        ? `https://login.microsoftonline.com/error?code=${number.slice(6)}    (what it means)`
        : LOGIN,
    }
  return new Problem({ what: `The sign-in was refused: ${name}`, why: cause, fix })
}
