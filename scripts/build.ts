/**
 * Builds what the image ships: `dist/app/server.js`, one minified ES module, and the declaration that it reads
 * from `../infra/`. Run by app/Dockerfile; `node scripts/build.ts [folder]`.
 */
import { cp, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = resolve(process.argv[2] ?? join(root, 'dist'))

await rm(out, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['app/server.ts'],
  outfile: join(out, 'app/server.js'),
  bundle: true,
  minify: true,
  // So that a fault names the line of the source. Read by app/place.ts; the server serves no file.
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

const bytes = metafile.outputs[relative(root, join(out, 'app/server.js'))]?.bytes
console.log(`${join(out, 'app/server.js')}: ${Math.round((bytes ?? 0) / 1024)} KiB`)
