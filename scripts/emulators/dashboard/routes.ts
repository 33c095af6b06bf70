import { readFileSync } from 'node:fs'
import { type RequestHandler, type Response, Router } from 'express'
import { isLoopback } from '../../../app/loopback.ts'
import { type Html, html, sendPage } from '../entra/page.ts'
import { type Call, type Dashboard, isProtocol, REMEMBERED } from './dashboard.ts'
import { exchangeSection } from './exchange.ts'
import { identityMap } from './identity-map.ts'
import { tokenSection } from './token-claims.ts'

const textOf = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')
const style = textOf('page.css')
const script = textOf('page.js')

const time = (text: string) => text.slice(11, 19)

function row(dashboard: Dashboard, call: Call, isShown: boolean): Html {
  const { decision } = call
  const { oid, client, tool, outcome, reason, obo, request_id: id, count } = decision
  const who = oid === undefined ? 'nobody known' : (dashboard.nameOf(oid) ?? oid)
  const when = time(decision.time)
  return html`<tr ${isProtocol(call) ? html`class="protocol"` : ''} ${isShown ? html`aria-current="true"` : ''}>
<td>${id ? html`<a href="/?decision=${id}">${when}</a>` : when}</td>
<td>${who}</td><td>${client === undefined ? '' : (dashboard.nameOf(client) ?? client)}</td>
<td><code>${tool ?? ''}</code></td><td class="${outcome}">${outcome}</td>
<td><code>${decision.decision}</code> ${reason}${count === undefined ? '' : `, ${count} more`}</td>
<td>${obo ?? ''}</td></tr>`
}

function decisionList(dashboard: Dashboard, shown: Call | undefined): Html {
  const rows = dashboard.calls.map((call) => row(dashboard, call, call === shown))
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Decisions">
<table id="decisions"><thead><tr><th>time (UTC)</th><th>who</th><th>client</th><th>tool</th>
<th>outcome</th><th>decision</th><th>exchange</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

const FOUND: Readonly<Record<string, string>> = {
  'accept tool': 'member, read from Microsoft Graph',
  'deny:group not_admin': 'not a member, read from Microsoft Graph',
  'deny:group membership_unknown': 'could not be read from Microsoft Graph',
}

/** What the server found out before a tool for admins, as its audit line says; a service needs an app role instead. */
function adminGroup(dashboard: Dashboard, { decision }: Call): Html {
  const found = FOUND[`${decision.decision} ${decision.reason}`]
  if (!found || !dashboard.toolOf(decision)?.admin || decision.caller === 'service') return html``
  return html`<p>Admin group: <strong>${found}</strong>. What was read counts for 5 minutes.</p>`
}

const NOTHING = html`<p>Nothing has happened yet. Call a tool: from VS Code, from MCP Inspector, or with
<code>npm run client -- get_expense_stats</code>.</p>`

const GONE = html`<p>The chosen decision is no longer kept: the last ${REMEMBERED} are.
<a href="/">Show the newest</a>.</p>`

/** `shown`: the request id of the decision that the parts below are about; without one it is the newest of a tool. */
function content(dashboard: Dashboard, shown: unknown): Html {
  const { calls } = dashboard
  const newest = calls.find((one) => !isProtocol(one)) ?? calls[0]
  const call = shown ? calls.find(({ decision }) => decision.request_id === shown) : newest
  const map = html`<h2>Identity map</h2>${identityMap(dashboard, call)}`
  if (!newest) return html`${NOTHING}${map}`
  const list = decisionList(dashboard, call)
  if (!call) return html`${list}${GONE}${map}`
  return html`${list}
<h2>Token of the call</h2>${tokenSection(dashboard, call)}
<h2>On-behalf-of exchange</h2>${exchangeSection(dashboard, call)}${adminGroup(dashboard, call)}
${map}`
}

/** A page of a foreign site that resolves its own name to this machine says that name here. */
const loopbackOnly: RequestHandler = ({ headers: { host = '' } }, response, next) => {
  const url = `http://${host}`
  if (URL.canParse(url) && isLoopback(new URL(url))) return next()
  response.status(403).type('text').send('This page is for this machine: open it as http://localhost.')
}

function sendEvents(dashboard: Dashboard, shown: unknown, response: Response): void {
  const send = () => response.write(`data: ${JSON.stringify(content(dashboard, shown).text)}\n\n`)
  response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }).flushHeaders()
  dashboard.events.on('call', send)
  response.once('close', () => dashboard.events.off('call', send))
  send()
}

/** `/` for people, and `/decisions` for its script: the same content again after each decision. */
export function dashboardRoutes(dashboard: Dashboard): Router {
  const router = Router()
  router.get('/', loopbackOnly, ({ query }, response) => {
    const body = html`<p class="note">What the server decides on this machine, and what the tenant has issued for it.</p>
<p id="consent" role="status"></p><p id="state" role="status"></p>
<label class="note"><input type="checkbox" id="protocol"> show lists and other messages without a tool</label><div id="live">${content(dashboard, query.decision)}</div>`
    response.set('Cache-Control', 'no-store')
    sendPage(response, 'What happens', body, { style, script, isLive: true })
  })
  router.get('/decisions', loopbackOnly, ({ query }, response) => {
    sendEvents(dashboard, query.decision, response)
  })
  return router
}
