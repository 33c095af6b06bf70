import { randomBytes } from 'node:crypto'
import type { Response } from 'express'

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Markup that was escaped, so that it may stand in other markup. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | Html | readonly Html[]

const render = (part: Part): string => {
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (letter) => entities[letter] ?? '')
  return part instanceof Html ? part.text : part.map(({ text }) => text).join('')
}

/** Escapes whatever is put in, unless it came from here. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]) =>
  new Html(String.raw({ raw: strings }, ...parts.map(render)))

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f2f2f2, #1b1b1b) }
main { box-sizing: border-box; width: min(28rem, 100vw); padding: 2rem; background: light-dark(#fff, #292929);
  box-shadow: 0 2px 6px rgb(0 0 0 / 20%); overflow-wrap: anywhere }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }
form { display: grid; gap: .5rem; margin-top: 1.25rem }
button { font: inherit; padding: .75rem 1rem; text-align: start; cursor: pointer; color: inherit;
  background: light-dark(#f7f7f7, #333); border: 1px solid #8a8a8a; border-radius: 2px }
button:hover { background: light-dark(#e6f0fa, #3d4a57) }
:focus-visible { outline: 3px solid light-dark(#0067b8, #6cb8f6); outline-offset: 2px }
button span { display: block; font-size: .875rem }
input { font: inherit; padding: .5rem; border: 1px solid #8a8a8a; text-transform: uppercase }
.note { font-size: .875rem; color: light-dark(#595959, #c0c0c0) }
pre { white-space: pre-wrap; font-size: .8125rem }
summary { cursor: pointer; padding: .5rem 0 }
details div { display: grid; gap: .5rem }
`

type Options = {
  status?: number
  formAction?: string
  script?: string
  /** Beside the style of every page. */
  style?: string
  /** Its script may ask this server for more. */
  isLive?: boolean
}

/** A whole page that can load nothing, be framed by nobody and post only where it should. */
export function sendPage(response: Response, title: string, body: Html, options: Options = {}): void {
  const nonce = randomBytes(16).toString('base64')
  const { status = 200, formAction = "'self'", script, style: further = '', isLive = false } = options
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    ...(script === undefined ? [] : [`script-src 'nonce-${nonce}'`]),
    ...(isLive ? ["connect-src 'self'"] : []),
    `form-action ${formAction}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style nonce="${nonce}">${new Html(style + further)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
${script === undefined ? '' : html`<script nonce="${nonce}">${new Html(script)}</script>`}
</body>
</html>
`
  response
    .status(status)
    .set({
      'Content-Security-Policy': policy.join('; '),
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    })
    .type('html')
    .send(page.text)
}

/** Chromium holds redirects after a form post to `form-action` as well, so the client's address must be in it. */
export function formTarget(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri)
  return origin === 'null' ? protocol : origin
}
