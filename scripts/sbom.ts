/**
 * Prints the bill of materials of what the image is bundled from, as CycloneDX: `npm run sbom`. The bundler knows it; the
 * lock file also has what is never loaded, and `npm sbom --omit dev` leaves out what tests use too.
 */
import { join } from 'node:path'
import { build } from 'esbuild'
import { forNode, root } from './build.ts'
import { manifestOf, packagesOf } from './pack-whatif.ts'

/** Of each package of which a line goes into the bundle of scripts/build.ts. */
async function foldersOfPackages(): Promise<string[]> {
  const { metafile } = await build({
    ...forNode,
    entryPoints: ['app/server.ts'],
    outdir: 'dist',
    write: false,
    target: 'node24',
    logLevel: 'error',
  })
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput: bytes }]) => (bytes > 0 ? [file] : [])),
  )
  return packagesOf(used)
}

async function componentOf(folder: string) {
  const { name, version, license } = await manifestOf(join(root, folder))
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const licenses = license ? { licenses: [{ expression: license }] } : {}
  return { type: 'library', 'bom-ref': purl, name, version, purl, ...licenses }
}

const found = await Promise.all((await foldersOfPackages()).map(componentOf))
// One version may lie in two folders.
const components = [...new Map(found.map((one) => [one.purl, one])).values()]
const { name, version } = await manifestOf(root)
const metadata = { component: { type: 'application', 'bom-ref': name, name, version } }
const document = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata, components }
console.log(JSON.stringify(document, undefined, 2))
