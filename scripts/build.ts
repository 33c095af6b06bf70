/**
 * Builds what the image ships: `dist/app/server.js` and beside it what it loads when first needed, minified ES
 * modules, and the declaration that it reads from `../infra/`. Run by app/Dockerfile, and by the bench for whatever
 * it compares with: `node scripts/build.ts [folder [entry point]]`.
 */
import { realpathSync } from 'node:fs'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** How everything here is bundled for Node. */
export const forNode = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  // Dependencies that are CommonJS call require() for Node's own modules.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  logLevel: 'warning',
  metafile: true,
} satisfies BuildOptions

async function buildImage(out: string, entryPoint: string): Promise<void> {
  await rm(out, { recursive: true, force: true })
  const { metafile } = await build({
    ...forNode,
    entryPoints: [entryPoint],
    outdir: out,
    entryNames: 'app/[name]',
    // Beside the entry point: the declaration is found by a path relative to whichever of them reads it.
    chunkNames: 'app/[name]-[hash]',
    // So that a fault names the line of the source. Read by app/telemetry/place.ts; the server serves no file.
    sourcemap: 'external',
    sourcesContent: false,
    target: 'node24',
    // The licences ask that their texts travel with the code.
    legalComments: 'eof',
  })
  // Without it Node parses the bundle twice to find out what it is: 30 ms of every start.
  await writeFile(join(out, 'package.json'), '{"type":"module"}\n')
  await cp(join(root, 'infra/permissions.json'), join(out, 'infra/permissions.json'))

  const all = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.js'))
  const kibibytes = Math.round(all.reduce((sum, [, { bytes }]) => sum + bytes, 0) / 1024)
  console.log(`${join(out, 'app')}: ${kibibytes} KiB in ${all.length} modules`)
}

// Not import.meta.main, which is unknown to Node 22; and the image's build has this file alone.
if (process.argv[1] && realpathSync.native(process.argv[1]) === realpathSync.native(import.meta.filename)) {
  const [folder = join(root, 'dist'), entryPoint = 'app/server.ts'] = process.argv.slice(2)
  await buildImage(resolve(folder), entryPoint)
}
