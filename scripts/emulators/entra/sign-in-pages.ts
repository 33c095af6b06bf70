import type { Response } from 'express'
import type { User } from '../directory-objects.ts'
import type { Entra } from './entra.ts'
import { formTarget, html, sendPage } from './page.ts'
import { type EntraError, errorBody } from './refusals.ts'
import type { PendingSignIn, ResponseMode, ReturnAddress } from './session.ts'

const button = ({ id, displayName, userPrincipalName }: User, goodFor = '') =>
  html`<button name="user" value="${id}">${displayName}<span>${userPrincipalName}</span>
${goodFor && html`<span class="note">${goodFor}</span>`}</button>`

/** Those who are good for one thing only are folded away, each with that thing. */
function userButtons({ directory: { users }, moreToTry }: Entra) {
  const first = users.filter(({ id }) => !moreToTry.has(id))
  const more = users.filter(({ id }) => moreToTry.has(id))
  const folded = html`<details><summary>More people to try</summary>
<div>${more.map((user) => button(user, moreToTry.get(user.id)))}</div></details>`
  return [...first.map((user) => button(user)), ...(more.length > 0 ? [folded] : [])]
}

const note = html`<p class="note">An emulator of Microsoft Entra ID on this machine: no password, no account.</p>`

/** Who is it? `ticket` names the pending sign-in, so that nothing of the request passes through the page. */
export function sendAccountPicker(
  response: Response,
  entra: Entra,
  pending: PendingSignIn,
  ticket: string,
): void {
  const { client, redirectUri } = pending.address
  const name = html`<strong>${client.displayName}</strong>`
  const aim = pending.consents
    ? html`to allow ${name} to use ${pending.scope} for every user`
    : html`to continue to ${name}`
  const body = html`<p>${aim}</p>
<form method="post" action="/${entra.tenantId}/oauth2/v2.0/signin">
<input type="hidden" name="ticket" value="${ticket}">
${userButtons(entra)}
</form>
${note}`
  sendPage(response, 'Pick an account', body, { formAction: `'self' ${formTarget(redirectUri)}` })
}

export function sendRefusal(response: Response, refusal: EntraError, now: number): void {
  const body = html`<p>Sorry, but we’re having trouble signing you in.</p>
<pre>${errorBody(refusal, now).error_description}</pre>`
  sendPage(response, 'Sign in', body, { status: 400 })
}

export function sendNotice(response: Response, title: string, text: string): void {
  sendPage(response, title, html`<p>${text}</p>`)
}

export function sendCodeForm(response: Response, entra: Entra, problem?: string): void {
  const body = html`${problem === undefined ? '' : html`<p role="alert">${problem}</p>`}
<form method="post" action="/${entra.tenantId}/oauth2/deviceauth">
<label for="code">Code displayed on your app or device</label>
<input id="code" name="user_code" required autocomplete="off" autofocus>
<button>Next</button>
</form>
${note}`
  sendPage(response, 'Enter code', body, { status: problem === undefined ? 200 : 400 })
}

export function sendDevicePicker(response: Response, entra: Entra, appName: string, userCode: string): void {
  const body = html`<p>You’re signing in to <strong>${appName}</strong> on another device. Go on only if you
started that yourself.</p>
<form method="post" action="/${entra.tenantId}/oauth2/deviceauth">
<input type="hidden" name="user_code" value="${userCode}">
${userButtons(entra)}
<button name="decline" value="1">Cancel</button>
</form>`
  sendPage(response, 'Pick an account', body)
}

/** Delivers an answer to the client in the way it asked for. */
export function sendToClient(
  response: Response,
  address: ReturnAddress,
  answer: Record<string, string>,
): void {
  const { redirectUri, responseMode, state } = address
  const parameters = { ...answer, ...(state === undefined ? {} : { state }) }
  if (responseMode === 'form_post') sendForm(response, redirectUri, parameters)
  else response.redirect(302, withParameters(redirectUri, responseMode, parameters))
}

function sendForm(response: Response, redirectUri: string, parameters: Record<string, string>): void {
  const inputs = Object.entries(parameters).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  const body = html`<form method="post" action="${redirectUri}">${inputs}<button>Continue</button></form>`
  const script = 'document.forms[0].submit()'
  sendPage(response, 'Working…', body, { formAction: formTarget(redirectUri), script })
}

function withParameters(redirectUri: string, mode: ResponseMode, parameters: Record<string, string>): string {
  const target = new URL(redirectUri)
  if (mode === 'fragment') target.hash = new URLSearchParams(parameters).toString()
  else for (const [name, value] of Object.entries(parameters)) target.searchParams.append(name, value)
  return target.href
}
