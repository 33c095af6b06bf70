/**
 * Packs the what-if for everybody's template: `dist/identity-what-if-<version>.tgz`, which needs Node 20 and nothing
 * else. `npm run pack:whatif [-- folder]`.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { z } from 'zod'
import { forNode, root } from './build.ts'
import { isStarted } from './cli/started.ts'

const Manifest = z.object({ name: z.string(), version: z.string(), license: z.string().optional() })

/** `metafile`: what went into the programs. */
export async function bundle(outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    ...forNode,
    entryPoints: { 'identity-what-if': 'scripts/package/cli.ts', action: 'scripts/package/action.ts' },
    outdir,
    // By its ending a module under every package.json.
    outExtension: { '.js': '.mjs' },
    chunkNames: 'shared-[hash]',
    target: 'node20',
    legalComments: 'none',
  })
  return metafile
}

/** What the package.json of a folder says. */
export const manifestOf = async (folder: string) =>
  Manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))

/** Folders of the packages that these files belong to, in order. */
export function packagesOf(files: readonly string[]): string[] {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
  return [...new Set(folders)].toSorted()
}

/** The licence text of every package that went in. */
async function licencesOf({ inputs }: Metafile): Promise<string> {
  const texts = packagesOf(Object.keys(inputs)).map(async (folder) => {
    const { name, version, license } = await manifestOf(join(root, folder))
    const file = (await readdir(join(root, folder))).find((one) => /^(licen[cs]e|copying)(\.|$)/i.test(one))
    if (!file) throw new Error(`${name} has no licence text: it cannot travel in the package.`)
    return `${name} ${version} (${license})\n\n${(await readFile(join(root, folder, file), 'utf8')).trim()}\n`
  })
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`)
}

/** Returns the tarball's path. */
export async function packWhatIf(destination: string): Promise<string> {
  const folder = join(destination, 'identity-what-if')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const metafile = await bundle(join(folder, 'dist'))
  const { version } = await manifestOf(root)
  const manifest = {
    name: 'identity-what-if',
    version,
    description: 'What a deployment would change in Microsoft Entra ID, graded by risk. Reads only.',
    license: 'MIT',
    type: 'module',
    bin: { 'identity-what-if': 'dist/identity-what-if.mjs' },
    engines: { node: '>=20' },
    files: ['dist', 'identity-what-if.schema.json', 'THIRD-PARTY-LICENSES.txt'],
  }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  await writeFile(join(folder, 'THIRD-PARTY-LICENSES.txt'), await licencesOf(metafile))
  for (const [from, to] of [
    ['LICENSE', 'LICENSE'],
    ['scripts/package/README.md', 'README.md'],
    ['docs/identity-what-if.schema.json', 'identity-what-if.schema.json'],
  ] as const)
    await cp(join(root, from), join(folder, to))
  // Through npm's own file: the launcher for Windows can be started by a shell only.
  const npm = process.env.npm_execpath
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', resolve(destination)]
  if (npm) execFileSync(process.execPath, [npm, ...args], { cwd: folder })
  else execFileSync('npm', args, { cwd: folder, shell: process.platform === 'win32' })
  return join(destination, `identity-what-if-${version}.tgz`)
}

/** As lock files write it; the GitHub action asks for it. */
export const integrityOf = async (file: string): Promise<string> =>
  `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`

if (isStarted(import.meta)) {
  const tarball = await packWhatIf(resolve(process.argv[2] ?? join(root, 'dist')))
  const integrity = await integrityOf(tarball)
  console.log(`${tarball}\n${integrity}`)
  // In a workflow, for the step that uses the action.
  const { GITHUB_OUTPUT } = process.env
  if (GITHUB_OUTPUT) await appendFile(GITHUB_OUTPUT, `package=${tarball}\nintegrity=${integrity}\n`)
}
