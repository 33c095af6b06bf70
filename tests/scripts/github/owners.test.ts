import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { block } from '../../docs/blocks.ts'
import { jobOf } from './workflows.ts'

const root = new URL('../../../', import.meta.url)
const text = (path: string) => readFile(new URL(path, root), 'utf8')
const Azure = z.looseObject({
  infra: z.object({ path: z.string() }),
  services: z.record(z.string(), z.looseObject({ docker: z.object({ path: z.string() }) })),
  hooks: z.record(z.string(), z.looseObject({ run: z.string() })),
})

/** A file and everything of ours that it imports, directly or not. */
async function withImports(start: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(start)) return seen
  seen.add(start)
  if (!start.endsWith('.ts')) return seen
  for (const [, name = ''] of (await text(start)).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
    const url = new URL(name, new URL(start, root))
    await withImports(fileURLToPath(url).slice(fileURLToPath(root).length).replaceAll('\\', '/'), seen)
  }
  return seen
}

/** What deploy.yml, azd's hooks and the image run or read: from the files that say so. */
async function running(): Promise<Set<string>> {
  const azure = Azure.parse(parse(await text('azure.yaml')))
  const steps = (await jobOf('deploy.yml', 'deploy')).steps.map(({ run = '' }) => run).join('\n')
  const image = Object.values(azure.services).map(({ docker }) => docker.path)
  const copied = (await Promise.all(image.map(text))).join('\n')
  const folders = Array.from(copied.matchAll(/^COPY (?!--from)(.+) \S+$/gm), ([, all = '']) => all.split(' '))
  const starts = [
    ...Array.from(steps.matchAll(/node (scripts\/\S+\.ts)/g), ([, file = '']) => file),
    ...Object.values(azure.hooks).map(({ run }) => run),
    'scripts/whatif.ts',
  ]
  const all = new Set([
    'azure.yaml',
    '.github/workflows/deploy.yml',
    `${azure.infra.path}/main.bicep`,
    ...image,
  ])
  for (const path of folders.flat()) all.add(path === 'app' ? 'app/server.ts' : path)
  for (const start of starts) for (const file of await withImports(start)) all.add(file)
  // Read by npm ci, by tsx and by the remote build without being named.
  for (const file of await readdir(root))
    if (/^(\.npmrc|\.dockerignore|tsconfig.*\.json|package.*\.json)$/.test(file)) all.add(file)
  return all
}

describe('The code owners that docs/pipeline.md asks for', () => {
  it('own every path that runs with the rights of the deploy identity', async () => {
    const owners = block('docs/pipeline.md', '/.dockerignore @your-team').text
    const owned = Array.from(owners.matchAll(/^ *\/(\S+) @your-team$/gm), ([, path = '']) => path)
    const isOwned = (file: string) =>
      owned.some((path) => {
        const [before = '', after] = path.split('*')
        return path.endsWith('/')
          ? file.startsWith(path)
          : after === undefined
            ? file === path
            : file.startsWith(before) && file.endsWith(after)
      })
    const files = [...(await running())]
    assert.ok(files.length > 30, String(files.length))
    for (const room of ['app/', 'infra/', 'scripts/', 'package-lock.json', 'azure.yaml', '.github/'])
      assert.ok(
        files.some((file) => file.startsWith(room)),
        room,
      )
    assert.deepEqual(
      files.filter((file) => !isOwned(file)),
      [],
    )
  })
})
