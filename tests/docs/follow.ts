/** Does what a section of a page says, word for word, in a copy of the repository. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { isOurs } from '../files.ts'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const COPIED = ['app', 'infra', 'scripts', 'tests', 'docs', 'package.json', 'tsconfig.json']

/** Indented blocks belong to a list; what is in them is not indented. */
const block = (name: string) => String.raw`\n+(?<${name}Indent> *)\`\`\`\w+\n(?<${name}>[\s\S]*?)^ *\`\`\`$`
const STEPS = new RegExp(
  [
    String.raw`Create \`(?<created>[^\`]+)\`:${block('content')}`,
    String.raw`In \`(?<changed>[^\`]+)\`, (?:delete:${block('gone')}|instead of:${block('old')}\n+ *write:${block('fresh')})`,
    String.raw`Delete the tool set \`(?<toolSet>[^\`]+)\` from \`infra/permissions\.json\`\.`,
    String.raw`Delete (?<deleted>(?:\`[^\`]+\`(?:, )?)+)\.`,
  ].join('|'),
  'gm',
)

const ToolSets = z.looseObject({ toolSets: z.array(z.looseObject({ name: z.string() })) })

const plain = (indent = '', text = '') => text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')

const stepsOf = (text: string, title: string) => {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? ''
  return [...section.matchAll(STEPS)].map(({ groups = {} }) => groups)
}

/** The text of every block that `follow(title)` reads. */
export const blocksFollowed = (text: string, title: string): string[] =>
  stepsOf(text, title).flatMap((step) =>
    ['content', 'gone', 'old', 'fresh'].map((name) => plain(step[`${name}Indent`], step[name]).trimEnd()),
  )

export type Copy = Awaited<ReturnType<typeof copyRepository>>

export async function copyRepository(page: string) {
  const folder = await mkdtemp(join(tmpdir(), 'customize-'))
  for (const name of COPIED)
    await cp(join(REPOSITORY, name), join(folder, name), { recursive: true, filter: isOurs })
  await symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const text = await readFile(join(folder, 'docs', page), 'utf8')
  const at = (path: string) => join(folder, ...path.split('/'))

  async function replace(path: string, old: string, fresh: string) {
    const content = await readFile(at(path), 'utf8')
    assert.equal(content.split(old).length, 2, `${path} has this not exactly once:\n${old}`)
    await writeFile(
      at(path),
      content.replace(old, () => fresh),
    )
  }

  async function removeSet(name: string) {
    const declaration = ToolSets.parse(JSON.parse(await readFile(at('infra/permissions.json'), 'utf8')))
    const toolSets = declaration.toolSets.filter((set) => set.name !== name)
    assert.equal(toolSets.length, declaration.toolSets.length - 1)
    await writeFile(at('infra/permissions.json'), JSON.stringify({ ...declaration, toolSets }, undefined, 2))
  }

  async function take(step: Record<string, string>) {
    const { created, changed, toolSet, deleted } = step
    if (created) await writeFile(at(created), plain(step.contentIndent, step.content))
    const gone = plain(step.goneIndent, step.gone)
    if (changed)
      await replace(changed, gone || plain(step.oldIndent, step.old), plain(step.freshIndent, step.fresh))
    if (toolSet) await removeSet(toolSet)
    for (const [, path = ''] of deleted?.matchAll(/`([^`]+)`/g) ?? []) await rm(at(path))
  }

  return {
    folder,
    /** Does every step of a section; at least one. */
    async follow(title: string) {
      const steps = stepsOf(text, title)
      assert.ok(steps.length > 0, `${page} has no section ${title}`)
      for (const step of steps) await take(step)
    },
    /** A module of the copy, which is as typed as the one of the repository. */
    module: (path: string): Promise<unknown> => import(pathToFileURL(at(path)).href),
    /** Throws what the compiler says. */
    async check() {
      const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc')
      await promisify(execFile)(process.execPath, [tsc], { cwd: folder }).catch((error: unknown) => {
        assert.fail(z.object({ stdout: z.string() }).parse(error).stdout)
      })
    },
    remove: () => rm(folder, { recursive: true }),
  }
}
