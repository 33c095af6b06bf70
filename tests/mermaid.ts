import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const mermaid = fileURLToPath(
  new URL('../node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js', import.meta.url),
)

/** Draws a Mermaid text in the page, as GitHub does in a comment; throws what Mermaid does not understand. */
export async function drawMermaid(page: Page, text: string, theme = 'default'): Promise<void> {
  await page.setContent('<pre class="mermaid"></pre>')
  await page.addScriptTag({ path: mermaid })
  // As a text for the page: it is not compiled here, where there is no document.
  await page.evaluate(`(async () => {
    const place = document.querySelector('pre')
    place.textContent = ${JSON.stringify(text)}
    mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', theme: '${theme}' })
    await mermaid.run({ nodes: [place], suppressErrors: false })
  })()`)
}
