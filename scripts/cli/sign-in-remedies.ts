/**
 * From the AADSTS number of a refused sign-in to its cause and what helps; the README has the same table.
 * Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
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
  fix: 'node scripts/identity/dev-credential.ts',
})

const REFUSALS: Readonly<Record<string, Of>> = {
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
    const remedy = REFUSALS[code]
    if (remedy) return remedy(login)
  }
  return undefined
}
