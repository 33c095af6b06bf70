import { z } from 'zod'

const unescaped = (text: string) =>
  text.replaceAll(/&(amp|quot|#39|lt|gt);/g, (_, name: string) => ENTITIES.parse(name))
const ENTITIES = z
  .enum(['amp', 'quot', '#39', 'lt', 'gt'])
  .transform((name) => ({ amp: '&', quot: '"', '#39': "'", lt: '<', gt: '>' })[name])

/** Where the form of a page goes and what it carries, the fields that a browser would send unseen. */
function formOf(html: string, page: string) {
  const action = unescaped(/<form method="post" action="([^"]+)"/.exec(html)?.[1] ?? '')
  const fields = Array.from(html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g))
  return {
    action: new URL(action, page),
    body: new URLSearchParams(
      fields.map(([, name = '', value = '']): [string, string] => [name, unescaped(value)]),
    ),
  }
}

/** Does what a person does in a browser: picks the account when asked, and lets the page return to the client. */
export async function browse(page: string, user: string): Promise<void> {
  let html = await (await fetch(page)).text()
  if (html.includes('Pick an account')) {
    const { action, body } = formOf(html, page)
    body.set('user', `${user.toLowerCase()}@contoso.example`)
    html = await (await fetch(action, { method: 'POST', body })).text()
  }
  const { action, body } = formOf(html, page)
  await fetch(action, { method: 'POST', body })
}
