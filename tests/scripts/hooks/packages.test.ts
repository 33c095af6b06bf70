import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import everything from '../../../package.json' with { type: 'json' }
import manifest from '../../../scripts/package.json' with { type: 'json' }

const root = fileURLToPath(new URL('../../../', import.meta.url))
const hooks = (await readdir(join(root, 'scripts/hooks'))).map((name) => join(root, 'scripts/hooks', name))
const isPackage = (path: string) => !path.startsWith('node:')

/** The packages that these files import, themselves or through other files of ours. */
async function packagesOf(files: string[]): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: files,
    bundle: true,
    write: false,
    outdir: root,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    metafile: true,
    logLevel: 'error',
  })
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports)
  const paths = imports.filter(({ external, path }) => external && isPackage(path)).map(({ path }) => path)
  return [...new Set(paths.map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path))].toSorted()
}

describe('What azd installs before it runs a hook', () => {
  // azd: `npm install` beside the nearest package.json, then `npx --yes tsx -- <hook>` (azure-dev, ts_executor.go).
  it('is what the hooks import and tsx, and nothing else', async () => {
    assert.deepEqual(
      [...(await packagesOf(hooks)), 'tsx'].toSorted(),
      Object.keys(manifest.dependencies).toSorted(),
    )
  })

  it('is of the versions that the tests use', () => {
    const ours: Record<string, string> = { ...everything.dependencies, ...everything.devDependencies }
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name)
      assert.equal(ours[name] ?? version, version, name)
    }
  })

  it('needs no more of Node than its oldest version has, because azd runs it on the Node of the machine', async () => {
    assert.match(everything.engines.node, /^>=20$/)
    const folder = await mkdtemp(join(tmpdir(), 'oldest-'))
    try {
      const project = join(folder, 'tsconfig.json')
      // What Node 20 knows of the language's library: ECMAScript 2023.
      await writeFile(
        project,
        JSON.stringify({
          extends: join(root, 'tsconfig.json'),
          compilerOptions: { lib: ['es2023'], typeRoots: [join(root, 'node_modules/@types')] },
          include: hooks,
        }),
      )
      await promisify(execFile)(process.execPath, [
        join(root, 'node_modules/typescript/bin/tsc'),
        '-p',
        project,
      ])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
