/** What the client asks of Entra ID, and what a refusal of Entra means for whoever sits in front of it. */
import { AuthError, type NetworkRequestOptions, type NetworkResponse, ServerError } from '@azure/msal-node'
import { z } from 'zod'
import { EntraHttp } from '../../app/entra-http.ts'
import { Problem } from '../cli/problem.ts'
import { type Remedy, signInRemedyOf } from '../cli/sign-in-remedies.ts'
import { comeBack } from './challenge.ts'

const Refusal = z.object({ error: z.string(), error_description: z.string() })

/** MSAL's errors lose Entra's number while it waits for a device code, and it takes a refused one for a code. */
export class SignInHttp extends EntraHttp {
  refusal: string | undefined

  override async sendPostRequestAsync<T>(
    url: string,
    options?: NetworkRequestOptions,
  ): Promise<NetworkResponse<T>> {
    const answer = await super.sendPostRequestAsync<T>(url, options)
    const { data } = Refusal.safeParse(answer.body)
    this.refusal = data?.error_description
    if (data && url.endsWith('/devicecode')) throw new ServerError(data.error, '', data.error_description)
    return answer
  }
}

const LOGIN = 'npm run client -- --list'
const unassigned: Remedy = {
  cause: 'Only members of the two groups, and apps with a role, get a token of this server.',
  fix: 'Ask for membership in the users group    (directly: nested groups do not count)',
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
  AADSTS7000218: {
    cause: 'Device codes are off for this client: who is talked into typing one signs a stranger in.',
    fix: 'Sign in with a browser    (or: azd env set ALLOW_DEVICE_CODE true && azd provision)',
  },
  AADSTS7000215: secret,
  AADSTS7000222: secret,
  AADSTS70018: { cause: 'Somebody pressed Cancel.', fix: LOGIN },
}

/** Entra's number only: its texts name people and apps. */
export function signInProblem(error: unknown, { outage, refusal }: SignInHttp): Problem {
  if (error instanceof Problem) return error
  if (outage) return comeBack('Entra ID', outage.retryAfterSeconds)
  const message = error instanceof Error ? error.message : String(error)
  const number = /AADSTS\d+/.exec(`${refusal} ${message}`)?.[0]
  const code = error instanceof AuthError ? error.errorCode : 'unknown'
  const remedy = number && (OWN[number] ?? signInRemedyOf(number, LOGIN))
  const { cause, fix } = remedy || {
    cause: 'Entra ID gives no token for this server.',
    fix: number
      ? `https://login.microsoftonline.com/error?code=${number.slice(6)}    (what it means)`
      : LOGIN,
  }
  return new Problem({ what: `The sign-in was refused: ${number ?? code}`, why: cause, fix })
}
