/**
 * Writes docs/permissions.md: who holds which right on what, and why. Read from infra/permissions.json and the
 * predicted deployment, so that nobody has to believe a table. `--check` fails when the file is not current.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Prediction } from './prediction.ts'
import { Declaration, rightsIn } from './rights.ts'

export const TABLE = new URL('../../docs/permissions.md', import.meta.url)

const table = (heads: string[], rows: string[][]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** The page, from the predicted deployment with default parameters. */
export const page = (declaration: Declaration, prediction: Prediction): string => {
  const tools = declaration.tools.map((tool) => [
    `\`${tool.name}\``,
    [tool.scope, tool.role]
      .filter(Boolean)
      .map((right) => `\`${right}\``)
      .join(', '),
    tool.admin ? 'admin group' : 'everybody who gets a token',
    tool.downstreamApi ?? '',
  ])
  return `# Who holds which right on what, and why

For whoever must defend every permission in a review.

Generated from \`infra/permissions.json\` and the predicted deployment with default parameters by
\`node tests/infra/permissions-table.ts\`; a test fails when it is not current. Nobody holds a right that is not here, but for the identities of the pipeline: [docs/pipeline.md](pipeline.md).

${table(['who', 'right', 'on', 'why'], rightsIn(declaration, prediction))}

The dev API app and every row about it are absent with \`LOCAL_DEVELOPMENT=false\`. Delegated rights on other APIs count
once an administrator's consent is recorded (\`npm run consent\`).

## What each tool asks for

${table(['tool', 'scope or role', 'for', 'downstream API'], tools)}

## Scopes

${table(
  ['scope', 'who may consent', 'lets a client'],
  declaration.scopes.map((s) => [
    `\`${s.value}\``,
    s.type === 'User' ? 'users' : 'administrators',
    s.adminConsentDescription,
  ]),
)}
`
}

const DEFAULTS = new URL('./defaults.snapshot.json', import.meta.url)

/** The page from permissions.json and a snapshot with default parameters; the committed one when left out. */
export async function currentPage(snapshot?: string): Promise<string> {
  const declaration = await readFile(new URL('../../infra/permissions.json', import.meta.url), 'utf8')
  const prediction = snapshot ?? (await readFile(DEFAULTS, 'utf8'))
  return page(Declaration.parse(JSON.parse(declaration)), Prediction.parse(JSON.parse(prediction)))
}

if (import.meta.main) {
  const current = await currentPage()
  if (!process.argv.includes('--check')) {
    await writeFile(TABLE, current)
    console.log('docs/permissions.md')
  } else if (current !== (await readFile(TABLE, 'utf8').catch(() => ''))) {
    console.error('docs/permissions.md is not current. Run: node tests/infra/permissions-table.ts')
    process.exitCode = 1
  }
}
