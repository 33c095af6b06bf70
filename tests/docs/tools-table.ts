/**
 * Writes the table of tools into README.md: from infra/permissions.json and the tools themselves, so that nobody has
 * to believe it. Part of `npm run snapshots`; alone: `node tests/docs/tools-table.ts`.
 */
import { writeFile } from 'node:fs/promises'
import { type Declaration, loadDeclaration, type ToolPermission } from '../../app/declaration.ts'
import { USUAL_TOOL_SETS } from '../../app/permissions.ts'
import { allTools } from '../../app/tools/all.ts'
import { table, withGenerated } from './generated.ts'

export const README = new URL('../../README.md', import.meta.url)

/** Who may call it, in words. */
export const whoOf = (tool: ToolPermission, declaration: Declaration) =>
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
      return [name, `\`${tool.name}\``, whoOf(tool, declaration), found.listed.description]
    }),
  )
  return table(['tool set', 'tool', 'for', 'does'], rows)
}

/** README.md with the table as it should be. */
export const currentReadme = (): Promise<string> =>
  withGenerated(README, { tools: toolsTable(loadDeclaration()) })

if (import.meta.main) await writeFile(README, await currentReadme())
