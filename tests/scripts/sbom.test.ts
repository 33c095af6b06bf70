import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import manifest from '../../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('../..', import.meta.url))
// https://cyclonedx.org/docs/1.6/json: what has to be there, and what is used of the rest.
const Document = z.strictObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  version: z.literal(1),
  metadata: z.object({ component: z.object({ type: z.literal('application'), name: z.string() }) }),
  components: z.array(
    z.strictObject({
      type: z.literal('library'),
      'bom-ref': z.string(),
      name: z.string(),
      version: z.string(),
      purl: z.string().regex(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+/),
      licenses: z.array(z.strictObject({ expression: z.string() })).optional(),
    }),
  ),
})

describe('The bill of materials of the image', () => {
  it('has what the server is bundled from, in the versions of this project, and no tool', () => {
    const text = execFileSync(process.execPath, ['scripts/sbom.ts'], { cwd: root, encoding: 'utf8' })
    const { components } = Document.parse(JSON.parse(text))
    assert.equal(new Set(components.map((one) => one['bom-ref'])).size, components.length)
    const versions = new Map(components.map(({ name, version }) => [name, version]))
    for (const name of ['@azure/cosmos', '@azure/msal-node', 'express', 'jose', 'zod'] as const)
      assert.equal(versions.get(name), manifest.dependencies[name])
    // Others, like ajv, are a package's own need too.
    for (const name of ['esbuild', 'fast-check', 'playwright-core', 'typescript'])
      assert.ok(name in manifest.devDependencies && !versions.has(name), name)
  })
})
