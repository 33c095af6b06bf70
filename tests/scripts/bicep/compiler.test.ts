import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findBicep, requireBicep, type Surroundings } from '../../../scripts/bicep/compiler.ts'

let home = ''
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'bicep-home-'))
})
after(() => rm(home, { recursive: true, force: true }))

const program = async (path: string) => {
  const file = join(home, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '')
  await chmod(file, 0o755)
  return file
}
const around = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux'): Surroundings => ({
  env,
  home,
  platform,
})

describe('The compiler', () => {
  it('is missed with a command that installs it', () => {
    assert.equal(findBicep(around({ PATH: home })), undefined)
    assert.throws(() => requireBicep(around({})), /No Bicep compiler found\.[\s\S]*az bicep install/)
  })

  it('is sought in BICEP, on PATH, in AZD_BICEP_TOOL_PATH, with azd, with the Azure CLI, in this order', async () => {
    const cli = await program('.azure/bin/bicep')
    const env: NodeJS.ProcessEnv = {}
    const found = () => {
      const compiler = findBicep(around(env))
      return [compiler?.from, compiler?.path]
    }
    assert.deepEqual(found(), ['the Azure CLI', cli])
    assert.deepEqual([...found()], ['the Azure CLI', cli])
    const azd = await program('.azd/bin/bicep')
    assert.deepEqual(found(), ['azd', azd])
    env.AZD_BICEP_TOOL_PATH = await program('tools/bicep-0.44')
    assert.deepEqual(found(), ['AZD_BICEP_TOOL_PATH', env.AZD_BICEP_TOOL_PATH])
    env.PATH = dirname(await program('on-path/bicep'))
    assert.deepEqual(found(), ['PATH', join(env.PATH, 'bicep')])
    env.BICEP = await program('named/compiler')
    assert.deepEqual(found(), ['BICEP', env.BICEP])
  })

  it('is called bicep.exe on Windows', async () => {
    const exe = await program('windows/bicep.exe')
    assert.equal(findBicep(around({ Path: dirname(exe) }, 'win32'))?.path, exe)
  })

  it('follows the configuration folders of azd and of the Azure CLI', async () => {
    const moved = await program('elsewhere/bin/bicep')
    const folder = join(home, 'elsewhere')
    assert.equal(findBicep(around({ AZD_CONFIG_DIR: folder }))?.path, moved)
  })

  it('is not silently another one when the named one is missing', () => {
    assert.throws(
      () => findBicep(around({ BICEP: join(home, 'nothing') })),
      /BICEP=.*nothing is not a program\. Correct BICEP/,
    )
  })
})
