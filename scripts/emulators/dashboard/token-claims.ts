import type { JWTPayload } from 'jose'
import { type Html, html } from '../entra/page.ts'
import type { Call, Dashboard } from './dashboard.ts'

type Check = Readonly<{
  /** `refuses`: another value and the token is refused. `reads`: the value decides what the caller may do. */
  does: 'refuses' | 'reads'
  how: string
}>

/** What the server does with each claim; every other one it does not look at (app/auth/verifier.ts). */
export const CHECKS: Readonly<Record<string, Check>> = {
  aud: { does: 'refuses', how: 'the client id of the API app, nothing else' },
  iss: { does: 'refuses', how: 'this tenant, character by character' },
  tid: { does: 'refuses', how: 'this tenant' },
  ver: { does: 'refuses', how: '2.0' },
  exp: { does: 'refuses', how: 'not over; clocks may differ by 5 minutes' },
  nbf: { does: 'refuses', how: 'begun; clocks may differ by 5 minutes' },
  iat: { does: 'refuses', how: 'at most 24 hours ago' },
  oid: { does: 'refuses', how: 'a GUID: it is the user, and the partition of the data' },
  scp: { does: 'refuses', how: 'there for a person, with the scope of the tool; not there for an app' },
  idtyp: { does: 'refuses', how: 'user or app, if it is there' },
  azp: { does: 'reads', how: 'one of ALLOWED_CLIENTS, if those are set; written into the audit line' },
  roles: { does: 'reads', how: 'has to hold the role of the tool, if it needs one' },
  xms_cc: { does: 'reads', how: 'cp1: the client understands a claims challenge' },
}

const DATES = ['exp', 'nbf', 'iat']
const SIGNS = { refuses: '✓ checked', reads: '· read' }

/** A value for people: names beside ids, dates beside seconds. */
export function claimValue(dashboard: Dashboard, name: string, value: unknown): Html {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const known = DATES.includes(name)
    ? `${new Date(Number(value) * 1000).toISOString().slice(0, 19)}Z`
    : dashboard.nameOf(value)
  return html`<code>${text}</code>${known && known !== text ? html` <small>${known}</small>` : ''}`
}

function row(dashboard: Dashboard, { decision }: Call, name: string, value: unknown): Html {
  const check = CHECKS[name]
  if (name === 'scp' && decision.decision === 'deny:scope')
    return html`<tr class="refused"><th scope="row"><code>scp</code></th><td>${claimValue(dashboard, name, value)}</td>
<td>✗ missing</td><td>the scope of the tool, <code>${dashboard.toolOf(decision)?.scope ?? ''}</code></td></tr>`
  return html`<tr class="${check?.does ?? 'ignores'}"><th scope="row"><code>${name}</code></th>
<td>${claimValue(dashboard, name, value)}</td>
<td>${check ? SIGNS[check.does] : '– not looked at'}</td><td>${check?.how ?? ''}</td></tr>`
}

/** In the order of the checks; what nobody looks at comes last. */
function ordered(claims: JWTPayload): [string, unknown][] {
  const names = Object.keys(CHECKS)
  const rank = (name: string) => (names.includes(name) ? names.indexOf(name) : names.length)
  return Object.entries(claims).toSorted(([a], [b]) => rank(a) - rank(b))
}

/** The token of a call, claim by claim. Its signature is not shown, so nobody can use what is seen here. */
export function tokenSection(dashboard: Dashboard, call: Call): Html {
  const { decision, token } = call
  if (!token) {
    const why =
      decision.decision === 'deny:token'
        ? html`The server refused the request before it knew who calls: <code>${decision.reason}</code>.`
        : html`The tenant has issued no token for this call.`
    return html`<p>${why}</p>`
  }
  return html`<p class="note">The newest token that this caller got through this client.</p>
<table><thead><tr><th>claim</th><th>value</th><th>server</th><th>has to be</th></tr></thead>
<tbody><tr class="refuses"><th scope="row">signature</th><td>not shown</td><td>${SIGNS.refuses}</td>
<td>RS256 with a key that the tenant publishes</td></tr>
${ordered(token).map(([name, value]) => row(dashboard, call, name, value))}</tbody></table>`
}
