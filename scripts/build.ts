/**
 * Builds what the image ships: `dist/app/server.js` and beside it what it loads when first needed, minified ES
 * modules, and the declaration that it reads from `../infra/`. Run by app/Dockerfile, and by the bench for whatever
 * it compares with: `node scripts/build.ts [folder [entry point]]`.
 */
import { cp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const [folder = join(root, 'dist'), entryPoint = 'app/server.ts'] = process.argv.slice(2)
const out = resolve(folder)

await rm(out, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [entryPoint],
  outdir: out,
  entryNames: 'app/[name]',
  // Beside the entry point: the declaration is found by a path relative to whichever of them reads it.
  chunkNames: 'app/[name]-[hash]',
  bundle: true,
  splitting: true,
  minify: true,
  // So that a fault names the line of the source. Read by app/telemetry/place.ts; the server serves no file.
  sourcemap: 'external',
  sourcesContent: false,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Dependencies that are CommonJS call require() for Node's own modules.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  // The licences ask that their texts travel with the code.
  legalComments: 'eof',
  logLevel: 'warning',
  metafile: true,
})
// Without it Node parses the bundle twice to find out what it is: 30 ms of every start.
await writeFile(join(out, 'package.json'), '{"type":"module"}\n')
await cp(join(root, 'infra/permissions.json'), join(out, 'infra/permissions.json'))

const kibibytes = (paths: string[]) =>
  Math.round(paths.reduce((sum, path) => sum + (metafile.outputs[path]?.bytes ?? 0), 0) / 1024)
const all = Object.keys(metafile.outputs).filter((path) => path.endsWith('.js'))
console.log(`${join(out, 'app')}: ${kibibytes(all)} KiB in ${all.length} modules`)
