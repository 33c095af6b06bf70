/**
 * Writes the tables of docs/troubleshooting.md: to each message what the scripts themselves answer to it, so that page and
 * terminal say one thing. Part of `npm run snapshots`; alone: `node tests/docs/troubleshooting.ts`.
 */
import { writeFile } from 'node:fs/promises'
import { EntraHttp } from '../../app/auth/entra-http.ts'
import { deadlines } from '../../app/deadline.ts'
import { type Remedy, remedyOf, signInRemedyOf } from '../../scripts/cli/remedies.ts'
import { signInProblem } from '../../scripts/client/entra.ts'
import { DirectoryError } from '../../scripts/graph/directory-error.ts'
import { CLIENT_MESSAGES, DIRECTORY_MESSAGES, SIGN_IN_MESSAGES } from '../scripts/cli/messages.ts'
import { asMarkdown, table, withGenerated } from './generated.ts'

export const TROUBLESHOOTING = new URL('../../docs/troubleshooting.md', import.meta.url)

type Row = Remedy & { message: string }

/** What azd, the server or a tool says, where no script of ours can answer; `said` names a file with these words. */
export const OTHERS: readonly (Row & { said: string })[] = [
  {
    message: '`AADSTS50013` in the server’s log: Assertion failed signature validation.',
    cause: 'The token to be exchanged was issued for another app.',
    fix: 'npm run verify    (then sign in again with the URL of this environment)',
    said: 'scripts/emulators/entra/refusals.ts',
  },
  {
    message:
      '`AADSTS500131` in the server’s log: Assertion audience does not match the Client app presenting the assertion.',
    cause: 'The token to be exchanged was issued for another app.',
    fix: 'npm run verify    (then sign in again with the URL of this environment)',
    said: 'scripts/emulators/entra/refusals.ts',
  },
  {
    message:
      '`AADSTS7000114` in the server’s log: Application is not allowed to make application on-behalf-of calls.',
    cause: 'An app-only token cannot be exchanged on behalf of a user.',
    fix: 'Call with the token of a user    (npm run client, without --service)',
    said: 'scripts/emulators/entra/refusals.ts',
  },
  {
    message: '`Permission Id that cannot be found` (400), from `azd provision`',
    cause: 'A client was pre-authorized for a scope that is not there or not enabled.',
    fix: 'azd provision --no-state',
    said: 'tests/scripts/emulators/graph/application-rules.ts',
  },
  {
    message: '`CredentialTypeNotAllowedAsPerAppPolicy` (400)',
    cause: 'A policy of the tenant forbids client secrets. `azd up` continues without one.',
    fix: 'npm start    (or use a certificate, or get an exception for the dev API app and run npx node scripts/identity/dev-credential.ts)',
    said: 'scripts/identity/dev-secret.ts',
  },
  {
    message: '`CredentialInvalidLifetimeAsPerAppPolicy` (400)',
    cause:
      'A policy of the tenant forbids even a client secret with the shortest lifetime. `azd up` continues without one.',
    fix: 'npm start    (or use a certificate, or get an exception for the dev API app and run npx node scripts/identity/dev-credential.ts)',
    said: 'scripts/identity/dev-secret.ts',
  },
  {
    message: '`RoleAssignmentUpdateNotPermitted`, from `azd provision`',
    cause:
      'The server’s managed identity was deleted by hand and created again. The role assignments of the old one are in the way.',
    fix: 'azd provision --no-state    (before that, remove the assignments of "Identity not found" in the portal, on the registry, Application Insights and Cosmos DB)',
    said: 'https://learn.microsoft.com/azure/role-based-access-control/troubleshooting',
  },
  {
    message: '`managed_identity_refused` in the server’s log, with `identity` and `status`',
    cause: 'The container app does not have the managed identity that AZURE_CLIENT_ID names.',
    fix: 'azd provision --no-state',
    said: 'app/auth/downstream.ts',
  },
  {
    message: '403 with a `substatus` in the server’s log, alert `store-refusals`',
    cause:
      'The managed identity has lost its right to the data, or the firewall of Cosmos DB blocks the server.',
    fix: 'azd provision --no-state',
    said: 'app/telemetry/fault.ts',
  },
  {
    message: '`Deployed before and gone from the directory`',
    cause: 'An app was deleted by hand, and azd would skip the unchanged template.',
    fix: 'npm run recycle-bin -- restore    (or azd env set ENTRA_CLIENT_ID "" && azd provision --no-state)',
    said: 'scripts/identity/preflight-objects.ts',
  },
  {
    message: '`azd gives no token for Microsoft Graph`',
    cause: 'Nobody is signed in to azd, or the sign-in is for another tenant.',
    fix: 'azd auth login --tenant-id <tenant>',
    said: 'scripts/cli/operator.ts',
  },
]

