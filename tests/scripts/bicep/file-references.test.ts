import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { refuseFilesOutside } from '../../../scripts/bicep/file-references.ts'
import { withoutCompiler } from '../graph/directory-harness.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

describe('The files that a template reads', { skip: withoutCompiler, concurrency: 2 }, () => {
  let folder: string
  const write = async (name: string, text: string) => {
    const file = join(folder, 'repository', name)
    await writeFile(file, text)
    return file
  }
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'references-'))
    await mkdir(join(folder, 'repository/infra'), { recursive: true })
    await mkdir(join(folder, 'repository/.git'))
    await writeFile(join(folder, 'token.json'), '{"secret":"left by a sign-in"}')
    await write('.git/config', 'left by a checkout')
    await write('inside.json', '{}')
    await write('infra/outside.bicep', "output text string = loadTextContent('../../token.json')\n")
    if (process.platform !== 'win32')
      await symlink('../../token.json', join(folder, 'repository/infra/link.json'))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const outside = async (name: string, text: string) =>
    assert.rejects(refuseFilesOutside(join(folder, 'repository'), await write(name, text)), {
      message: /reads .*(token\.json|config|link\.json), which lies outside of/,
    })

  it('may lie beside its folder, as those of this repository do', async () => {
    await refuseFilesOutside(root, join(root, 'infra/main.bicepparam'))
    const file = await write('infra/in.bicep', "output text string = loadTextContent('../inside.json')\n")
    await refuseFilesOutside(join(folder, 'repository'), file)
  })

  it('are refused outside of the repository, however they are named', async () => {
    const escapes = [
      "loadTextContent('../../token.json')",
      "string(loadJsonContent('../../token.json'))",
      "loadFileAsBase64('../../token.json')",
      "string(loadYamlContent('../../token.json'))",
      "loadTextContent('\\u{2e}./../token.json')",
      "sys.loadTextContent('''../../token.json''')",
      "loadTextContent('../.git/config')",
    ]
    for (const [index, text] of escapes.entries())
      await outside(`infra/escape${index}.bicep`, `output text string = ${text}\n`)
    await outside(
      'infra/variable.bicep',
      "var other = '../../token.json'\noutput text string = loadTextContent(other)\n",
    )
  })

  it('are refused behind a link, a module and a parameter file', async () => {
    if (process.platform !== 'win32')
      await outside('infra/by-link.bicep', "output text string = loadTextContent('link.json')\n")
    await outside('infra/by-module.bicep', "module other 'outside.bicep' = {}\n")
    await write('infra/plain.bicep', 'param text string\noutput same string = text\n')
    await outside(
      'infra/plain.bicepparam',
      "using 'plain.bicep'\nparam text = loadTextContent('../../token.json')\n",
    )
  })

  it('are not known of a file that is not there', async () => {
    await assert.rejects(refuseFilesOutside(folder, join(folder, 'nothing.bicep')), {
      message: /does not say which files .*nothing\.bicep uses/,
    })
  })
})
