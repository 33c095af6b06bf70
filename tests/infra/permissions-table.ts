/**
 * Writes docs/permissions.md: who holds which right on what, and why. Read from infra/permissions.json and the
 * predicted deployment, so that nobody has to believe a table. `--check` fails when the file is not current.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { type Declaration, loadDeclaration } from '../../app/declaration.ts'
import { selectPermissions, USUAL_TOOL_SETS } from '../../app/permissions.ts'
import { whoOf } from '../docs/tools-table.ts'
import { Prediction } from './prediction.ts'
import { rightsIn } from './rights.ts'

export const TABLE = new URL('../../docs/permissions.md', import.meta.url)

const table = (heads: string[], rows: string[][]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** The page, from the predicted deployment with default parameters. */
export const page = (declaration: Declaration, prediction: Prediction): string => {
  const sets = declaration.toolSets
  const code = (names: readonly (string | undefined)[]) =>
    names
      .filter(Boolean)
      .map((name) => `\`${name}\``)
      .join(', ')
  const tools = sets.flatMap((set) =>
    set.tools.map((tool) => [
      set.name,
      code([tool.name]),
      code([tool.scope, tool.role]),
      whoOf(tool, declaration),
      [...tool.downstreamApis, ...tool.sources.map((name) => `${name} where on`)].join(', '),
    ]),
  )
  const downstream = sets.flatMap((set) =>
    set.downstreamPermissions.map(({ api, value, reason }) => [set.name, api, code([value]), reason]),
  )
  const scopes = [{ name: 'always', scopes: declaration.scopes }, ...sets]
  return `# Who holds which right on what, and why

For everyone who must justify the permissions in a review.

Generated from \`infra/permissions.json\` and the predicted deployment with default parameters by
\`node tests/infra/permissions-table.ts\`; a test fails when it is not current. Every declared right is listed here,
except those of the pipeline's identities: [docs/pipeline.md](pipeline.md).

${table(['who', 'right', 'on', 'why'], rightsIn(selectPermissions(declaration), prediction))}

Two things follow from a deployment by a person. Entra makes this person an owner of the apps and groups, and an owner
of an app may add a credential to it. If \`ADMIN_MEMBERS\` is empty, the person becomes a member of the admin group.

The dev API app and every row about it are absent with \`LOCAL_DEVELOPMENT=false\`. Delegated rights on other APIs count
once an administrator's consent is recorded (\`npm run consent\`).

## What each tool asks for

Of the tool sets that are on: \`TOOL_SETS\`, by default \`${USUAL_TOOL_SETS}\`. The rights above are those of the default.

${table(['tool set', 'tool', 'scope or role', 'for', 'downstream API'], tools)}

## What each tool set asks for on behalf of the user

${table(['tool set', 'downstream API', 'permission', 'what for'], downstream)}

## Scopes

${table(
  ['tool set', 'scope', 'who may consent', 'lets a client'],
  scopes.flatMap((set) =>
    set.scopes.map(({ value, type, adminConsentDescription }) => [
      set.name,
      code([value]),
      type === 'User' ? 'users' : 'administrators',
      adminConsentDescription,
    ]),
  ),
)}
`
}

const DEFAULTS = new URL('./defaults.snapshot.json', import.meta.url)

/** The page from permissions.json and a snapshot with default parameters; the committed one when left out. */
export async function currentPage(snapshot?: string): Promise<string> {
  const prediction = snapshot ?? (await readFile(DEFAULTS, 'utf8'))
  return page(loadDeclaration(), Prediction.parse(JSON.parse(prediction)))
}

const [option, ...more] = import.meta.main ? process.argv.slice(2) : []
if (more.length > 0 || (option !== undefined && option !== '--check')) {
  console.log('npm run permissions [-- --check]\nWrites docs/permissions.md, or compares it only.')
  process.exitCode = option === '--help' ? 0 : 1
} else if (import.meta.main) {
  const current = await currentPage()
  if (!process.argv.includes('--check')) {
    await writeFile(TABLE, current)
    console.log('docs/permissions.md')
  } else if (current !== (await readFile(TABLE, 'utf8').catch(() => ''))) {
    console.error('docs/permissions.md is not current. Run: node tests/infra/permissions-table.ts')
    process.exitCode = 1
  }
}