/** Runs to the next punctuation: whoever writes a remedy ends a command with it. */
const COMMAND = /\b(?:azd|npm run|npm start|npx node|gh run)\b(?: (?:[^\s,;:().]|[:.](?=\S))+)*/g
const NAME =
  /\b(?:[A-Z]+_)+[A-Z]+\b|(?<![\w-])--[a-z][\w-]*|\binfra\/permissions\.json|(?<!\S)\.env\b|"isEnabled": false/g

/** Nothing inside of code or of a link. */
const coded = (text: string, pattern: RegExp): string =>
  text
    .split(/(`[^`]*`|\[[^\]]*\]\([^)]*\))/)
    .map((part, at) => (at % 2 ? part : part.replaceAll(pattern, '`$&`')))
    .join('')

/** As Markdown: variables, options and files as code too. */
const asText = (text: string): string => coded(asMarkdown(text), NAME)

/** The command first, then what is to be known about it. */
function fixAsText(fix: string): string {
  const [, first = '', note] = /^(.*?)(?: {4}\((.*)\))?$/s.exec(fix) ?? []
  const isCommand = /^(?:azd|npm|npx|gh) /.test(first)
  const instruction = (text: string) => asText(coded(text, COMMAND))
  return `${isCommand ? `\`${first}\`` : instruction(first)}${note ? ` (${instruction(note)})` : ''}`
}

const rows = (all: readonly Row[]): string =>
  table(
    ['message', 'cause', 'command'],
    all.map(({ message, cause, fix }) => [asText(message), asText(cause), fixAsText(fix)]),
  )

const nobody = new EntraHttp('Microsoft Entra ID', deadlines.exchange, 'https://login.microsoftonline.com')

/** What the scripts say; where only a client of ours knows better, what that says. */
function answerTo(code: number): Remedy {
  const known = code in SIGN_IN_MESSAGES ? signInRemedyOf(`AADSTS${code}`) : undefined
  if (known) return known
  const { why: cause, fix } = signInProblem(new Error(`AADSTS${code}`), nobody)
  return { cause, fix }
}

const signIns = (): Row[] =>
  Object.entries({ ...SIGN_IN_MESSAGES, ...CLIENT_MESSAGES }).map(([code, text]) => ({
    message: `\`AADSTS${code}\`: ${text}`,
    ...answerTo(Number(code)),
  }))

const directory = (): Row[] =>
  DIRECTORY_MESSAGES.map(([status, code, detail]) => ({
    message: `\`${code}\` (${status}): ${detail}`,
    ...remedyOf(new DirectoryError('', status, { error: { code, message: detail } }, undefined)),
  }))

export const currentTroubleshooting = (): Promise<string> =>
  withGenerated(TROUBLESHOOTING, {
    'sign-ins': rows(signIns()),
    directory: rows(directory()),
    others: rows(OTHERS),
  })

if (import.meta.main) await writeFile(TROUBLESHOOTING, await currentTroubleshooting())
