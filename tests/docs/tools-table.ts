/**
 * Writes the table of tools into README.md: from infra/permissions.json and the tools themselves, so that nobody has
 * to believe it. Part of `npm run snapshots`; alone: `node tests/docs/tools-table.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { type Declaration, loadDeclaration, type ToolPermission } from '../../app/declaration.ts'
import { USUAL_TOOL_SETS } from '../../app/permissions.ts'
import { allTools } from '../../app/tools/all.ts'

export const README = new URL('../../README.md', import.meta.url)
const [START, END] = ['<!-- tools: generated -->\n', '\n<!-- /tools -->']

const whoOf = (tool: ToolPermission, declaration: Declaration) =>
  [
    peopleOf(tool, declaration),
    ...(tool.serviceRole ? [`services with the app role \`${tool.serviceRole}\``] : []),
  ].join('; ')

function peopleOf({ admin, scope, role }: ToolPermission, { scopes, toolSets }: Declaration): string {
  if (admin) return 'members of the admin group'
  const offered = [...scopes, ...toolSets.flatMap((set) => set.scopes)]
  const needs = [
    ...(scope && offered.find(({ value }) => value === scope)?.type === 'Admin'
      ? [`an administrator’s consent to \`${scope}\``]
      : []),
    ...(role ? [`the app role \`${role}\``] : []),
  ]
  return needs.length === 0 ? 'every user' : `who has ${needs.join(' and ')}`
}

/** Markdown: a row for each tool, set by set. */
export function toolsTable(declaration: Declaration): string {
  const usual = USUAL_TOOL_SETS.split(',')
  const rows = declaration.toolSets.flatMap((set) =>
    set.tools.map((tool) => {
      const found = allTools.find(({ listed }) => listed.name === tool.name)
      if (!found) throw new Error(`Tool ${tool.name} is not in app/tools/all.ts.`)
      const name = usual.includes(set.name) ? set.name : `${set.name} (off)`
      return [
        name,
        `\`${tool.name}\``,
        whoOf(tool, declaration),
        found.listed.description.replaceAll('|', '\\|'),
      ]
    }),
  )
  const heads = ['tool set', 'tool', 'for', 'does']
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** README.md with the table as it should be. */
export async function currentReadme(): Promise<string> {
  const page = await readFile(README, 'utf8')
  const [from, to] = [page.indexOf(START), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error('README.md has lost the marks around its table of tools.')
  return page.slice(0, from) + START + toolsTable(loadDeclaration()) + page.slice(to)
}

if (import.meta.main) await writeFile(README, await currentReadme())
