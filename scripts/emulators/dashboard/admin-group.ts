import { type Html, html } from '../entra/page.ts'
import type { Call, Dashboard } from './dashboard.ts'

const FOUND: Readonly<Record<string, string>> = {
  'accept tool': 'member, read from Microsoft Graph',
  'deny:group not_admin': 'not a member, read from Microsoft Graph',
  'deny:group membership_unknown': 'could not be read from Microsoft Graph',
}

/** What the server found out before a tool for admins, as its audit line says; a service needs an app role instead. */
export function adminGroup(dashboard: Dashboard, { decision }: Call): Html {
  const found = FOUND[`${decision.decision} ${decision.reason}`]
  if (!found || !dashboard.toolOf(decision)?.admin || decision.caller === 'service') return html``
  return html`<p>Admin group: <strong>${found}</strong>. What was read counts for 5 minutes.</p>`
}
