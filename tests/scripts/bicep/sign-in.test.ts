import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { compile } from '../../../scripts/bicep/compile.ts'
import { findBicep } from '../../../scripts/bicep/compiler.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'

const SUBSCRIPTION = '11111111-1111-4111-8111-111111111111'
const OURS = ['PATH', 'BICEP', 'CI', 'GITHUB_ACTIONS', 'TF_BUILD']

/** A template specification is restored from Azure Resource Manager: the compiler asks az for a token first. */
describe('The sign-in of the Azure CLI', {
  skip:
    withoutCompiler ||
    (process.platform === 'win32' && 'the az of this test is a script for the shell of Unix'),
}, () => {
  let folder = ''
  const kept = Object.fromEntries(OURS.map((name) => [name, process.env[name]]))
  const set = (values: NodeJS.ProcessEnv) => {
    for (const name of OURS) delete process.env[name]
    for (const [name, value] of Object.entries(values)) if (value !== undefined) process.env[name] = value
  }
  before(async () => {
    const compiler = findBicep()?.path
    folder = await mkdtemp(join(tmpdir(), 'sign-in-'))
    for (const name of ['bin', '.git', 'infra']) await mkdir(join(folder, name))
    const az = join(folder, 'bin/az')
    await writeFile(
      az,
      `#!/bin/sh\necho "$HOME $AZURE_CONFIG_DIR" > '${folder}/asked'\nls -A "$HOME" >> '${folder}/asked'\nexit 1\n`,
    )
    await chmod(az, 0o755)
    await writeFile(join(folder, 'infra/main.bicep'), `module one 'ts:${SUBSCRIPTION}/rg/x:v1' = {}\n`)
    kept.BICEP ??= compiler
  })
  after(async () => {
    set(kept)
    await rm(folder, { recursive: true, force: true })
  })

  const asked = async (pipeline: NodeJS.ProcessEnv) => {
    set({ PATH: [join(folder, 'bin'), kept.PATH].join(delimiter), BICEP: kept.BICEP, ...pipeline })
    const ids = { subscriptionId: SUBSCRIPTION, tenantId: SUBSCRIPTION }
    const options = { infra: join(folder, 'infra'), environment: {}, parameters: 'main.bicep', ...ids }
    await assert.rejects(compile(options), /BCP/)
    return (await readFile(join(folder, 'asked'), 'utf8')).trim().split(/\s+/)
  }

  it('is out of reach in a pipeline, where the home of the compiler holds what it has restored alone', async () => {
    for (const pipeline of [{ CI: 'true' }, { GITHUB_ACTIONS: 'true' }, { TF_BUILD: 'True' }]) {
      const [home = '', azure, ...inside] = await asked(pipeline)
      assert.notEqual(home, process.env.HOME)
      assert.equal(existsSync(home), false)
      assert.deepEqual([azure, ...inside], [join(home, '.azure'), '.bicep'])
    }
  })

  it('is that of the person elsewhere', async () => {
    const [home] = await asked({ CI: 'false' })
    assert.equal(home, process.env.HOME)
  })
})
