import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { filesIn, isOurs } from '../files.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')

/** A project with the linter's rules of this one and a few lines of its own. */
describe('The check of imports', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rooms-'))
    for (const file of ['biome.json', '.gitignore']) await cp(join(root, file), join(folder, file))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const checked = async (files: Record<string, string>): Promise<string> => {
    for (const room of ['app', 'scripts']) await rm(join(folder, room), { recursive: true, force: true })
    for (const [path, imported] of Object.entries(files)) {
      await mkdir(join(folder, dirname(path)), { recursive: true })
      await writeFile(
        join(folder, path),
        `import type { a as other } from '${imported}'\n\nexport type a = other\n`,
      )
    }
    const { status, stdout } = spawnSync(process.execPath, [biome, 'check', '--reporter=json', '.'], {
      cwd: folder,
      encoding: 'utf8',
    })
    const rules = Array.from(stdout.matchAll(/"category": ?"lint\/\w+\/(\w+)"/g), ([, rule]) => rule)
    return `${status} ${[...new Set(rules)].join()}`
  }

  it('lets an import downwards pass', async () => {
    assert.equal(await checked({ 'scripts/hooks/a.ts': '../identity/b.ts' }), '0 ')
    assert.equal(await checked({ 'scripts/whatif/a.ts': '../bicep/b.ts' }), '0 ')
    assert.equal(await checked({ 'scripts/emulators/entra/a.ts': '../directory.ts' }), '0 ')
  })

  it('refuses one upwards, from every room', async () => {
    const entries = await readdir(join(root, 'scripts'), { withFileTypes: true })
    const rooms = entries.filter((one) => one.isDirectory() && isOurs(one.name)).map(({ name }) => name)
    for (const room of rooms)
      for (const upwards of ['../start.ts', '../pipeline/a.ts', '../../tests/a.ts'])
        assert.equal(
          await checked({ [`scripts/${room}/a.ts`]: upwards }),
          '1 noRestrictedImports',
          `${room} imports ${upwards}`,
        )
    assert.equal(await checked({ 'scripts/bicep/a.ts': '../whatif/b.ts' }), '1 noRestrictedImports')
    assert.equal(await checked({ 'scripts/emulators/graph/a.ts': '../../cli/b.ts' }), '1 noRestrictedImports')
    assert.equal(await checked({ 'app/a.ts': '../scripts/cli/b.ts' }), '1 noRestrictedImports')
  })

  it('refuses a circle, of types too', async () => {
    const circle = { 'scripts/cli/a.ts': './b.ts', 'scripts/cli/b.ts': './a.ts' }
    assert.equal(await checked(circle), '1 noImportCycles')
  })
})

describe('A script', () => {
  // Before Node 24.2 it is undefined, and a check or a hook that asks it would end with 0 and have done nothing.
  it('never asks import.meta.main whether it was started', async () => {
    for (const path of filesIn('scripts').filter((one) => /\.m?[jt]s$/.test(one))) {
      const code = (await readFile(join(root, path), 'utf8')).replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
      assert.ok(!code.includes('import.meta.main'), path)
    }
  })
})
