import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
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

type Part = string | number | Html | readonly Html[]

const render = (part: Part): string => {
  if (part instanceof Html) return part.text
  if (typeof part === 'object') return part.map(({ text }) => text).join('')
  return String(part).replace(/[&<>"']/g, (letter) => entities[letter] ?? '')
}

/** Escapes whatever is put in, unless it came from here. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]) =>
  new Html(String.raw({ raw: strings }, ...parts.map(render)))

const style = readFileSync(new URL('page.css', import.meta.url), 'utf8')

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
