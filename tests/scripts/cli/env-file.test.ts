import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { dropBlock, readBlock, writeBlock } from '../../../scripts/cli/env-file.ts'

describe('env-file', () => {
  let folder: string
  let file: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'env-file-'))
    file = join(folder, '.env')
  })
  beforeEach(() => rm(file, { force: true }))
  after(() => rm(folder, { recursive: true, force: true }))

  it('is readable by its owner only, also where it was open to everybody before', async () => {
    await writeFile(file, 'MINE=1\n', { mode: 0o644 })
    await writeBlock(file, 'dev', { SECRET: 's' })
    assert.equal((await stat(file)).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o600)
    assert.deepEqual(await readdir(folder), ['.env'])
  })

  it('keeps the lines of others and replaces its own', async () => {
    await writeFile(file, '# mine\nMINE=1\nSECRET=old\n')
    await writeBlock(file, 'dev', { SECRET: 'first', PORT: '1' })
    await writeBlock(file, 'dev', { SECRET: 'second', PORT: '1' })
    assert.deepEqual((await readFile(file, 'utf8')).split('\n'), [
      '# mine',
      'MINE=1',
      '# azd environment dev: written by the postprovision hook, until the end mark',
      'SECRET=second',
      'PORT=1',
      '# end of azd environment',
      '',
    ])
    assert.deepEqual({ ...(await readBlock(file, 'dev')) }, { SECRET: 'second', PORT: '1' })
  })

  it('writes nothing when nothing differs', async () => {
    assert.equal(await writeBlock(file, 'dev', { PORT: '1' }), true)
    assert.equal(await writeBlock(file, 'dev', { PORT: '1' }), false)
  })

  it('tells the block of another environment from its own', async () => {
    await writeBlock(file, 'dev', { PORT: '1' })
    assert.deepEqual(await readBlock(file, 'test'), {})
    assert.equal(await dropBlock(file, 'test'), false)
    await writeBlock(file, 'test', { PORT: '2' })
    assert.deepEqual({ ...(await readBlock(file, 'test')) }, { PORT: '2' })
    assert.deepEqual(await readBlock(file, 'dev'), {})
  })

  it('goes as a whole when it held nothing else, and leaves what others wrote', async () => {
    await writeBlock(file, 'dev', { PORT: '1' })
    assert.equal(await dropBlock(file, 'dev'), true)
    assert.deepEqual(await readdir(folder), [])
    await writeFile(file, 'MINE=1\n')
    await writeBlock(file, 'dev', { PORT: '1' })
    assert.equal(await dropBlock(file, 'dev'), true)
    assert.equal(await readFile(file, 'utf8'), 'MINE=1\n')
  })
})
