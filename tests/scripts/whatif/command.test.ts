import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { parseCommand } from '../../../scripts/whatif/command.ts'

describe('the command line', () => {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'command-'))
  })
  const written = new Set<string>()
  const write = async (...names: string[]) => {
    for (const name of names) {
      written.add(name)
      await writeFile(join(folder, name), '')
    }
  }
  afterEach(async () => {
    for (const name of written) await rm(join(folder, name), { force: true })
    written.clear()
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const parsed = (...args: string[]) => parseCommand(args, folder)
  const named = (...args: string[]) => parsed(...args).parameters.slice(folder.length + 1)

  it('draws the map as Mermaid only', () => {
    for (const args of [
      ['map', '--format', 'json'],
      ['--map', '--format', 'text'],
    ])
      assert.throws(() => parsed(...args), /--format does not go with map/)
  })

  it('is text about the usual folder, and any change counts, unless it says otherwise', async () => {
    await write('main.bicepparam')
    assert.deepEqual(parsed(), {
      format: 'text',
      failOn: 'any',
      isHelp: false,
      isMap: false,
      parameters: join(folder, 'main.bicepparam'),
      values: {},
      resourceGroup: undefined,
      allowed: [],
      environment: undefined,
      perspective: 'proposed',
      exceptions: undefined,
      desired: undefined,
    })
  })

  it('takes values of parameters, in which everything after the first = counts', async () => {
    await write('main.bicepparam')
    const { values, resourceGroup } = parsed('--set', 'a=b=c', '--set', 'd=', '--resource-group', 'rg')
    assert.deepEqual([values, resourceGroup], [{ a: 'b=c', d: '' }, 'rg'])
  })

  it('asks for the map as a word and as an option', async () => {
    await write('main.bicepparam')
    assert.ok(parsed('map').isMap && parsed('--map').isMap && !parsed().isMap)
  })

  it('finds the parameter file of a folder as azd does, else the only one, else the template', async () => {
    await write('main.bicep')
    assert.equal(named(), 'main.bicep')
    await write('prod.bicepparam')
    assert.equal(named('--infra', folder), 'prod.bicepparam')
    await write('main.parameters.json')
    assert.equal(named(), 'main.parameters.json')
    await write('main.bicepparam')
    assert.equal(named(), 'main.bicepparam')
    assert.equal(named('--parameters', join(folder, 'prod.bicepparam')), 'prod.bicepparam')
  })

  it('finds the only Bicep file, whatever its name', async () => {
    await write('apps.bicep')
    assert.equal(named(), 'apps.bicep')
  })

  const refusals: [why: string, files: string[], args: string[], said: RegExp][] = [
    ['an unknown level', [], ['--fail-on', 'low'], /--fail-on low is not known[\s\S]*high, medium, any/],
    ['an unknown format', [], ['--format', 'xml'], /--format xml is not known/],
    [
      'an unknown option',
      [],
      ['--colour'],
      /Unknown option '--colour'[\s\S]+\n {2}fix: npm run whatif -- --help$/,
    ],
    ['a word that it does not know', [], ['plan'], /Unexpected: plan[\s\S]*map/],
    ['a second word', [], ['map', 'infra'], /Unexpected: map infra/],
    ['a value without a name', ['main.bicep'], ['--set', '=x'], /--set =x is not understood/],
    ['a name without a value', ['main.bicep'], ['--set', 'x'], /--set x is not understood/],
    [
      'a parameter that is set twice',
      ['main.bicep'],
      ['--set', 'x=1', '--set', 'x=1'],
      /--set x is given twice/,
    ],
    ['an empty folder', [], [], /No template found in .*command-[\s\S]*--infra <folder>/],
    ['a folder that is not there', [], ['--infra', '/nowhere'], /No template found in \/nowhere/],
    [
      'several parameter files',
      ['prod.bicepparam', 'test.bicepparam', 'main.bicep'],
      [],
      /Several parameter files in .*: prod\.bicepparam, test\.bicepparam\.[\s\S]*--parameters <file>/,
    ],
    ['several templates', ['a.bicep', 'b.bicep'], [], /Several Bicep files in .*: a\.bicep, b\.bicep/],
    [
      'a folder and a file',
      [],
      ['--infra', 'a', '--parameters', 'b'],
      /Both --infra and --parameters are given/,
    ],
    ['a file that is not there', [], ['--parameters', 'no.bicepparam'], /There is no no\.bicepparam/],
    [
      'a file of another kind',
      [],
      ['--parameters', 'README.md'],
      /README\.md is no parameter file[\s\S]*bicepparam/,
    ],
  ]
  for (const [why, files, args, said] of refusals)
    it(`is refused for ${why}`, async () => {
      await write(...files)
      assert.throws(() => parsed(...args), said)
    })

  it('is not refused for a missing template where somebody asks for help', () => {
    assert.ok(parsed('--help').isHelp)
  })
})
