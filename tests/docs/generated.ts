/** The parts of a page that are written by a program, each between two marks. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'

/** Markdown. A pipe in a cell would end it. */
export const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows.map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')))]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** The page with each part as it should be, by its name in the marks. Throws where a page has lost one, or has one more. */
export async function withGenerated(page: URL, parts: Readonly<Record<string, string>>): Promise<string> {
  let text = await readFile(page, 'utf8')
  const marked = [...text.matchAll(/^<!-- ([\w-]+): generated -->$/gm)].map(([, name = '']) => name)
  const [found, known] = [marked.toSorted().join(), Object.keys(parts).sort().join()]
  if (found !== known) throw new Error(`${basename(page.pathname)} has marks for ${found}, not for ${known}.`)
  for (const [name, part] of Object.entries(parts)) {
    const [start, end] = [`<!-- ${name}: generated -->\n`, `\n<!-- /${name} -->`]
    const [from, to] = [text.indexOf(start), text.indexOf(end)]
    if (to < from) throw new Error(`${basename(page.pathname)} has lost the mark <!-- /${name} -->.`)
    text = text.slice(0, from) + start + part + text.slice(to)
  }
  return text
}

/** As Markdown: addresses and placeholders as code (`<` is HTML), pages of `docs/` as links; what is code stays it. */
export const asMarkdown = (text: string): string =>
  text.replaceAll(
    /`[^`]*`|docs\/([\w-]+)\.md(#[\w-]+)?|[\w=:/.-]*<[^>]*>(?:[\w=;:/.-]|<[^>]*>)*(?<![;:.])|https?:\/\/[^\s;,()]*[^\s;,().:]/g,
    (found, page: string | undefined, anchor = '') => {
      if (page) return `[${page}](${page}.md${anchor})`
      return found.startsWith('`') ? found : `\`${found}\``
    },
  )
