import type { JWTPayload } from 'jose'
import { type Html, html } from '../entra/page.ts'
import type { Call, Dashboard } from './dashboard.ts'
import { claimValue } from './token-claims.ts'

/** The same thing has other names in a token of version 1, which Microsoft Graph still gets. */
const ROWS: readonly [meaning: string, ...names: string[]][] = [
  ['for (audience)', 'aud'],
  ['on behalf of', 'oid'],
  ['through', 'azp', 'appid'],
  ['proof of that app', 'azpacr', 'appidacr'],
  ['may', 'scp'],
  ['until', 'exp'],
]

const PROOFS: Readonly<Record<string, string>> = {
  0: 'none: a public client',
  1: 'a secret',
  2: 'a signed assertion',
}

function cell(dashboard: Dashboard, claims: JWTPayload, names: readonly string[]): Html {
  const name = names.find((one) => one in claims) ?? ''
  const value = claims[name]
  const words = name.endsWith('acr') ? PROOFS[String(value)] : undefined
  return html`<td><small>${name}</small> ${claimValue(dashboard, name, value)} ${words ? html`<small>${words}</small>` : ''}</td>`
}

const NOT_NEEDED = 'None: nothing had to be asked of another API for this call.'
const ENDED: Readonly<Record<string, string>> = {
  refused: 'Entra gave no token for this user; the reason stands in the decision.',
  failed: 'No token could be had; the reason stands in the decision.',
}

/** What the server got in exchange for the user's token, one column for each API, and how it signed in for that. */
export function exchangeSection(dashboard: Dashboard, call: Call): Html {
  const { decision, token, exchanged, fetched, proof } = call
  if (!token || exchanged.length === 0) return html`<p>${ENDED[decision.obo ?? ''] ?? NOT_NEEDED}</p>`
  const source =
    decision.obo === 'cache'
      ? 'What was needed came from the server’s cache; it had been exchanged for this very sign-in before.'
      : 'The server sent the user’s token to Entra and got another one, for each API whose token was not in its cache.'
  const signedIn = proof
    ? html`It signed in with the token of <strong>${dashboard.nameOf(proof.oid) ?? ''}</strong>
(<code>sub</code> ${String(proof.sub)}), which the app’s federated credential names. There is no secret.`
    : ''
  const titles = exchanged.map(
    (claims) =>
      html`<th>a token in exchange, ${fetched.includes(claims) ? 'fetched now' : 'from the cache'}</th>`,
  )
  const rows = ROWS.map(
    ([meaning, ...names]) => html`<tr><th scope="row">${meaning}</th>
${[token, ...exchanged].map((claims) => cell(dashboard, claims, names))}</tr>`,
  )
  return html`<p>${source} ${signedIn}</p>
<table><thead><tr><th></th><th>the user’s token</th>${titles}</tr></thead>
<tbody>${rows}</tbody></table>`
}
