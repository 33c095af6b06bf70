import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { findPlaces } from '../../../scripts/bicep/places.ts'

it('finds where a resource is written, and leaves out what cannot be read as a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'places-'))
  try {
    writeFileSync(join(folder, 'inner.bicep'), "\nresource team 'Microsoft.Graph/groups@v1.0' = {\n")
    const modules = ['inner.bicep', './', 'missing.bicep', 'br:example.azurecr.io/a:1']
    const lines = modules.map((target, at) => `module m${at} '${target}' = {`)
    writeFileSync(join(folder, 'main.bicep'), lines.join('\n'))
    const places = findPlaces(join(folder, 'main.bicep'))
    assert.deepEqual(
      [...places].map(([path, { line }]) => [path, line]),
      [['m0/team', 2]],
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
